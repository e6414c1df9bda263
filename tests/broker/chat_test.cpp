// `botel chat` from a pipe and at a terminal: the real program on both sides.
#include <doctest/doctest.h>
#include <signal.h>

#include "harness/pty.hpp"
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

// A world, and somebody at a terminal who talks to a bot of it.
struct Sitting {
  std::vector<std::string> chat(const std::string& bot) const {
    return {BOTEL_EXECUTABLE, "chat", "--bot", bot, "--broker", world.broker.url()};
  }
  // As far as the first prompt.
  static void begin(Pty& terminal) {
    terminal.see("(/end or Ctrl-D ends the conversation)\r\n");
    terminal.see("> ");
  }
  World world;
};

// Longer than a terminal's own line mode takes, and in characters of three bytes.
std::string long_line() {
  std::string text = "x";
  while (text.size() < 20'000) text += "한글";
  return text;
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

TEST_CASE("chat: without [[bot]] tables, a name that nobody has is no other bot's") {
  const TempDir dir;
  Host host(dir / "host", {.bots = "", .arguments = {"--broker-port", std::to_string(free_port())}});
  host.ready();
  const std::string data = "--data " + (dir / "host/data").string();
  const Spoken nobody = chat(dir, "hello\\n", data + " --bot nobdy");
  CHECK(nobody.code == 1);
  CHECK(count(nobody.transcript, "bot nobdy does not start: No such bot: no bot serves this id (-32001)") == 1);
  CHECK(chat(dir, "hello\\n", data).transcript.starts_with("> hello\nyou said: hello\n"));
  CHECK(host.stop() == 0);
}

TEST_CASE("chat: how it is ended stands in its help") {
  const TempDir dir;
  CHECK(run({BOTEL_EXECUTABLE, "chat", "--help"}, dir / "log") == 0);
  CHECK(count(chat(dir, "", "--help").transcript, "/end, or Ctrl-D, ends the conversation") == 1);
}

TEST_CASE_FIXTURE(Sitting, "chat: a long line that is pasted at a terminal is said as one") {
  Pty terminal(chat("echo"));
  begin(terminal);
  const std::string text = long_line();
  terminal.type(text + "\n");
  terminal.see(text + "\r\nyou said: " + text + "\r\n> ");
  terminal.type("one\ntwo\n");
  terminal.see("one\r\ntwo\r\n");
  terminal.see("you said: one\r\n");
  terminal.see("you said: two\r\n");
  terminal.see("> ");
  terminal.type("/end\n");
  terminal.see("(the conversation has ended)\r\n");
  CHECK(terminal.wait() == 0);
  CHECK(terminal.is_as_before());
}

TEST_CASE_FIXTURE(Sitting, "chat: what is typed can be corrected, by characters, words and lines") {
  Pty terminal(chat("echo"));
  begin(terminal);
  terminal.type("helk\x7flo 한굴\x7f글\n");
  terminal.see("helk\b \blo 한굴\b \b\b \b글\r\n");
  terminal.see("you said: hello 한글\r\n> ");
  terminal.type("nonsense\x15some words\x17more\n");
  terminal.see("you said: some more\r\n");
}

TEST_CASE_FIXTURE(Sitting, "chat: whatever ends it, the terminal is as it was") {
  struct Case {
    const char* keys;
    int signal;
    int code;
  };
  for (const auto& [keys, signal, code] :
       {Case{"\x04", 0, 0}, Case{"half\x03", 0, 0}, Case{"", SIGTERM, 0}, Case{"half", SIGHUP, 0}}) {
    CAPTURE(signal);
    Pty terminal(chat("echo"));
    begin(terminal);
    CHECK_FALSE(terminal.is_as_before());
    terminal.type(keys);
    if (signal != 0) terminal.signal(signal);
    CHECK(terminal.wait() == code);
    CHECK(terminal.is_as_before());
    CHECK(count(terminal.shown(), "(the conversation has ended)") == 1);
  }
}

TEST_CASE_FIXTURE(Sitting, "chat: what has been typed when it is stopped is there when it goes on") {
  Pty terminal(chat("echo"));
  begin(terminal);
  terminal.type("half");
  terminal.see("half");
  terminal.type("\x1a");
  terminal.wait_for_stop();
  CHECK(terminal.is_as_before());
  terminal.signal(SIGCONT);
  terminal.see("> half");
  CHECK_FALSE(terminal.is_as_before());
  terminal.type(" a line\n");
  terminal.see("you said: half a line\r\n");
}

TEST_CASE_FIXTURE(Sitting, "chat: what has been typed stands there again after what is said meanwhile") {
  Pty terminal(chat("echo"));
  const Received start = world.client.expect("s/1/a/1/t/echo/req/t/echo/i/app");
  begin(terminal);
  terminal.type("half");
  terminal.see("half");
  world.client.publish(at(start.payload, "params.msgPub"), R"({"m":"by the way"})");
  terminal.see("\r\nby the way\r\n> half");
  terminal.type("way\n");
  terminal.see("way\r\nyou said: halfway\r\n");
}

TEST_CASE_FIXTURE(Sitting, "chat: where the output goes elsewhere, what is typed is seen at the terminal") {
  const auto out = world.dir / "transcript";
  std::string command;
  for (const auto& word : chat("echo")) command += word + " ";
  Pty terminal({"sh", "-c", command + ">" + out.string()});
  wait_until("the terminal to be the chat's", [&] { return !terminal.is_as_before(); });
  const std::string text = long_line();
  terminal.type(text + "\n");
  terminal.see(text + "\r\n");
  wait_until("the answer", [&] { return count(read_file(out), "you said: " + text + "\n") == 1; });
  terminal.type("\x04");
  CHECK(terminal.wait() == 0);
  CHECK(terminal.is_as_before());
  CHECK(read_file(out) == "> " + text + "\nyou said: " + text + "\n(the conversation has ended)\n");
}
