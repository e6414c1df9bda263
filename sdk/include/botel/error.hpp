// The exception of the SDK.
#pragma once

#include <stdexcept>

namespace botel {

// Why a handler failed. Any exception that leaves a handler undoes all that it did.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace botel
