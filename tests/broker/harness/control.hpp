// The socket by which operators speak to a host.
#pragma once

#include <filesystem>
#include <string>

namespace harness {

// What a host answers on the socket in its data directory to these bytes; empty: nothing, and it has closed the
// connection. `listen`: else nobody waits for the answer.
std::string ask(const std::filesystem::path& data, const std::string& bytes, bool listen = true);

}  // namespace harness
