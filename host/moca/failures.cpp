#include "moca/failures.hpp"

#include <fmt/format.h>

#include "moca/items.hpp"

namespace botel::moca {
namespace {

// Whatever was asked: the servers can make no id of a list, take null for the end of media, and no list for their type.
constexpr std::string_view kFailure =
    R"({"message_id":[],"step":"error","success":false,"data":null,"filename":null,"mime":[],"avatar":[]})";

}  // namespace

std::string failure_as_json(const Topic& topic, int code, std::string_view why) {
  if (topic.command == Command::get_contact) return with_error(unknown_contact(topic.argument), code, why);
  const std::string failure = with_error(kFailure, code, why);
  // Any object means that the connector is deleted.
  return topic.command == Command::remove ? "[" + failure + "]" : failure;
}

std::string with_error(std::string_view object, int code, std::string_view why) {
  std::string json = error_as_json(code, why);
  json.back() = ',';
  return json.append(object.substr(1));
}

std::string unknown_contact(std::string_view id) {
  return fmt::format(R"({{"contact_id":{0},"id":{0},"name":{1},"username":null,"phone":null,"avatar":null}})",
                     id_as_json(id), json::quoted(id));
}

}  // namespace botel::moca
