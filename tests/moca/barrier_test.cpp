// Chats that make a server ask for two contacts.
#include "moca/barrier.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>

using botel::moca::Barrier;

namespace {

using Contacts = std::vector<std::string>;

std::string chat(int id, const std::string& participants, const std::string& more = "") {
  return fmt::format(R"({{"chat_id":{},"name":"A \"chat\"",{}"participants":[{}]}})", id, more, participants);
}

Barrier of(std::initializer_list<std::string> chats) {
  Barrier barrier;
  for (const auto& chat : chats) barrier.add(chat);
  return barrier;
}

}  // namespace

TEST_CASE("barrier: a group of two others will do, without its user, its other people and its last message") {
  const auto push = of({chat(7, "192168,1,2,3,4", R"("last_message":{"message_id":5},)")}).for_user("192168");
  CHECK(push.chats == "[" + chat(7, "1,2") + "]");
  CHECK(push.contacts == Contacts{"1", "2"});
}

TEST_CASE("barrier: two chats with another each will do, in the order in which they came") {
  const auto push = of({chat(7, "192168,1"), chat(8, "1,192168"), chat(9, R"("bob",192168)")}).for_user("192168");
  CHECK(push.chats == "[" + chat(7, "1") + "," + chat(9, R"("bob")") + "]");
  CHECK(push.contacts == Contacts{"1", "bob"});
}

TEST_CASE("barrier: where the user is in no chat, two are named all the same") {
  CHECK(of({chat(7, "1"), chat(8, "2"), chat(9, "3")}).for_user("192168").contacts == Contacts{"1", "2"});
  CHECK(of({chat(7, "1,2,3,4")}).for_user("192168").contacts == Contacts{"1", "2"});
}

TEST_CASE("barrier: without two others there is none") {
  CHECK(Barrier().for_user("192168").chats.empty());
  CHECK(of({chat(7, "192168,1"), chat(8, "192168,1")}).for_user("192168").chats.empty());
  CHECK(of({chat(7, R"(1,"1",1)")}).for_user("192168").chats.empty());
  CHECK(of({"", "7", "[]", "{}", R"({"participants":7})", chat(7, "")}).for_user("192168").chats.empty());
  auto barrier = of({chat(7, "1,2")});
  barrier.clear();
  CHECK(barrier.for_user("192168").chats.empty());
}

TEST_CASE("barrier: a chat of many bytes is none for it") {
  const std::string large = R"("x":")" + std::string(100'000, 'x') + "\",";
  CHECK(of({chat(7, "1,2", large), chat(8, "3,4")}).for_user("192168").contacts == Contacts{"3", "4"});
}

TEST_CASE("barrier: what it keeps makes the same again, and no more than that") {
  const auto barrier = of({chat(7, "192168,1"), chat(8, "2,3,4,5"), chat(9, "6")});
  CHECK(barrier.json() == "[" + chat(7, "192168,1") + "," + chat(8, "2") + "]");
  const auto again = of({chat(7, "192168,1"), chat(8, "2")});
  CHECK(again.json() == barrier.json());
  CHECK(again.for_user("192168").chats == barrier.for_user("192168").chats);
}
