// A bot that takes the host with it.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>

#include "chaos/durable.hpp"
#include "chaos/stage.hpp"

using namespace chaos;

TEST_CASE("chaos: a message on which the host dies twice goes to the dead letters, and all others are handled") {
  // A sanitizer would make another end of it.
  Stage stage({.name = "crash", .environment = {"ASAN_OPTIONS=handle_segv=0", "TSAN_OPTIONS=handle_segv=0"}});
  stage.gitple.talk();
  stage.gitple.wait_for_answers(100);
  stage.gitple.tell(0, "crash");
  for (const std::size_t deaths : {1, 2}) {
    harness::wait_until("the host to die", [&] {
      stage.host.watch();
      return stage.host.own_ends().size() == deaths;
    });
  }
  stage.host.wait_ready();
  stage.gitple.wait_for_answers(500);
  check_clean(stage.settle(), stage);
  CHECK(stage.host.own_ends() == std::vector<int>{-SIGSEGV, -SIGSEGV});
  CHECK(query_number(stage.host.data() / "botel.db", "SELECT count(*) FROM dead_letters") == 1);
  CHECK(query_number(stage.host.data() / "botel.db",
                     "SELECT count(*) FROM dead_letters WHERE bot = 'counting' AND payload = 'crash'") == 1);
  const auto lines = harness::lines_with(stage.host.log(), "counting");
  CHECK(std::ranges::any_of(lines, [](const auto& line) { return line.find("dead letter") != std::string::npos; }));
}
