// Where the copies of plugins lie that the host loads.
#pragma once

#include <filesystem>

#include "app/config.hpp"
#include "base/result.hpp"

namespace botel::app {

// A folder that is this host's alone, which plugin::Plugins makes: in the data directory or, where the configuration
// says so, elsewhere. An error: somebody else could replace it there.
[[nodiscard]] Result<std::filesystem::path> choose_plugin_copies(const Config& config);

}  // namespace botel::app
