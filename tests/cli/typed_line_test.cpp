#include "cli/typed_line.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "cli/input.hpp"

using botel::cli::EditingKeys;
using botel::cli::Input;
using botel::cli::TypedLine;

namespace {

constexpr EditingKeys kKeys{.erase = '\x7f', .word = '\x17', .kill = '\x15', .end = '\x04'};

std::string back(int cells) {
  std::string all;
  for (int i = 0; i < cells; ++i) all += "\b \b";
  return all;
}

// What a pipe gives of `bytes`, line by line.
std::vector<std::string> lines_of(const std::string& bytes) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  Input input(ends[0]);
  for (std::size_t at = 0; at < bytes.size(); at += 4096) {
    const auto piece = bytes.substr(at, 4096);
    REQUIRE(write(ends[1], piece.data(), piece.size()) == static_cast<ssize_t>(piece.size()));
    input.read_some();
  }
  close(ends[1]);
  input.read_some();
  close(ends[0]);
  std::vector<std::string> lines;
  while (auto line = input.take_line()) lines.push_back(std::move(*line));
  CHECK(input.at_end());
  return lines;
}

}  // namespace

TEST_CASE("typed line: what is typed is shown, and entered with the end of its line") {
  TypedLine line(kKeys);
  CHECK(line.type("hel") == "hel");
  CHECK(line.take() == "");
  CHECK(line.unfinished() == "hel");
  CHECK(line.type("lo\n") == "lo\n");
  CHECK(line.take() == "hello\n");
  CHECK(line.unfinished() == "");
  CHECK(line.type("\n") == "\n");
  CHECK(line.take() == "\n");
}

TEST_CASE("typed line: a line may have any length, and come in pieces that cut characters") {
  TypedLine line(kKeys);
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "한글";
  std::string echo;
  for (std::size_t at = 0; at < text.size(); at += 1000) echo += line.type(std::string_view(text).substr(at, 1000));
  CHECK(echo == text);
  CHECK(line.type("\n") == "\n");
  CHECK(line.take() == text + "\n");
}

TEST_CASE("typed line: of what is pasted, what follows the last end of a line is for the next prompt") {
  TypedLine line(kKeys);
  CHECK(line.type("one\ntwo\nthr") == "one\ntwo\n");
  CHECK(line.take() == "one\ntwo\n");
  CHECK(line.shown() == "thr");
  CHECK(line.type("ee") == "ee");
}

TEST_CASE("typed line: a character is erased with all of its bytes and cells") {
  TypedLine line(kKeys);
  line.type("aé한e\u0301\x1b\t");
  CHECK(line.type("\x7f") == back(1));  // a tab is shown as one cell
  CHECK(line.type("\x7f") == back(2));  // ^[
  CHECK(line.type("\x7f") == back(0));  // an accent has none of its own
  CHECK(line.type("\x7f") == back(1));
  CHECK(line.type("\x7f") == back(2));
  CHECK(line.unfinished() == "aé");
  CHECK(line.type("\x7f\x7f\x7f") == back(2));
  CHECK(line.unfinished() == "");
}

TEST_CASE("typed line: words and lines are erased") {
  TypedLine line(kKeys);
  line.type("one two  ");
  CHECK(line.type("\x17") == back(5));
  CHECK(line.unfinished() == "one ");
  line.type("한");
  CHECK(line.type("\x15") == back(6));
  CHECK(line.unfinished() == "");
  CHECK(line.type("\x15\x17") == "");
}

TEST_CASE("typed line: a control character is shown, and moves no cursor") {
  TypedLine line(kKeys);
  CHECK(line.type("\x1b[2J\x01\x7f\r") == "^[[2J^A" + back(2) + "^M");
  CHECK(line.shown() == "^[[2J^M");
  CHECK(line.type(std::string("\0", 1)) == "^@");
}

TEST_CASE("typed line: the key of the end ends the input on an empty line, and elsewhere a piece") {
  TypedLine line(kKeys);
  line.type("half\x04");
  CHECK_FALSE(line.has_ended());
  CHECK(line.take() == "half");
  CHECK(line.unfinished() == "");
  CHECK(line.type("\x7f") == "");  // it has left
  line.type("\x04never");
  CHECK(line.has_ended());
  CHECK(line.take() == "");
}

TEST_CASE("typed line: a terminal may have none of the keys") {
  TypedLine line;
  CHECK(line.type("a\x7f\x04") == "a^?^D");
  CHECK(line.type(std::string("\0\n", 2)) == "^@\n");
  CHECK(line.take() == std::string("a\x7f\x04\0\n", 5));
}

TEST_CASE("input: a line that is far too long is cut into several, between two characters") {
  for (const std::string begin : {"", "a", "ab", "abc"}) {
    CAPTURE(begin);
    std::string text = begin;
    while (text.size() < 150'000) text += "한";
    const auto lines = lines_of(text + "\nnext");
    REQUIRE(lines.size() == 4);
    std::string all;
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(botel::json::valid_utf8(lines[i]));
      CHECK(lines[i].size() <= 64 * 1024);
      all += lines[i];
    }
    CHECK(all == text);
    CHECK(lines[3] == "next");
  }
  // What is no text is cut all the same.
  CHECK(lines_of(std::string(100'000, '\xBF') + "\n").size() == 2);
}
