#include "cli/connect_reply.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.hpp"
#include "base/log.hpp"

namespace botel::cli {
namespace {

using json::Document;
using json::Kind;

constexpr std::size_t kMostFaults = 100;
constexpr std::size_t kLongestError = 500;  // bytes

Document inside(const Document& object, std::string_view key) {
  const auto value = object.find(key);
  auto document = value ? json::read(value->raw) : failure("");
  return document ? std::move(*document) : Document();
}

// "no connector has this id (404)"; empty: it is no error.
std::string read_error(const Document& reply) {
  const auto value = reply.present("error");
  if (!value) return "";
  const Document error = inside(reply, "error");
  const std::string message = json::text(error, "message"), code = json::text(error, "code");
  const std::string text = message.empty() ? json::text(*value) : message;
  return log::printable(text.empty() ? "an error without a message" : text, kLongestError) +
         (code.empty() ? "" : " (" + log::printable(code) + ")");
}

// The text and the published server have it in different places.
std::string read_contact(const Document& reply) {
  Document contact = inside(reply, "contact");
  if (contact.members.empty()) contact = inside(inside(reply, "data"), "contact");
  std::vector<std::string> details;
  for (const char* const key : {"username", "phone"}) {
    if (const auto detail = json::text(contact, key); !detail.empty()) details.push_back(log::printable(detail));
  }
  const std::string name = log::printable(json::text(contact, "name"));
  if (details.empty()) return name;
  return fmt::format("{}{}({})", name, name.empty() ? "" : " ", fmt::join(details, ", "));
}

std::vector<ConnectForm::Fault> read_faults(const Document& reply) {
  std::vector<ConnectForm::Fault> faults;
  for (const auto& element : inside(reply, "errors").elements) {
    const auto fault = json::read(element.raw);
    if (fault && fault->root.is(Kind::object))
      faults.push_back({json::text(*fault, "pointer"), json::text(*fault, "message")});
    if (faults.size() == kMostFaults) break;
  }
  return faults;
}

Result<Document> read_object(std::string_view payload) {
  auto document = json::read(payload);
  if (!document || !document->root.is(Kind::object)) return failure("the answer is no JSON object");
  return document;
}

}  // namespace

Result<ConnectReply> read_connect_reply(std::string_view payload) {
  const auto document = read_object(payload);
  if (!document) return tl::unexpected(document.error());
  ConnectReply reply;
  reply.error = read_error(*document);
  if (!reply.error.empty()) return reply;
  reply.step = json::text(*document, "step");
  reply.finished = reply.step == "finished";
  if (reply.finished) {
    reply.contact = read_contact(*document);
    return reply;
  }
  const auto schema = document->find("schema");
  if (reply.step.empty() || !schema) return failure("the answer is neither a step nor an error");
  // A text that holds the schema is what the protocol's table might be taken to mean.
  reply.schema = json::text(*schema);
  reply.faults = read_faults(*document);
  return reply;
}

// An error is a list of one.
Result<> read_delete_reply(std::string_view payload) {
  const auto list = json::read(payload);
  const bool is_list = list && list->elements.size() == 1;
  const auto document = read_object(is_list ? list->elements.front().raw : payload);
  if (!document) return tl::unexpected(document.error());
  const std::string error = read_error(*document);
  const auto success = document->find("success");
  if (!error.empty()) return tl::unexpected(error);
  if (success && success->raw != "true") return failure("the service does not delete it");
  return {};
}

}  // namespace botel::cli
