#include "harness/user.hpp"

#include <unistd.h>

#include <stdexcept>

namespace harness {

namespace fs = std::filesystem;

std::vector<std::string> as_user(uid_t user) {
  if (geteuid() != 0) return {};
  const std::string id = std::to_string(user);
  return {"setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups"};
}

std::string program_as(uid_t user, const TempDir& dir, const fs::path& home) {
  if (geteuid() != 0) return BOTEL_EXECUTABLE;
  fs::permissions(dir.path(), fs::perms(0755));
  fs::create_directories(home / "data");
  if (chown((home / "data").c_str(), user, user) != 0) throw std::runtime_error("chown: " + home.string());
  std::string command = "exec";
  for (const auto& word : as_user(user)) command += " " + word;
  const fs::path program = dir / "botel-as-another-user";
  write_file(program, "#!/bin/sh\n" + command + " " BOTEL_EXECUTABLE " \"$@\"\n");
  fs::permissions(program, fs::perms(0755));
  return program.string();
}

}  // namespace harness
