// What a service answers to MOCA when a connector is configured, or deleted. Pure functions on bytes; docs/moca.md is
// the format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/connect_form.hpp"

namespace botel::cli {

struct ConnectReply {
  std::string error;  // for people; empty: it is none
  bool finished = false;
  std::string contact;  // of one that is finished, for people: "Jon Doe (jon.doe, +491711234567)"
  std::string step;     // its name
  std::string schema;   // JSON
  std::vector<ConnectForm::Fault> faults;
};

// An error: it makes no sense.
[[nodiscard]] Result<ConnectReply> read_connect_reply(std::string_view payload);

// Whether a connector was deleted; why not.
[[nodiscard]] Result<> read_delete_reply(std::string_view payload);

}  // namespace botel::cli
