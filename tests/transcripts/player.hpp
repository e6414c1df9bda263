// Plays tests/transcripts/*/*.md: what comes in, and what must go out.
#pragma once

#include <doctest/doctest.h>

#include <fmt/ranges.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace transcripts {

using Lines = std::vector<std::string>;

struct Transcript {
  std::string title;  // file and heading
  Lines lines;        // of its code blocks
};

inline std::vector<Transcript> read(const std::filesystem::path& file) {
  std::vector<Transcript> transcripts;
  std::ifstream in(file);
  bool code = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      code = !code;
    } else if (!code && line.starts_with("## ")) {
      transcripts.push_back({file.filename().string() + ": " + line.substr(3), {}});
    } else if (code && !transcripts.empty() && !line.empty()) {
      transcripts.back().lines.push_back(line);
    }
  }
  return transcripts;
}

// What lines out of a host and payloads into it stand for in a transcript.
struct Words {
  std::string (*out)(std::string line) = [](std::string line) { return line; };
  std::string (*in)(std::string payload) = [](std::string payload) { return payload; };
};

// `Stage`: a host with receive(topic, payload), pass(time) and take().
template <class Stage>
void play(const Transcript& transcript, const Words& words) {
  CAPTURE(transcript.title);
  Stage stage;
  Lines expected;
  const auto compare = [&] {
    Lines seen;
    for (auto& line : stage.take()) seen.push_back(words.out(std::move(line)));
    CHECK(fmt::format("{}", fmt::join(seen, "\n")) == fmt::format("{}", fmt::join(expected, "\n")));
    expected.clear();
  };
  for (const std::string& line : transcript.lines) {
    if (line.starts_with("> ")) {
      compare();
      const auto space = line.find(' ', 2);
      stage.receive(line.substr(2, space - 2), words.in(line.substr(space + 1)));
    } else if (line.starts_with("~ ")) {
      compare();
      const bool milliseconds = line.ends_with(" ms");
      stage.pass(std::chrono::milliseconds(std::stol(line.substr(2)) * (milliseconds ? 1 : 1000)));
    } else {
      expected.push_back(line);
    }
  }
  compare();
}

// How many there are in a folder of tests/transcripts.
template <class Stage>
int play_all(const std::string& folder, const Words& words = {}) {
  int played = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BOTEL_SOURCE_DIR "/tests/transcripts/" + folder)) {
    for (const auto& transcript : read(entry.path())) {
      play<Stage>(transcript, words);
      ++played;
    }
  }
  return played;
}

}  // namespace transcripts
