#include "app/broker_url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace botel::app {
namespace {

Result<int> parse_port(std::string_view text) {
  int port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error == std::errc() && stop == end && port >= 1 && port <= 65535) return port;
  return failure("the port must be from 1 to 65535");
}

// Without what may follow a % in it: the network that it is on.
bool is_ipv6(std::string_view text) {
  in6_addr ignored{};
  return inet_pton(AF_INET6, std::string(text.substr(0, text.find('%'))).c_str(), &ignored) == 1;
}

// [ADDRESS] or [ADDRESS]:PORT
Result<BrokerUrl> parse_in_brackets(std::string_view text, BrokerUrl url) {
  const auto end = text.find(']');
  if (end == std::string_view::npos) return failure("a broker's URL has a [ without its ]");
  url.host = text.substr(1, end - 1);
  if (!is_ipv6(url.host)) return failure("what stands in [ ] must be an IPv6 address");
  text.remove_prefix(end + 1);
  if (text.empty()) return url;
  if (text.front() != ':') return failure("after the ] comes nothing, or a colon and the port");
  return parse_port(text.substr(1)).map([&](int port) {
    url.port = port;
    return url;
  });
}

Result<BrokerUrl> parse_address(std::string_view text, BrokerUrl url) {
  if (text.starts_with('[')) return parse_in_brackets(text, std::move(url));
  if (std::ranges::count(text, ':') > 1) return failure("an IPv6 address is written in brackets: mqtt://[::1]:1883");
  const auto colon = text.find(':');
  url.host = text.substr(0, colon);
  if (url.host.empty()) return failure("the broker's URL has no host");
  const auto is_odd = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '[' || c == ']'; };
  if (std::ranges::any_of(url.host, is_odd)) return failure("the host of a broker's URL has no blanks and no brackets");
  if (colon == std::string_view::npos) return url;
  return parse_port(text.substr(colon + 1)).map([&](int port) {
    url.port = port;
    return url;
  });
}

}  // namespace

Result<BrokerUrl> parse_broker_url(std::string_view url) {
  constexpr std::string_view plain = "mqtt://", secure = "mqtts://";
  const bool tls = url.starts_with(secure);
  if (!tls && !url.starts_with(plain)) return failure("a broker is written mqtt://HOST:PORT or mqtts://HOST:PORT");
  url.remove_prefix(tls ? secure.size() : plain.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.find('@') != std::string_view::npos) {
    return failure("a broker's URL has no user or password: they are set apart");
  }
  if (url.find('/') != std::string_view::npos) return failure("a broker's URL has no path");
  return parse_address(url, {tls, "", tls ? 8883 : 1883});
}

}  // namespace botel::app
