#include "base/schema_formats.hpp"

#include <arpa/inet.h>
#include <re2/re2.h>

#include <chrono>
#include <string>

namespace botel::schema {
namespace {

bool matches(std::string_view text, const RE2& pattern) {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

bool date(std::string_view text) {
  static const RE2 pattern(R"((\d{4})-(\d\d)-(\d\d))");
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern, &year, &month, &day) &&
         std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)).ok();
}

// RFC 3339, which wants an offset, and allows a 60th second.
bool time(std::string_view text) {
  static const RE2 pattern(R"(([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d))");
  return matches(text, pattern);
}

bool date_time(std::string_view text) {
  return text.size() > 11 && (text[10] == 'T' || text[10] == 't') && date(text.substr(0, 10)) && time(text.substr(11));
}

bool hostname(std::string_view text) {
  static const RE2 pattern(
      R"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*)");
  return text.size() <= 253 && matches(text, pattern);
}

bool email(std::string_view text) {
  static const RE2 local(R"([\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*)");
  const auto at = text.rfind('@');
  return at != std::string_view::npos && at <= 64 && matches(text.substr(0, at), local) &&
         hostname(text.substr(at + 1));
}

template <int family>
bool address(std::string_view text) {
  unsigned char bytes[sizeof(in6_addr)];
  // inet_pton() reads to the first NUL.
  return text.find('\0') == std::string_view::npos && inet_pton(family, std::string(text).c_str(), bytes) == 1;
}

// RFC 3986, appendix A.
const std::string kCharacter = R"(([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}))";
const std::string kAuthority = R"((([A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?)"                  // user
                               R"((\[[0-9A-Fa-f:.]+\]|([A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*))"  // host
                               R"((:\d*)?)";
const std::string kRooted =
    "//" + kAuthority + "(/" + kCharacter + "*)*|/(" + kCharacter + "+(/" + kCharacter + "*)*)?";
const std::string kBehind = R"((\?()" + kCharacter + R"(|[/?])*)?(#()" + kCharacter + R"(|[/?])*)?)";

bool uri(std::string_view text) {
  static const RE2 pattern("[A-Za-z][A-Za-z0-9+.-]*:(" + kRooted + "|(" + kCharacter + "+(/" + kCharacter + "*)*)?)" +
                           kBehind);
  return matches(text, pattern);
}

bool uri_reference(std::string_view text) {
  // What begins a relative path holds no colon, or it would be a scheme.
  static const RE2 pattern(R"(()" + kRooted + R"(|(([A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+(/)" + kCharacter +
                           "*)*)?)" + kBehind);
  return matches(text, pattern) || uri(text);
}

bool uuid(std::string_view text) {
  static const RE2 pattern("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}");
  return matches(text, pattern);
}

bool json_pointer(std::string_view text) {
  static const RE2 pattern("(?s)(/([^~/]|~[01])*)*");
  return matches(text, pattern);
}

bool regex(std::string_view text) { return RE2(re2::StringPiece(text.data(), text.size()), RE2::Quiet).ok(); }

constexpr Format kFormats[] = {
    {"date", date, "is not a date, such as 2024-12-31"},
    {"time", time, "is not a time with its offset, such as 23:59:00Z"},
    {"date-time", date_time, "is not a date and time, such as 2024-12-31T23:59:00Z"},
    {"email", email, "is not an email address"},
    {"hostname", hostname, "is not a host name"},
    {"ipv4", address<AF_INET>, "is not an IPv4 address"},
    {"ipv6", address<AF_INET6>, "is not an IPv6 address"},
    {"uri", uri, "is not a URI, such as https://example.com/"},
    {"uri-reference", uri_reference, "is neither a URI nor a relative one"},
    {"uuid", uuid, "is not a UUID"},
    {"json-pointer", json_pointer, "is not a JSON pointer"},
    {"regex", regex, "is not a regular expression that RE2 knows"},
};

}  // namespace

const Format* find_format(std::string_view name) {
  for (const auto& format : kFormats) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

}  // namespace botel::schema
