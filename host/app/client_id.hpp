// The name by which a broker knows this host, and finds its session.
#pragma once

#include <string>

#include "app/data_folder.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

namespace botel::app {

// What the configuration says. Else the name under which what is in the store was served, so that the store alone is
// enough for a move. Else that of the data directory, where one is made up once. The store knows it from then on.
// `store`: null where nothing is kept.
[[nodiscard]] Result<std::string> choose_client_id(const std::string& configured, const DataFolder& folder,
                                                   store::Store* store);

}  // namespace botel::app
