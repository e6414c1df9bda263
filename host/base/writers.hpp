// Who may change a file, or what is in a folder. Whoever may do that where plugins lie can run any code as the host.
#pragma once

#include <sys/stat.h>

#include <string_view>

#include "base/result.hpp"

namespace botel {

// Whether only root and this process's user may; otherwise the reason. `setting`: of the configuration, which allows
// others, too.
[[nodiscard]] Result<> check_writers(const struct stat& found, std::string_view setting);

}  // namespace botel
