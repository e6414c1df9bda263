#include "base/log_output.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sstream>
#include <thread>
#include <utility>

#include "base/files.hpp"

using botel::Counter;
using botel::Descriptor;
using botel::log::Output;

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMost = 10'000;
constexpr auto kPatience = 10s;

// Takes a few kilobytes, however large pages are.
struct Pipe {
  explicit Pipe(int flags = 0) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC | flags) == 0);
    out = Descriptor(ends[0]);
    in = Descriptor(ends[1]);
    size = static_cast<std::size_t>(fcntl(ends[1], F_SETPIPE_SZ, 4096));
  }
  // From here on whoever writes waits.
  void fill() const {
    const std::string text(size - 1, '.');
    REQUIRE(::write(in.get(), (text + "\n").data(), size) == static_cast<ssize_t>(size));
  }
  // What comes, to the end of the line that begins with `last`.
  [[nodiscard]] std::string read_until(const std::string& last) const {
    std::string text;
    const auto has_come = [&] { return text.ends_with('\n') && ("\n" + text).find("\n" + last) != std::string::npos; };
    while (!has_come()) {
      pollfd wanted{out.get(), POLLIN, 0};
      REQUIRE(poll(&wanted, 1, std::chrono::milliseconds(kPatience).count()) == 1);
      char buffer[1000];
      const ssize_t count = ::read(out.get(), buffer, sizeof buffer);
      REQUIRE(count > 0);
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }
  Descriptor out, in;
  std::size_t size = 0;
};

std::string missing(std::uint64_t lines) { return "missing " + std::to_string(lines) + "\n"; }

std::string line(int number) { return "line " + std::to_string(number) + " " + std::string(100, 'x') + "\n"; }

// The number of the last line in `text`. Those before it go up by 1, and where they do not, as many are said to be
// missing. Adds those to `all_missing`.
int last_of(const std::string& text, std::uint64_t& all_missing) {
  std::istringstream lines(text);
  int last = -1, now_missing = 0;
  std::string word;
  for (std::string whole; std::getline(lines, whole);) {
    std::istringstream words(whole);
    int number = 0;
    words >> word >> number;
    if (word == "missing") now_missing += number;
    if (word != "line") continue;
    REQUIRE(number == last + 1 + now_missing);
    all_missing += static_cast<std::uint64_t>(std::exchange(now_missing, 0));
    last = number;
  }
  return last;
}

}  // namespace

TEST_CASE("log output: without a thread, who writes a line writes it to the descriptor") {
  const Pipe pipe;
  Output output(pipe.in.get(), kMost, missing);
  output.write(pipe.in.get(), "now\n");
  CHECK(pipe.read_until("now") == "now\n");
  CHECK(output.flush(0s));
}

TEST_CASE("log output: lines come out whole and in order, on each descriptor") {
  const Pipe log, other;
  Output output(log.in.get(), kMost, missing);
  output.start();
  const std::string large(200'000, 'x');
  output.write(other.in.get(), "other\n");
  output.write(log.in.get(), large + "\n");
  CHECK(other.read_until("other") == "other\n");
  CHECK(log.read_until("x") == large + "\n");
  output.write(log.in.get(), "last\n");
  CHECK(log.read_until("last") == "last\n");
  CHECK(output.flush(kPatience));
}

TEST_CASE("log output: where nobody reads, lines are dropped and counted, and what is missing is said in its place") {
  for (const int flags : {0, O_NONBLOCK}) {
    const Pipe pipe(flags);
    pipe.fill();
    Counter dropped("dropped", "");
    Output output(pipe.in.get(), kMost, missing);
    output.start();
    output.count_dropped(&dropped);
    int next = 0;
    while (dropped.value() < 100) output.write(pipe.in.get(), line(next++));
    CHECK(next < 300);
    CHECK_FALSE(output.flush(0s));

    std::string text = pipe.read_until("missing 100");
    output.write(pipe.in.get(), line(next));
    text += pipe.read_until("line " + std::to_string(next));
    std::uint64_t said = 0;
    CHECK(last_of(text, said) == next);
    CHECK(said == 100);
    CHECK(output.flush(kPatience));
    output.count_dropped(nullptr);
  }
}

TEST_CASE("log output: a reader that is too slow gets whole lines, and the number of those that it does not get") {
  constexpr int kLines = 20'000;
  const Pipe pipe;
  Counter dropped("dropped", "");
  Output output(pipe.in.get(), kMost, missing);
  output.start();
  output.count_dropped(&dropped);
  std::thread writer([&] {
    for (int i = 0; i < kLines; ++i) output.write(pipe.in.get(), line(i));
    output.flush(kPatience);
    output.write(pipe.in.get(), line(kLines));
  });
  std::uint64_t said = 0;
  CHECK(last_of(pipe.read_until("line " + std::to_string(kLines)), said) == kLines);
  writer.join();
  CHECK(said == dropped.value());
  output.count_dropped(nullptr);
}

TEST_CASE("log output: a reader that is gone ends nothing, and its lines are counted") {
  Pipe pipe;
  Counter dropped("dropped", "");
  Output output(pipe.in.get(), kMost, missing);
  output.start();
  output.count_dropped(&dropped);
  pipe.out.close();
  for (int i = 0; i < 3; ++i) output.write(pipe.in.get(), line(i));
  CHECK(output.flush(kPatience));
  CHECK(dropped.value() == 3);
  output.count_dropped(nullptr);
}

TEST_CASE("log output: what a full disk does not take is said once it takes something again") {
  const Descriptor log(open("/dev/full", O_WRONLY | O_CLOEXEC));
  Output output(log.get(), kMost, missing);
  output.start();
  for (int i = 0; i < 3; ++i) output.write(log.get(), line(i));
  CHECK(output.flush(kPatience));
  const Pipe pipe;
  REQUIRE(dup2(pipe.in.get(), log.get()) == log.get());
  output.write(log.get(), line(3));
  CHECK(pipe.read_until("line 3") == "missing 3\n" + line(3));
}

TEST_CASE("log output: a line of which only a part could be written is ended, and counts as missing") {
  Pipe pipe;
  const Descriptor log(dup(pipe.in.get()));
  pipe.in.close();
  Output output(log.get(), kMost, missing);
  output.start();
  output.write(log.get(), std::string(200'000, 'x') + "\n");
  pollfd wanted{pipe.out.get(), POLLIN, 0};
  REQUIRE(poll(&wanted, 1, std::chrono::milliseconds(kPatience).count()) == 1);
  pipe.out.close();
  CHECK(output.flush(kPatience));
  const Pipe other;
  REQUIRE(dup2(other.in.get(), log.get()) == log.get());
  output.write(log.get(), line(1));
  CHECK(other.read_until("line 1") == "\nmissing 1\n" + line(1));
}
