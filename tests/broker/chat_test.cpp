// `botel chat` from a pipe: the real program on both sides.
#include <doctest/doctest.h>

#include "harness/world.hpp"

using namespace harness;

namespace {

struct Spoken {
  int code;
  std::string transcript;
};

// What a shell makes of `printf 'LINES' | botel chat ARGUMENTS`.
Spoken chat(const TempDir& dir, const std::string& lines, const std::string& arguments) {
  static int runs = 0;
  const auto out = dir / ("chat-" + std::to_string(++runs));
  const std::string command =
      "printf '" + lines + "' | " BOTEL_EXECUTABLE " chat " + arguments + " >" + out.string() + " 2>&1";
  const int code = run({"sh", "-c", command}, dir / "shell.log");
  return {code, read_file(out)};
}

}  // namespace

TEST_CASE("chat: a script talks to the echo bot of the host that holds the data directory") {
  const TempDir dir;
  Host host(dir / "host", {.arguments = {"--broker-port", std::to_string(free_port())}});
  host.ready();
  const Spoken spoken = chat(dir, "hello\\n/quit\\n", "--bot echo --data " + (dir / "host/data").string());
  CHECK(spoken.code == 0);
  CHECK(spoken.transcript ==
        "> hello\nyou said: hello\n> /quit\n(the bot ends the conversation)\n(the conversation has ended)\n");
  CHECK(host.stop() == 0);
}

TEST_CASE("chat: a script orders a sandwich by numbers, with a form") {
  World world;
  const std::string broker = "--broker " + world.broker.url();
  const Spoken spoken = chat(world.dir, "3\\n2\\nKim\\n010\\n1\\n", broker + " --bot sandwich");
  CHECK(spoken.code == 0);
  for (const char* part :
       {"  3. 선식", "> 선식\n", "> 오리엔탈\n", "선식, 오리엔탈 소스\nKim님, 010\n", "> 주문하기\n"}) {
    CAPTURE(part);
    CHECK(count(spoken.transcript, part) == 1);
  }
}

TEST_CASE("chat: a transfer ends it well, the end of the lines, too") {
  World world;
  const std::string arguments = "--bot echo --broker " + world.broker.url();
  CHECK(chat(world.dir, "/transfer\\n", arguments).transcript ==
        "> /transfer\n(the bot hands the conversation over to an agent)\n(the conversation has ended)\n");
  const Spoken spoken = chat(world.dir, "one\\ntwo", arguments);
  CHECK(spoken.code == 0);
  CHECK(spoken.transcript == "> one\nyou said: one\n> two\nyou said: two\n(the conversation has ended)\n");
}

TEST_CASE("chat: a bot that answers read receipts does not talk for ever") {
  World world;
  const Spoken spoken = chat(world.dir, "say one;say two\\n", "--bot 1 --broker " + world.broker.url());
  CHECK(spoken.code == 0);
  CHECK(count(spoken.transcript, "> say one;say two\none\ntwo\nyou read ") == 1);
  CHECK(count(spoken.transcript, "you read ") == 1);
  CHECK(spoken.transcript.ends_with("end ended\n(the conversation has ended)\n"));
}

TEST_CASE("chat: what cannot be is said, and the exit code is not 0") {
  World world;
  const std::string broker = "--broker " + world.broker.url();
  const Spoken nobody = chat(world.dir, "x\\n", broker + " --bot nobody");
  CHECK(nobody.code == 1);
  CHECK(count(nobody.transcript, "No such bot") == 1);
  CHECK(chat(world.dir, "x\\n", "--broker http://x").code == 2);
  CHECK(world.host.stop() == 0);
  const Spoken alone = chat(world.dir, "x\\n", broker + " --bot echo");
  CHECK(alone.code == 1);
  CHECK(count(alone.transcript, "no host answers on this broker") == 1);
}
