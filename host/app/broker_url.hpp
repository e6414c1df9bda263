// Where a broker is, as people write it: mqtt://HOST[:PORT] or mqtts://HOST[:PORT].
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace botel::app {

struct BrokerUrl {
  bool tls = false;
  std::string host;  // an IPv6 address without its brackets
  int port = 0;
};

[[nodiscard]] Result<BrokerUrl> parse_broker_url(std::string_view url);

}  // namespace botel::app
