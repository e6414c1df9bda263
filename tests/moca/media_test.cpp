// Media come in pieces.
#include <doctest/doctest.h>

#include "moca/stage.hpp"

namespace {

const std::string kTopic = "demo/42/u/chats/7/messages/70/get_media";
constexpr std::size_t kPiece = 1 << 20;

std::string bytes(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
  return bytes;
}

// Gives `all`, and remembers which offsets it was asked for.
struct Giver {
  std::string all;
  std::vector<std::size_t> offsets{};
  std::size_t limit = kPiece;

  std::int32_t operator()(const botel_call& call, const botel_event& event) {
    if (event.kind != BOTEL_CONNECTOR_GET_MEDIA) return transcript_connector(call, event);
    const std::size_t offset = std::stoul(does::member(event.detail, "offset"));
    CHECK(does::member(event.detail, "limit") == "1048576");
    offsets.push_back(offset);
    const auto piece = std::string_view(all).substr(offset, limit);
    return does::media(call, event.reply, piece, offset + piece.size() < all.size(),
                       R"({"filename":"cat.jpg","mime":"image/jpeg"})");
  }
};

Lines pieces(const std::string& all, std::size_t from = 0) {
  Lines lines;
  for (std::size_t i = from; i < all.size(); i += kPiece) {
    lines.push_back(answer(
        kTopic, fmt::format(R"({{"data":"{}"}})", botel::moca::base64(std::string_view(all).substr(i, kPiece)))));
  }
  lines.push_back(answer(kTopic, R"({"data":null,"filename":"cat.jpg","mime":"image/jpeg"})"));
  return lines;
}

}  // namespace

TEST_CASE("media: three megabytes and a bit arrive byte for byte, in pieces of 1 MiB and an end") {
  MocaStage stage;
  stage.configure("42");
  Giver giver{bytes(3'300'000)};
  stage.bot.handle = std::ref(giver);
  stage.receive(kTopic);
  CHECK((stage.take() == pieces(giver.all)));
  CHECK(giver.offsets == std::vector<std::size_t>{0, kPiece, 2 * kPiece, 3 * kPiece});
}

TEST_CASE("media: nothing at all is an end; a last piece may be full, or end with nothing behind it") {
  MocaStage stage;
  stage.configure("42");
  Giver giver;
  stage.bot.handle = std::ref(giver);
  stage.receive(kTopic);
  CHECK(stage.take() == pieces(""));
  giver.all = bytes(kPiece);
  stage.receive(kTopic);
  CHECK((stage.take() == pieces(giver.all)));
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    const bool begins = does::member(event.detail, "offset") == "0";
    return does::media(call, event.reply, begins ? "x" : "", begins);
  };
  stage.receive(kTopic);
  CHECK(stage.take() ==
        Lines{answer(kTopic, R"({"data":"eA=="})"), answer(kTopic, R"({"data":null,"filename":"","mime":""})")});
}

TEST_CASE("media: a piece is at most 1 MiB") {
  MocaStage stage;
  stage.configure("42");
  std::int32_t result = BOTEL_OK;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    result = does::media(call, event.reply, bytes(kPiece + 1), false);
    return BOTEL_OK;
  };
  stage.receive(kTopic);
  CHECK(result == BOTEL_E_INVALID);
}

TEST_CASE("media: more that is nothing would never end") {
  MocaStage stage;
  stage.configure("42");
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    return does::media(call, event.reply, "", true);
  };
  stage.receive(kTopic);
  CHECK(stage.take() == Lines{error(kTopic, 500, "the connector gives nothing")});
}

TEST_CASE("media: of a message that is missing the connector says so, also in the middle") {
  MocaStage stage;
  stage.configure("42");
  const std::string missing = "demo/42/u/chats/7/messages/404/get_media";
  stage.receive(missing);
  CHECK(stage.take() == Lines{error(missing, 404, "no such message")});
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    if (does::member(event.detail, "offset") == "0") return does::media(call, event.reply, "x", true);
    return does::answer(call, event.reply, R"({"message":"it is gone"})", 404);
  };
  stage.receive(kTopic);
  CHECK(stage.take() == Lines{answer(kTopic, R"({"data":"eA=="})"), error(kTopic, 404, "it is gone")});
}

TEST_CASE("media: each piece has a time of its own") {
  MocaStage stage;
  stage.configure("42");
  std::uint64_t reply = 0;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_CONNECTOR_SEND_MESSAGE) return does::media(call, reply, "x", true);
    reply = event.reply;
    return 0;
  };
  stage.receive(kTopic);
  for (int i = 0; i < 12; ++i) {
    stage.pass(seconds(9));
    stage.take();
    stage.receive(fmt::format("demo/42/{}/send_message/7", i), R"({"message":"x"})");
    CHECK(stage.take() == Lines{answer(kTopic, R"({"data":"eA=="})")});
  }
  stage.pass(seconds(10));
  CHECK(stage.take().back() == error(kTopic, 504, "the connector did not answer in time"));
}

TEST_CASE("media: the same again while they come is nothing; behind the end they come anew") {
  MocaStage stage;
  stage.configure("42");
  Giver giver{bytes(kPiece + 1)};
  stage.bot.handle = std::ref(giver);
  stage.arrive(kTopic);
  stage.arrive(kTopic);
  stage.settle();
  CHECK((stage.take() == pieces(giver.all)));
  stage.receive(kTopic);
  CHECK((stage.take() == pieces(giver.all)));
}

TEST_CASE("media: by an address of the service's own, with levels") {
  MocaStage stage;
  stage.configure("42");
  std::string uri;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    uri = does::member(event.detail, "uri");
    return does::media(call, event.reply, "x", false, R"({"filename":"a \"b\""})");
  };
  stage.receive("demo/42/u/get_media_file/files/2024/cat.jpg");
  CHECK(uri == "files/2024/cat.jpg");
  CHECK(stage.take().back() ==
        answer("demo/42/u/get_media_file/files/2024/cat.jpg", R"({"data":null,"filename":"a \"b\"","mime":""})"));
}

TEST_CASE("media: a restart in between goes on at the right byte") {
  const auto store = botel::store::Sqlite::in_memory().value();
  Giver giver{bytes(3 * kPiece + 5)};
  {
    MocaStage stage(store.get());
    stage.configure("42");
    // The host ends while the second piece is being asked for.
    stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
      if (!giver.offsets.empty()) stage.role.suspend(true);
      return giver.offsets.empty() ? giver(call, event) : BOTEL_RETRY_AFTER(1000);
    };
    stage.receive(kTopic);
    CHECK(stage.take().size() == 1);
  }
  MocaStage stage(store.get(), 1'700'000'060'000);
  stage.bot.handle = std::ref(giver);
  stage.service.resume(seconds(60), {});
  stage.pass(seconds(2));
  CHECK((stage.take() == pieces(giver.all, kPiece)));
  CHECK(giver.offsets == std::vector<std::size_t>{0, kPiece, 2 * kPiece, 3 * kPiece});
}

TEST_CASE("media: where a piece still waited for the broker nobody knows how much came, so it is an error") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    MocaStage stage(store.get());
    stage.configure("42");
    stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
      stage.role.suspend(true);
      return does::media(call, event.reply, "x", true);
    };
    stage.receive(kTopic);
    CHECK(stage.take().size() == 1);
  }
  MocaStage stage(store.get(), 1'700'000'060'000);
  stage.service.resume(seconds(60), {kTopic + "/response"});
  stage.pass(seconds(1));
  CHECK(stage.take() == Lines{error(kTopic, 500, "the host was away")});
}

TEST_CASE("media: the next piece, and the end, wait until the broker has the one before") {
  MocaStage stage;
  stage.configure("42");
  stage.acknowledging = false;
  Giver giver{bytes(kPiece + 5)};
  stage.bot.handle = std::ref(giver);
  stage.receive(kTopic);
  const auto all = pieces(giver.all);
  CHECK((stage.take() == Lines{all[0]}));
  CHECK(giver.offsets.size() == 1);
  stage.client.acknowledge();
  stage.settle();
  CHECK((stage.take() == Lines{all[1]}));
  stage.client.acknowledge();
  CHECK((stage.take() == Lines{all[2]}));
}

TEST_CASE("media: where a connection was lost in between nobody knows how much came, so it is an error") {
  MocaStage stage;
  stage.configure("42");
  stage.acknowledging = false;
  Giver giver{bytes(2 * kPiece)};
  stage.bot.handle = std::ref(giver);
  stage.receive(kTopic);
  stage.take();
  SUBCASE("while a piece is on its way") { ++stage.client.lost; }
  SUBCASE("while the last one is") {
    stage.client.acknowledge();
    stage.settle();
    stage.take();
    ++stage.client.lost;
  }
  stage.client.acknowledge();
  stage.settle();
  CHECK(stage.take() == Lines{error(kTopic, 500, "the connection to the broker was lost meanwhile")});
  // Anew, it is whole.
  stage.acknowledging = true;
  stage.receive(kTopic, R"({"again":1})");
  CHECK((stage.take() == pieces(giver.all)));
}

TEST_CASE("media: a piece that the broker does not take is an error, and one too many is, too") {
  MocaStage stage;
  stage.configure("42");
  stage.acknowledging = false;
  int given = 1;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    for (int i = 0; i < given; ++i) does::media(call, event.reply, "x", true);
    return BOTEL_OK;
  };
  stage.receive(kTopic);
  stage.take();
  stage.client.acknowledge(false);
  CHECK(stage.take() == Lines{error(kTopic, 500, "the broker does not take it")});
  given = 3;
  stage.receive(kTopic, R"({"again":1})");
  const auto lines = stage.take();
  REQUIRE(lines.size() == 2);
  CHECK(lines[1] == error(kTopic, 500, "the connector gives more than it was asked for"));
}

TEST_CASE("media: a restart while a piece is on its way goes on behind it, if the broker has it") {
  for (const bool is_last : {false, true}) {
    CAPTURE(is_last);
    const auto store = botel::store::Sqlite::in_memory().value();
    Giver giver{bytes(is_last ? 5 : kPiece + 5)};
    {
      MocaStage stage(store.get());
      stage.configure("42");
      stage.acknowledging = false;
      stage.bot.handle = std::ref(giver);
      stage.receive(kTopic);
      CHECK(stage.take().size() == 1);
    }
    MocaStage stage(store.get(), 1'700'000'060'000);
    stage.bot.handle = std::ref(giver);
    stage.service.resume(seconds(60), {});
    stage.settle();
    const auto all = pieces(giver.all);
    CHECK((stage.take() == Lines(all.begin() + 1, all.end())));
  }
}

TEST_CASE("media: nothing is sent before the store knows that it is asked for") {
  MocaStage stage;
  stage.configure("42");
  Giver giver{bytes(5)};
  stage.bot.handle = std::ref(giver);
  stage.arrive(kTopic);
  ::settle(stage.runtime);
  CHECK(giver.offsets.empty());
  CHECK(stage.service.has_changes());
  SUBCASE("and then it is") { stage.settle(); }
  SUBCASE("and not for a connector that is gone meanwhile") {
    stage.arrive("demo/42/u/delete_connector");
    stage.settle();
    CHECK(stage.take() == Lines{error(kTopic, 404, "the connector was deleted"),
                                answer("demo/42/u/delete_connector", R"({"success":true})")});
    return;
  }
  CHECK((stage.take() == pieces(giver.all)));
}

TEST_CASE("media: a restart before the connector was asked for them asks it then") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    MocaStage stage(store.get());
    stage.configure("42");
    stage.arrive(kTopic);
    REQUIRE(store->commit(stage.runtime.save()));
  }
  MocaStage stage(store.get(), 1'700'000'060'000);
  Giver giver{bytes(5)};
  stage.bot.handle = std::ref(giver);
  stage.service.resume(seconds(60), {});
  stage.settle();
  CHECK((stage.take() == pieces(giver.all)));
}

TEST_CASE("media: where the store may not know all that was sent before the host ended, they end with an error") {
  const auto store = botel::store::Sqlite::in_memory().value();
  Giver giver{bytes(3 * kPiece)};
  bool waits = false;
  SUBCASE("of those that came") {}
  SUBCASE("of those that nobody was asked for yet") { waits = true; }
  {
    MocaStage stage(store.get());
    stage.configure("42");
    stage.acknowledging = false;
    stage.bot.handle = std::ref(giver);
    stage.arrive(kTopic);
    if (waits) {
      REQUIRE(store->commit(stage.runtime.save()));
    } else {
      stage.settle();
      stage.client.acknowledge();
      ::settle(stage.runtime);
      CHECK(stage.take().size() == 2);  // of the second the store does not know
    }
  }
  giver.offsets.clear();
  MocaStage stage(store.get(), 1'700'000'060'000);
  stage.bot.handle = std::ref(giver);
  stage.service.resume(seconds(60), {}, false);
  stage.settle();
  CHECK(stage.take() == Lines{error(kTopic, 500, "the host was away")});
  CHECK(giver.offsets.empty());
}
