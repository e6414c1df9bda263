// What libmosquitto's error codes mean, as sentences.
#pragma once

#include <string>

namespace botel::mqtt {

// An error of libmosquitto's functions (mosq_err_t), right after the call: some are in errno.
[[nodiscard]] std::string describe(int error);

}  // namespace botel::mqtt
