// Who may include whom: reads the table in docs/architecture.md and the sources, and names each breach.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Rooms = std::map<std::string, std::set<std::string>>;

const fs::path kRoot = BOTEL_SOURCE_DIR;

std::set<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::set<std::string> result;
  for (std::string word; in >> word;) result.insert(word);
  return result;
}

// The rows `| room | rooms it may include |` below the heading "Who may include whom".
Rooms read_table() {
  std::ifstream in(kRoot / "docs/architecture.md");
  Rooms rooms;
  bool here = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("## ")) here = line == "## Who may include whom";
    if (!here || !line.starts_with("| `")) continue;
    std::erase(line, '`');
    std::erase(line, ',');
    const auto middle = line.find('|', 1);
    const auto end = line.find('|', middle + 1);
    for (const auto& room : words(line.substr(1, middle - 1)))
      rooms[room] = words(line.substr(middle + 1, end - middle - 1));
  }
  return rooms;
}

std::string path_of_include(const std::string& line) {
  const auto open = line.find_first_of("<\"");
  if (!line.starts_with("#include") || open == std::string::npos) return "";
  return line.substr(open + 1, line.find_first_of(">\"", open + 1) - open - 1);
}

// The first folder of an include, where that is one of the house's rooms. "sdk" is what <botel/...> leads to.
std::string room_of_include(const std::string& line, const Rooms& rooms) {
  const std::string path = path_of_include(line);
  const auto room = path.substr(0, path.find('/'));
  if (room == "botel") return "sdk";
  return path.find('/') != std::string::npos && rooms.contains(room) ? room : "";
}

std::string room_of_file(const fs::path& file) {
  const fs::path relative = fs::relative(file, kRoot);
  const auto top = relative.begin()->string();
  return top == "host" && relative.has_parent_path() && std::distance(relative.begin(), relative.end()) > 2
             ? std::next(relative.begin())->string()
             : top;
}

std::vector<std::string> breaches(const Rooms& rooms) {
  std::vector<std::string> found;
  for (const char* folder : {"sdk", "host", "plugins"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".hpp" && extension != ".cpp" && extension != ".h" && extension != ".c") continue;
      // A plugin's test stands beside it.
      if (entry.path().stem().string().ends_with("_test")) continue;
      const std::string room = room_of_file(entry.path());
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        const std::string other = room_of_include(line, rooms);
        if (other.empty() || other == room || room == "host") continue;
        // A room as a whole, or one header of it.
        const auto allowed = rooms.contains(room) ? rooms.at(room) : std::set<std::string>();
        if (!allowed.contains(other) && !allowed.contains(path_of_include(line))) {
          found.push_back(fs::relative(entry.path(), kRoot).string() + " includes " + other);
        }
      }
    }
  }
  return found;
}

// Libraries that have one user, so that they can be replaced in one place.
std::vector<std::string> strangers() {
  const std::map<std::string, std::string> homes = {
      {"mosquitto.h", "mqtt"}, {"boost/dll", "plugin"}, {"spdlog", "base"},   {"toml++", "app"}, {"rapidjson", "base"},
      {"SQLiteCpp", "store"},  {"sqlite3.h", "store"},  {"valijson", "base"}, {"re2/", "base"}};
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "host")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      for (const auto& [library, home] : homes) {
        if (line.starts_with("#include") && line.find(library) != std::string::npos &&
            room_of_file(entry.path()) != home) {
          found.push_back(fs::relative(entry.path(), kRoot).string() + " includes " + library);
        }
      }
    }
  }
  return found;
}

}  // namespace

TEST_CASE("house: no room includes another that it may not") {
  const Rooms rooms = read_table();
  REQUIRE(rooms.contains("base"));
  REQUIRE(rooms.contains("gitple"));
  for (const auto& breach : breaches(rooms)) FAIL_CHECK(breach);
}

TEST_CASE("house: every room of the host is in the table") {
  const Rooms rooms = read_table();
  for (const auto& entry : fs::directory_iterator(kRoot / "host")) {
    if (entry.is_directory()) CHECK_MESSAGE(rooms.contains(entry.path().filename()), entry.path().filename().string());
  }
}

TEST_CASE("house: libraries with one user keep to it") {
  for (const auto& stranger : strangers()) FAIL_CHECK(stranger);
}

TEST_CASE("house: no thread_local of the host has a destructor: its first use would wait for a plugin's constructor") {
  std::ifstream in(BOTEL_EXECUTABLE, std::ios::binary);
  std::ostringstream program;
  program << in.rdbuf();
  REQUIRE(program.str().find("pthread_create") != std::string::npos);
  CHECK(program.str().find("__cxa_thread_atexit") == std::string::npos);
}
