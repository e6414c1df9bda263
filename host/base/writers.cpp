#include "base/writers.hpp"

#include <unistd.h>

namespace botel {

Result<> check_writers(const struct stat& found, std::string_view setting) {
  if (found.st_uid != 0 && found.st_uid != geteuid()) {
    return failure("it belongs to the user {}, which is neither root nor the host's; `{} = true` in [host] trusts it",
                   found.st_uid, setting);
  }
  if (found.st_mode & (S_IWGRP | S_IWOTH)) {
    return failure("others may write to it: `chmod go-w` helps, or `{} = true` in [host] where it cannot be changed",
                   setting);
  }
  return {};
}

}  // namespace botel
