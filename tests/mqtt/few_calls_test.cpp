#include "mqtt/few_calls.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

using botel::mqtt::NoSocketPairs;
using botel::mqtt::ReadAhead;

namespace {

// A pipe that does not block.
struct Pipe {
  int ends[2];
  Pipe() { REQUIRE(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0); }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  void put(const std::string& text) const {
    REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  // What one read() of at most `wanted` bytes gives; "-" for EAGAIN.
  [[nodiscard]] std::string get(std::size_t wanted) const {
    std::string text(wanted, '\0');
    const ssize_t count = read(ends[0], text.data(), wanted);
    if (count < 0) return errno == EAGAIN ? "-" : "error";
    text.resize(static_cast<std::size_t>(count));
    return text;
  }
};

}  // namespace

TEST_CASE("few calls: small reads come from one large one, and the end is known without asking") {
  const Pipe pipe;
  ReadAhead ahead;
  CHECK(ahead.dry());
  pipe.put("abcdef");
  {
    const ReadAhead::Scope scope(ahead, pipe.ends[0]);
    CHECK(pipe.get(1) == "a");
    CHECK_FALSE(ahead.dry());
    CHECK(pipe.get(2) == "bc");
    pipe.put("later");
    CHECK(pipe.get(10) == "def");
    CHECK(ahead.dry());
    CHECK(pipe.get(1) == "-");
  }
  const ReadAhead::Scope scope(ahead, pipe.ends[0]);
  CHECK(pipe.get(9) == "later");
}

TEST_CASE("few calls: after a pause the rest comes in the next scope") {
  const Pipe pipe;
  ReadAhead ahead;
  pipe.put("abc");
  {
    const ReadAhead::Scope scope(ahead, pipe.ends[0]);
    CHECK(pipe.get(1) == "a");
    ahead.pause();
    CHECK(pipe.get(1) == "-");
    CHECK_FALSE(ahead.dry());
  }
  const ReadAhead::Scope scope(ahead, pipe.ends[0]);
  CHECK(pipe.get(9) == "bc");
}

TEST_CASE("few calls: what is left of a scope comes first in the next one") {
  const Pipe pipe;
  ReadAhead ahead;
  pipe.put("abc");
  {
    const ReadAhead::Scope scope(ahead, pipe.ends[0]);
    CHECK(pipe.get(1) == "a");
  }
  pipe.put("def");
  {
    const ReadAhead::Scope scope(ahead, pipe.ends[0]);
    CHECK(pipe.get(9) == "bc");
    CHECK(pipe.get(9) == "def");
  }
  pipe.put("ghi");
  {
    const ReadAhead::Scope scope(ahead, pipe.ends[0]);
    CHECK(pipe.get(1) == "g");
  }
  ahead.clear();
  CHECK(ahead.dry());
}

TEST_CASE("few calls: other descriptors, other threads and other times are left alone") {
  const Pipe pipe, other;
  ReadAhead ahead;
  pipe.put("abc");
  other.put("xyz");
  {
    const ReadAhead::Scope scope(ahead, pipe.ends[0]);
    CHECK(other.get(1) == "x");
    CHECK(other.get(9) == "yz");
    CHECK(other.get(9) == "-");
    std::string seen;
    std::thread([&] { seen = pipe.get(1); }).join();
    CHECK(seen == "a");
  }
  CHECK(pipe.get(1) == "b");
}

TEST_CASE("few calls: the end of a stream and an error are told as they are") {
  ReadAhead ahead;
  int ends[2];
  REQUIRE(pipe2(ends, O_NONBLOCK) == 0);
  close(ends[1]);
  char byte = 0;
  {
    const ReadAhead::Scope scope(ahead, ends[0]);
    CHECK(read(ends[0], &byte, 1) == 0);
  }
  close(ends[0]);
  const ReadAhead::Scope scope(ahead, ends[0]);
  CHECK(read(ends[0], &byte, 1) == -1);
  CHECK(errno == EBADF);
}

TEST_CASE("few calls: socket pairs are refused within the scope alone") {
  int ends[2];
  {
    const NoSocketPairs scope;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1);
    CHECK(errno == EMFILE);
  }
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  close(ends[0]);
  close(ends[1]);
}
