// What connectors push goes to MOCA and is found again.
#include <doctest/doctest.h>

#include <fmt/ranges.h>

#include <algorithm>

#include "moca/stage.hpp"

namespace {

std::string message(int id, int chat, const std::string& time, const std::string& text) {
  return fmt::format(
      R"({{"message_id":{},"contact_id":1,"chat_id":{},"sent_datetime":"2024-05-01T{}+00:00","message":{{"type":"text","content":"{}"}}}})",
      id, chat, time, text);
}
std::string list(const Lines& items) { return fmt::format("[{}]", fmt::join(items, ",")); }

// A connector that pushes what it is told to send as a text, and looks the rest up.
struct Pushing : MocaStage {
  int sent = 0;
  Pushing() {
    configure("42", "+491711234567");
    bot.handle = [](const botel_call& call, const botel_event& event) {
      if (event.kind != BOTEL_CONNECTOR_SEND_MESSAGE) return does::look_up(call, event.reply);
      does::push(call, kind_of_chat(does::member(event.detail, "chat_id")), does::member(event.payload, "content"));
      return does::answer(call, event.reply, R"({"message":"pushed"})", 400);
    };
  }
  static std::int32_t kind_of_chat(const std::string& chat) {
    if (chat == "contacts") return BOTEL_CONNECTOR_PUSH_CONTACTS;
    return chat == "chats" ? BOTEL_CONNECTOR_PUSH_CHATS : BOTEL_CONNECTOR_PUSH_MESSAGES;
  }
  // What goes out for it.
  Lines push(const std::string& kind, const std::string& json) {
    receive(fmt::format("demo/42/{}/send_message/{}", ++sent, kind),
            fmt::format(R"({{"content":{}}})", botel::json::quoted(json)));
    Lines lines = take();
    lines.erase(lines.begin());
    return lines;
  }
  std::string ask(const std::string& command, const std::string& payload = "{}") {
    receive("demo/42/u/" + command, payload);
    const Lines lines = take();
    REQUIRE(!lines.empty());
    const std::string begin = "< demo/42/u/" + command + "/response ";
    REQUIRE(lines[0].starts_with(begin));
    return lines[0].substr(begin.size());
  }
};

}  // namespace

TEST_CASE("directory: what is looked for is found with all that was put before, when that is in the store") {
  const auto store = botel::store::Sqlite::in_memory().value();
  std::counting_semaphore<> done(0);
  botel::moca::Directory directory(*store, [&] { done.release(); });
  Lines seen;
  const auto look = [&] {
    directory.find({.actor = 1, .kind = "contact"}, [&](const auto& found) { seen = found.value(); });
  };
  const auto save = [&] {
    botel::store::Batch batch;
    directory.save(batch);
    REQUIRE(store->commit(batch));
    directory.saved();
    done.acquire();
    directory.advance();
  };
  directory.put(1, "contact", {"a", "", 0, "A"}, 1);
  look();
  directory.put(1, "contact", {"b", "", 0, "B"}, 2);
  save();
  CHECK(seen == Lines{"A", "B"});
  directory.wipe(1);
  directory.put(1, "contact", {"c", "", 0, "C"}, 3);
  look();
  save();
  CHECK(seen == Lines{"C"});
  directory.put(1, "contact", {"d", "", 0, "D"}, 4);
  directory.wipe(1);
  look();
  save();
  CHECK(seen.empty());
  CHECK(directory.idle());
}

TEST_CASE("directory: what is pushed is published and found, and one that is there is replaced") {
  Pushing stage;
  const std::string ada = R"({"contact_id":1,"id":1,"name":"Ada","username":null,"phone":null,"avatar":null})";
  const std::string eve = R"({"contact_id":1,"id":1,"name":"Eve","username":null,"phone":null,"avatar":null})";
  CHECK(stage.push("contacts", R"([{"id":1,"name":"Ada"}])") == Lines{"< moca/via/demo/42/contacts " + list({ada})});
  CHECK(stage.ask("get_contact/1") == ada);
  stage.push("contacts", R"([{"id":1,"name":"Eve"}])");
  CHECK(stage.ask("get_contact/1") == eve);  // the same request, within a minute
  CHECK(stage.ask("get_contacts").find("Ada") == std::string::npos);
  stage.push("chats", std::string(kChats));
  CHECK(stage.ask("get_chats") == kChats);
  CHECK(stage.ask("get_chat/7") == std::string(kChats.substr(1, kChats.size() - 2)));
}

TEST_CASE("directory: the own contact is known as soon as it is told") {
  Pushing stage;
  CHECK(stage.ask("get_contact/192168").find("Jon Doe") != std::string::npos);
}

TEST_CASE("directory: what nobody knows is an error, a list of nothing is one") {
  Pushing stage;
  const std::string why = "nothing is known by this id";
  stage.receive("demo/42/u/get_contact/5");
  CHECK(stage.take() == Lines{contact_error("demo/42/u/get_contact/5", 404, why)});
  stage.receive("demo/42/u/get_chat/5");
  CHECK(stage.take() == Lines{error("demo/42/u/get_chat/5", 404, why)});
  CHECK(stage.ask("get_messages/5") == "[]");
  CHECK(stage.ask("get_chats") == "[]");
  stage.push("contacts", R"([{"id":5,"name":"Ada"}])");
  CHECK(stage.ask("get_contact/5").find("Ada") != std::string::npos);
}

TEST_CASE("directory: what is wrong in a list is left out and counted, and the rest goes") {
  Pushing stage;
  const auto good = message(1, 7, "09:00:00", "a");
  CHECK(stage.push("messages", list({"7", good, R"({"message_id":2})"})) ==
        Lines{"< moca/via/demo/42/messages " + list({good})});
  CHECK(stage.push("messages", R"([{"id":1},null])").empty());
  CHECK(stage.push("chats", "[]").empty());
  CHECK(stage.count("moca_items_dropped_total") == 4);
  CHECK(stage.count("moca_items_pushed_total") == 1);
}

TEST_CASE("directory: what is no list is refused when it is pushed") {
  MocaStage stage;
  std::vector<std::int32_t> results;
  stage.bot.handle = [&](const botel_call& call, const botel_event&) {
    for (const char* payload : {"{}", "7", "", " []"})
      results.push_back(does::push(call, BOTEL_CONNECTOR_PUSH_CHATS, payload));
    results.push_back(does::emit(call, BOTEL_CONNECTOR_PUSH_CHATS, 0, "[]", BOTEL_FORMAT_TEXT));
    results.push_back(FakeBot::say(call, "no room is here"));
    return BOTEL_OK;
  };
  stage.receive("demo/configure/42");
  const auto no = BOTEL_E_INVALID;
  CHECK(results == std::vector<std::int32_t>{no, no, no, BOTEL_OK, no, BOTEL_E_UNSUPPORTED});
}

TEST_CASE("directory: the messages of a chat come from the newest on, 25 unless more are wanted, and in pages") {
  Pushing stage;
  Lines all;
  for (int i = 10; i < 40; ++i) all.push_back(message(i, 7, fmt::format("09:{}:00", i), "x"));
  stage.push("messages", list(all));
  stage.push("messages", list({message(99, 8, "10:00:00", "of another chat")}));
  std::ranges::reverse(all);
  const auto page = [&](int from, int count) { return list(Lines(all.begin() + from, all.begin() + from + count)); };
  CHECK(stage.ask("get_messages/7") == page(0, 25));
  CHECK(stage.ask("get_messages/7", R"({"limit":2})") == page(0, 2));
  CHECK(stage.ask("get_messages/7", R"({"limit":2,"before":38})") == page(2, 2));
  CHECK(stage.ask("get_messages/7", R"({"before":"15"})") == page(25, 5));
  CHECK(stage.ask("get_messages/7", R"({"before":10})") == "[]");
  CHECK(stage.ask("get_messages/7", R"({"before":1234})") == "[]");
}

TEST_CASE("directory: the old get_messages means a chat that is known, or else a message") {
  Pushing stage;
  stage.push("chats", std::string(kChats));
  stage.push("messages",
             list({message(70, 7, "09:00:00", "a"), message(71, 7, "09:01:00", "b"), message(7, 7, "09:02:00", "c")}));
  const auto old = [&](const std::string& id) {
    stage.receive("demo/users/42/get_messages/" + id);
    return stage.take()[0];
  };
  const std::string begin = "< demo/users/42/get_messages/";
  CHECK(old("7") ==
        begin + "7/response " +
            list({message(7, 7, "09:02:00", "c"), message(71, 7, "09:01:00", "b"), message(70, 7, "09:00:00", "a")}));
  CHECK(old("71") == begin + "71/response " + list({message(71, 7, "09:01:00", "b")}));
  CHECK(old("5") == begin + "5/response []");
  stage.push("messages", list({message(71, 7, "09:01:00", "edited")}));
  CHECK(old("71") == begin + "71/response " + list({message(71, 7, "09:01:00", "edited")}));
}

TEST_CASE("directory: a connector with a history of its own overrides it, also for the old get_messages of a chat") {
  Pushing stage;
  stage.push("chats", std::string(kChats));
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    return does::answer(call, event.reply, list({message(1, 7, "08:00:00", "own")}));
  };
  for (const char* topic :
       {"demo/42/u/get_messages/7", "demo/users/42/get_messages/7", "demo/users/42/get_messages/unknown"}) {
    stage.receive(topic);
    CHECK(stage.take() == Lines{answer(topic, list({message(1, 7, "08:00:00", "own")}))});
  }
}

TEST_CASE("directory: what is pushed and then looked up by the same handler is found") {
  Pushing stage;
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    does::push(call, BOTEL_CONNECTOR_PUSH_CHATS, kChats);
    return does::look_up(call, event.reply);
  };
  stage.receive("demo/42/u/get_chat/7");
  CHECK(stage.take() == Lines{fmt::format("< moca/via/demo/42/chats {}", kChats),
                              answer("demo/42/u/get_chat/7", kChats.substr(1, kChats.size() - 2))});
}

TEST_CASE("directory: connectors do not see each other's") {
  Pushing stage;
  stage.push("contacts", R"([{"id":5,"name":"Ada"}])");
  stage.receive("demo/configure/43");
  stage.bot.handle = transcript_connector;
  stage.configure("43");
  stage.receive("demo/43/u/get_contact/5");
  CHECK(stage.take() == Lines{contact_error("demo/43/u/get_contact/5", 404, "nothing is known by this id")});
}

TEST_CASE("directory: who is deleted while it is being looked up is answered once") {
  Pushing stage;
  stage.arrive("demo/42/u/get_contacts");
  ::settle(stage.runtime);  // the store has not been asked yet
  CHECK_FALSE(stage.directory.idle());
  stage.arrive("demo/42/u/delete_connector");
  stage.settle();
  CHECK(stage.take() == Lines{error("demo/42/u/get_contacts", 404, "the connector was deleted"),
                              answer("demo/42/u/delete_connector", R"({"success":true})")});
}

TEST_CASE("directory: a new connector with the same id hears nothing of what the old one was asked") {
  Pushing stage;
  stage.arrive("demo/users/42/get_messages/7");
  ::settle(stage.runtime);
  stage.arrive("demo/42/u/delete_connector");
  ::settle(stage.runtime);
  CHECK(stage.take().size() == 2);
  stage.arrive("demo/configure/42");
  stage.settle();
  CHECK(stage.take().size() == 1);
}
