#include "moca/topics.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include <fmt/format.h>

using namespace botel::moca;
using std::string_literals::operator""s;

namespace {

// COMMAND TYPE ID [ARGUMENT] [CHAT] [URI], or what becomes of what is no request.
std::string read(const std::string& text) {
  const Topic topic = parse_topic(text);
  if (!topic.command) return topic.has_answers ? "answered" : "counted";
  std::string line = fmt::format("{} {} {}", name(*topic.command), topic.type, topic.id);
  if (!topic.argument.empty()) line += " argument=" + topic.argument;
  if (!topic.chat.empty()) line += " chat=" + topic.chat;
  if (!topic.uri.empty()) line += " uri=" + topic.uri;
  return line;
}

struct Case {
  std::string topic, expected;
};

void check(std::initializer_list<Case> cases) {
  for (const auto& [topic, expected] : cases) {
    CAPTURE(topic);
    CHECK(read(topic) == expected);
  }
}

}  // namespace

TEST_CASE("moca topics: the forms of the text") {
  check({{"demo/configure/42", "configure demo 42"},
         {"demo/users/42/get_chats", "get_chats demo 42"},
         {"demo/users/42/get_contacts", "get_contacts demo 42"},
         {"demo/users/42/send_message", "send_message demo 42"},
         {"demo/users/42/delete", "delete demo 42"},
         {"demo/users/42/get_messages/7", "get_old_messages demo 42 argument=7"},
         {"demo/users/42/get_contact/7", "get_contact demo 42 argument=7"},
         {"demo/42/u/get_contacts", "get_contacts demo 42"},
         {"demo/42/u/get_contact/7", "get_contact demo 42 argument=7"},
         {"demo/42/u/get_chats", "get_chats demo 42"},
         {"demo/42/u/get_chat/7", "get_chat demo 42 argument=7"},
         {"demo/42/u/get_messages/7", "get_messages demo 42 argument=7"},
         {"demo/42/u/send_message/7", "send_message demo 42 argument=7"},
         {"demo/42/u/delete_connector", "delete demo 42"}});
}

TEST_CASE("moca topics: the forms of the published server") {
  check({{"demo/42/u/configure", "configure demo 42"},
         {"demo/42/u/send_message", "send_message demo 42"},
         {"demo/42/u/chats/7/messages/70/get_media", "get_media demo 42 argument=70 chat=7"},
         {"demo/42/u/get_media_file/cat.jpg", "get_media demo 42 uri=cat.jpg"},
         {"demo/42/u/get_media_file/a/b//c", "get_media demo 42 uri=a/b//c"}});
}

TEST_CASE("moca topics: what is no request of the new form is answered, and so are the others where a form is told") {
  check({{"demo/42/u/fly", "answered"},
         {"demo/42/u/get_contact", "answered"},
         {"demo/42/u/get_contact/", "answered"},
         {"demo/42/u/get_contact/7/8", "answered"},
         {"demo/42/u/get_contacts/7", "answered"},
         {"demo/42/u/delete", "answered"},
         {"demo/42/u/chats/7/messages/70/get_media/x", "answered"},
         {"demo/42/u/chats//messages/70/get_media", "answered"},
         {"demo/42/u/get_media_file", "answered"},
         {"demo/42/u/get_media_file/", "answered"},
         {"demo/42/u/get_media_file/" + std::string(2049, 'a'), "answered"},
         {"demo/42/u/", "answered"},
         {"demo//u/get_chats", "answered"},
         {"demo/42//get_chats", "answered"},
         {"////", "answered"},
         {"demo/users/42/fly", "answered"},
         {"demo/users/42/get_chat/7", "answered"},
         {"demo/users//get_chats", "answered"},
         {"demo/configure/", "answered"},
         {"demo", "counted"},
         {"demo/", "counted"},
         {"demo/42", "counted"},
         {"demo/42/u", "counted"},
         {"demo/configure/42/x", "counted"},
         {"demo/users/42", "counted"},
         {"", "counted"}});
}

TEST_CASE("moca topics: nobody may be called users or configure") {
  check({{"demo/configure/users", "answered"},
         {"demo/configure/configure", "answered"},
         {"demo/users/configure/get_chats", "answered"},
         {"demo/users/users/get_chats", "answered"},
         {"demo/configure/u/get_chats", "counted"}});
}

TEST_CASE("moca topics: an id has to fit into a topic") {
  const std::string longest(kLongestId, 'x');
  check({{"demo/" + longest + "/u/get_chats", "get_chats demo " + longest},
         {"demo/" + longest + "x/u/get_chats", "answered"},
         {"demo/configure/" + std::string(10'240, '4'), "answered"},
         {"demo/42/u/get_contact/" + std::string(10'240, '4'), "answered"},
         {"demo/4+2/u/get_chats", "answered"},
         {"demo/4#2/u/get_chats", "answered"},
         {"demo/4\0002/u/get_chats"s, "answered"},
         {"demo/4\n2/u/get_chats", "answered"},
         {"demo/4\x7f"
          "2/u/get_chats",
          "answered"},
         {"demo/4\xff/u/get_chats", "answered"},
         {"demo/4\xc2\x85/u/get_chats", "answered"},      // a control character, U+0085
         {"demo/4\xef\xbf\xbf/u/get_chats", "answered"},  // no character, U+FFFF
         {"demo/J\xc3\xb6rg/u/get_chats", "get_chats demo J\xc3\xb6rg"},
         {"demo/42/u/get_contact/a+b", "answered"}});
}

TEST_CASE("moca topics: a service may be called what may begin a topic, but s and moca") {
  for (const char* good : {"demo", "telegram", "S", "moca2", "a b"}) CHECK(valid_type(good));
  for (const char* bad : {"", "s", "moca", "$SYS", "a/b", "a+", "#"}) CHECK_FALSE(valid_type(bad));
}

TEST_CASE("moca topics: answers of our own are known by their last level") {
  for (const char* own : {"demo/42/u/get_chats/response", "demo/42/u/x/keepalive", "demo/response", "/response"}) {
    CHECK(is_echo(own));
  }
  for (const char* other : {"demo/42/u/get_chats", "response", "demo/42/u/responses", "demo/42/response/get_chats"}) {
    CHECK_FALSE(is_echo(other));
  }
}

TEST_CASE("moca topics: each command has a name of its own, by which it is found again") {
  for (const Command command :
       {Command::configure, Command::get_contacts, Command::get_contact, Command::get_chats, Command::get_chat,
        Command::get_messages, Command::get_old_messages, Command::send_message, Command::remove, Command::get_media}) {
    CHECK(command_of(name(command)) == command);
  }
  CHECK(command_of("fly") == std::nullopt);
}
