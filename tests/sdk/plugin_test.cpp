// What plugin.hpp refuses at compile time.
#include <botel/bot.hpp>
#include <botel/connector.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace botel::detail;

namespace {

struct Bot : botel::Bot {};
struct Connector : botel::Connector {
  void on_configure(botel::Account&, const botel::Answer&, botel::Reply) override {}
};

constexpr auto bot(const char* id, const char* version = "1.0.0", botel::BotOptions options = {}) {
  return botel::bot<Bot>(id, version, options);
}
constexpr auto connector(const char* id) { return botel::connector<Connector>(id, "1.0.0"); }
constexpr const char* kLongest = "123456789_123456789_123456789_123456789_123456789_1";

static_assert(have_ids(std::array{bot("echo"), bot("a-b_7"), bot(kLongest)}));
static_assert(!have_ids(std::array{bot("")}));
static_assert(!have_ids(std::array{bot(nullptr)}));
static_assert(!have_ids(std::array{bot("Echo")}));
static_assert(!have_ids(std::array{bot("e cho")}));
static_assert(!have_ids(std::array{bot("e.cho")}));
static_assert(!have_ids(std::array{bot("écho")}));
static_assert(!have_ids(std::array{bot("echo"), bot("123456789_123456789_123456789_123456789_123456789_12")}));

static_assert(have_free_ids(std::array{bot("s"), bot("moca"), connector("demo")}));
static_assert(!have_free_ids(std::array{connector("s")}));
static_assert(!have_free_ids(std::array{bot("a"), connector("moca")}));

static_assert(have_ids_of_their_own(std::array{bot("a"), bot("b"), connector("c")}));
static_assert(!have_ids_of_their_own(std::array{bot("a"), bot("b"), connector("a")}));

static_assert(have_versions(std::array{bot("a", ""), bot("b", "1.0.0-ä"),
                                       bot("c", "1234567890123456789012345678901")}));
static_assert(!have_versions(std::array{bot("a", nullptr)}));
static_assert(!have_versions(std::array{bot("a", "1\n")}));
static_assert(!have_versions(std::array{bot("a", "\x7f")}));
static_assert(!have_versions(std::array{bot("a", "12345678901234567890123456789012")}));

static_assert(have_schemas(std::array{bot("a", "1", {.schema_written = 3, .schema_oldest = 3})}));
static_assert(!have_schemas(std::array{bot("a", "1", {.schema_written = 0, .schema_oldest = 0})}));
static_assert(!have_schemas(std::array{bot("a", "1", {.schema_written = 2, .schema_oldest = 0})}));
static_assert(!have_schemas(std::array{bot("a", "1", {.schema_written = 2, .schema_oldest = 3})}));

}  // namespace

BOTEL_PLUGIN(bot("first"), connector("second"));

TEST_CASE("plugin: the note says what the descriptors say") {
  CHECK(std::string(botel_note_v1.items[0].id) == "first");
  CHECK(std::string(botel_note_v1.items[1].version) == "1.0.0");
  CHECK(botel_note_v1.head.count == 2);
  CHECK(botel_entry_v1.count == 2);
  CHECK(std::string(botel_entry_v1.descriptors[1]->id) == "second");
}
