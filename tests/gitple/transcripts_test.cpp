// Plays tests/transcripts/*.md: what comes in, and what must go out.
#include <doctest/doctest.h>

#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>

#include "gitple/stage.hpp"

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

struct Transcript {
  std::string title;  // file and heading
  Lines lines;        // of its code blocks
};

std::vector<Transcript> read(const fs::path& file) {
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

// A bot's own requests have ids of the host's choice: the transcript calls the last one ID.
std::string last_id;
std::string with_id(std::string line) {
  if (const auto at = line.find(R"("id":"botel-)"); at != std::string::npos) {
    const auto begin = at + 6;
    last_id = line.substr(begin, line.find('"', begin) - begin);
    line.replace(begin, last_id.size(), "ID");
  }
  return line;
}

void play(const Transcript& transcript) {
  CAPTURE(transcript.title);
  GitpleStage stage;
  Lines expected;
  const auto compare = [&] {
    Lines seen;
    for (auto& line : stage.take()) seen.push_back(with_id(std::move(line)));
    CHECK(fmt::format("{}", fmt::join(seen, "\n")) == fmt::format("{}", fmt::join(expected, "\n")));
    expected.clear();
  };
  for (std::string line : transcript.lines) {
    if (line.starts_with("> ")) {
      compare();
      const auto space = line.find(' ', 2);
      std::string payload = line.substr(space + 1);
      if (const auto at = payload.find(R"("id":"ID")"); at != std::string::npos) payload.replace(at + 6, 2, last_id);
      stage.receive(line.substr(2, space - 2), payload);
    } else if (line.starts_with("~ ")) {
      compare();
      stage.pass(std::chrono::seconds(std::stol(line.substr(2))));
    } else {
      expected.push_back(line);
    }
  }
  compare();
}

}  // namespace

TEST_CASE("gitple: the transcripts hold") {
  int played = 0;
  for (const auto& entry : fs::directory_iterator(BOTEL_SOURCE_DIR "/tests/transcripts")) {
    for (const auto& transcript : read(entry.path())) {
      play(transcript);
      ++played;
    }
  }
  CHECK(played >= 20);
}
