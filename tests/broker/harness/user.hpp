// The real program as another user, who has no privileges.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "harness/process.hpp"

namespace harness {

// What a command begins with that a user of this id shall run; nothing where the test may not do that.
[[nodiscard]] std::vector<std::string> as_user(uid_t user);

// As a user of this id, where the test may do that, else as the test's own. `home` is made for it, with the host's data
// directory; it is what HostOptions::executable wants.
[[nodiscard]] std::string program_as(uid_t user, const TempDir& dir, const std::filesystem::path& home);

}  // namespace harness
