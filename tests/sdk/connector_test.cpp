// What connector.hpp promises to the author of a connector.
#include <botel/testing.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using botel::Account;
using botel::Answer;
using botel::ChatMessage;
using botel::Content;
using botel::GivenId;
using botel::Reply;
using botel::testing::Lines;
using botel::testing::Moca;

namespace {

// Is configured at once, and does nothing else.
struct Quiet : botel::Connector {
  void on_configure(Account& account, const Answer&, Reply reply) override {
    account.finish(reply, {.id = 1, .name = "Me"});
  }
};

// Says what it was called with, as an error.
struct Parrot : Quiet {
  void on_get_contacts(Account& account, Reply reply) override { account.fail(reply, "contacts"); }
  void on_get_contact(Account& account, const GivenId& id, Reply reply) override {
    account.fail(reply, "contact " + id.text());
  }
  void on_get_chats(Account& account, Reply reply) override { account.fail(reply, "chats"); }
  void on_get_chat(Account& account, const GivenId& id, Reply reply) override {
    account.fail(reply, "chat " + id.text());
  }
  void on_get_messages(Account& account, const botel::Page& page, Reply reply) override {
    account.fail(reply, page.chat.text() + " before " + page.before.text() + ", " + std::to_string(page.limit));
  }
  void on_get_media(Account& account, const botel::MediaRequest& request, Reply reply) override {
    account.fail(reply, request.chat.text() + "|" + request.message.text() + "|" + request.uri + "|" +
                            std::to_string(request.offset) + "|" + std::to_string(request.limit));
  }
  void on_send_message(Account& account, const botel::Outgoing& outgoing, Reply reply) override {
    CHECK(outgoing.content.json() == outgoing.json);
    account.fail(reply, "to " + outgoing.chat.text() + ": " + outgoing.content.body);
  }
  void on_timer(Account& account, std::uint64_t tag) override { account.log("timer " + std::to_string(tag)); }
  void on_delete(Account& account) override { account.log("deleted"); }
  void on_resumed(Account& account, botel::milliseconds away) override {
    account.log("away for " + std::to_string(away.count()));
  }
  void on_reset(Account& account) override { account.log("reset"); }
};

const botel::Contact kContact{.id = 5, .name = "Ann"};
const botel::Chat kChat{.id = 7, .name = "Us", .participants = {1, 5}};
const ChatMessage kMessage{.id = 9, .chat = 7, .contact = 5, .sent = {}, .content = Content::text("hi")};
const std::string kMessageJson =
    R"({"message_id":9,"contact_id":5,"chat_id":7,)"
    R"("sent_datetime":"1970-01-01T00:00:00+00:00","message":{"type":"text","content":"hi"}})";

// Answers with what there is.
struct Full : Quiet {
  void on_get_contacts(Account& account, Reply reply) override { account.answer(reply, std::vector{kContact}); }
  void on_get_contact(Account& account, const GivenId&, Reply reply) override { account.answer(reply, kContact); }
  void on_get_chats(Account& account, Reply reply) override { account.answer(reply, std::vector{kChat, kChat}); }
  void on_get_chat(Account& account, const GivenId&, Reply reply) override { account.answer(reply, kChat); }
  void on_get_messages(Account& account, const botel::Page&, Reply reply) override {
    account.answer(reply, std::vector<ChatMessage>());
  }
  void on_send_message(Account& account, const botel::Outgoing&, Reply reply) override {
    account.answer(reply, kMessage);
    account.push(kContact);
    account.push(kChat);
    account.push(kMessage);
  }
};

// Does what it is told by the text of a message.
struct Servant : Quiet {
  void on_send_message(Account& account, const botel::Outgoing& outgoing, Reply reply) override {
    const std::string& order = outgoing.content.body;
    if (order == "who") account.log(account.type() + " " + account.id() + " " + std::string(account.address()));
    if (order == "keep") account.keep_secret("token", "s3cret");
    if (order == "forget") account.forget_secret("token");
    if (order == "nameless") account.keep_secret("", "x");
    if (order == "long") account.keep_secret("token", std::string(64 * 1024 + 1, 'x'));
    if (order == "secret") account.log("<" + std::string(account.secret("token")) + ">");
    if (order == "throw") throw std::runtime_error("surprise");
    if (order == "retry" && account.event().attempt == 1) throw botel::RetryAfter{500ms};
    if (order == "bad contact") account.push(botel::Contact{.id = 1, .name = "\xff"});
    if (order == "no participants") account.push(botel::Chat{.id = 1, .name = ""});
    if (order == "codes") account.fail(reply, "code", outgoing.chat == 200 ? 200 : 0);
    if (order == "later") return account.save(botel::json::Object().number("reply", reply.token).json());
    account.fail(reply, order, 418);
  }
  void on_timer(Account& account, std::uint64_t) override {
    const Reply reply(botel::json::number(botel::json::parse(account.state()), "reply"));
    account.answer(reply, kMessage);
  }
};

// Asks for whatever the test wants.
struct Asking : botel::Connector {
  static inline botel::Step step{"none"};
  void on_configure(Account& account, const Answer& answer, Reply reply) override {
    if (answer.step.empty()) return account.ask(reply, step);
    account.fail(reply, answer.step + " " + std::string(answer.json), 400);
  }
};

// Gives pieces of what the test says.
struct Giving : Quiet {
  static inline std::string whole;
  void on_get_media(Account& account, const botel::MediaRequest& request, Reply reply) override {
    if (request.uri == "nothing, and more") return account.media_piece(reply, {}, true);
    if (request.uri == "shrinks") {
      botel::MediaRequest later = request;
      later.offset = 9;
      return account.media(reply, later, "short", "a", "b");
    }
    if (request.uri == "too much") return account.media_piece(reply, std::string((1 << 20) + 1, 'x'), false);
    account.media(reply, request, whole, "a \"b\".bin", "application/octet-stream");
  }
};

}  // namespace

// Both kinds in one plugin.
struct Hello : botel::Bot {
  void on_start(botel::Room& room) override { room.say("hello"); }
};
BOTEL_PLUGIN(botel::bot<Hello>("hello", "1.0.0"), botel::connector<Quiet>("quiet", "2.0.0", {.schema_written = 3}));

TEST_CASE("connector: a plugin may have bots and connectors") {
  REQUIRE(botel_entry_v1.count == 2);
  CHECK(botel_note_v1.items[0].kind == BOTEL_BOT);
  CHECK(botel_note_v1.items[1].kind == BOTEL_CONNECTOR);
  CHECK(botel_note_v1.items[1].id == std::string("quiet"));
  CHECK(botel_note_v1.items[1].schema_written == 3);
  CHECK(botel::testing::Talk(botel::testing::the_bot(botel_entry_v1)).start() == "say hello");
  CHECK(Moca(botel::testing::the_connector(botel_entry_v1)).configure() == R"(finished: {"id":1,"name":"Me"})");
  CHECK_THROWS_AS(botel::testing::the_connector(botel_entry_v1, "hello"), botel::Error);
  CHECK_THROWS_AS(botel::testing::the_bot(botel_entry_v1, "quiet"), botel::Error);
}

TEST_CASE("connector: each event reaches its function with all that it holds") {
  Moca moca(botel::connector<Parrot>("test", "1.0.0"));
  moca.configure();
  CHECK(moca.get_contacts() == "error 500: contacts");
  CHECK(moca.get_contact("ann") == "error 500: contact ann");
  CHECK(moca.get_chats() == "error 500: chats");
  CHECK(moca.get_chat(7) == "error 500: chat 7");
  CHECK(moca.get_messages(7) == "error 500: 7 before , 25");
  CHECK(moca.get_messages(7, 9, 3) == "error 500: 7 before 9, 3");
  CHECK(moca.get_media(7, 9) == "error 500: 7|9||0|1048576");
  CHECK(moca.get_media_file("a/b.jpg") == "error 500: ||a/b.jpg|0|1048576");
  CHECK(moca.send(7, "hi") == "error 500: to 7: hi");
  CHECK(moca.send("x", Content::image("cat", "/u")) == "error 500: to x: cat");
  moca.timer(UINT64_MAX);
  moca.resumed(5min);
  moca.reset();
  CHECK(moca.remove() == "deleted");
  CHECK(moca.log() == std::vector<std::string>{"timer 18446744073709551615", "away for 300000", "reset", "deleted"});
}

TEST_CASE("connector: what it does not answer, the directory does; there are no media, and nothing can be sent") {
  Moca moca(botel::connector<Quiet>("test", "1.0.0"));
  moca.configure();
  CHECK(moca.get_contacts() == R"(from the directory: [{"contact_id":1,"name":"Me"}])");
  CHECK(moca.get_contact(1) == R"(from the directory: {"contact_id":1,"name":"Me"})");
  CHECK(moca.get_contact(2) == "error 404: nothing is known by this id");
  CHECK(moca.get_chats() == "from the directory: []");
  CHECK(moca.get_chat(7) == "error 404: nothing is known by this id");
  CHECK(moca.get_messages(7) == "from the directory: []");
  CHECK(moca.get_media(7, 9) == "error 404: there are no media");
  CHECK(moca.send(7, "hi") == "error 501: the service takes no messages");
  CHECK(moca.timer(1) == "");
  CHECK(moca.resumed(1s) == "");
  CHECK(moca.reset() == "");
  CHECK(moca.remove() == "deleted");
}

TEST_CASE("connector: answers and pushes, one or a list") {
  Moca moca(botel::connector<Full>("test", "1.0.0"));
  moca.configure();
  const std::string contact = R"({"contact_id":5,"name":"Ann"})";
  const std::string chat = R"({"chat_id":7,"name":"Us","chat_type":"ChatType.single","participants":[1,5]})";
  CHECK(moca.get_contacts() == "answer: [" + contact + "]");
  CHECK(moca.get_contact(5) == "answer: " + contact);
  CHECK(moca.get_chats() == "answer: [" + chat + "," + chat + "]");
  CHECK(moca.get_chat(7) == "answer: " + chat);
  CHECK(moca.get_messages(7) == "answer: []");
  CHECK(moca.send(7, "hi") == Lines{"answer: " + kMessageJson, "push contacts: [" + contact + "]",
                                    "push chats: [" + chat + "]", "push messages: [" + kMessageJson + "]"});
}

TEST_CASE("connector: a token that was kept in the state is answered later") {
  Moca moca(botel::connector<Servant>("test", "1.0.0"));
  moca.configure();
  CHECK(moca.send(7, "later") == "");
  CHECK(moca.unanswered() == 1);
  CHECK(moca.timer(1) == "to send_message: answer: " + kMessageJson);
  CHECK(moca.timer(1) == "nobody waits for this answer");
}

TEST_CASE("connector: of a handler that throws nothing remains, and who asked is told") {
  Moca moca(botel::connector<Servant>("test", "1.0.0"));
  moca.configure();
  CHECK(moca.send(7, "throw") == Lines{"failed: surprise", "error 500: the connector failed"});
  CHECK(moca.send(7, "no participants") ==
        Lines{"failed: the chat 1 has no participants", "error 500: the connector failed"});
  CHECK(moca.send(7, "bad contact") == Lines{"failed: a text is not UTF-8", "error 500: the connector failed"});
  CHECK(moca.send(7, "retry") == "retry after 500 ms");
  CHECK(moca.send(7, "codes") == "waits for the retry");
  CHECK(moca.advance(1s) == Lines{"error 418: retry", "error 500: code", "nobody waits for this answer"});
  CHECK(moca.send(200, "codes") == Lines{"error 500: code", "nobody waits for this answer"});
}

TEST_CASE("connector: an account knows who it is") {
  Moca moca(botel::connector<Servant>("test", "1.0.0"), "{}", "4 \"2\"");
  moca.configure();
  moca.send(7, "who");
  CHECK(moca.log() == std::vector<std::string>{R"(test 4 "2" test/4 "2")"});
}

TEST_CASE("connector: a secret is seen from the next event on, until it is forgotten") {
  Moca moca(botel::connector<Servant>("test", "1.0.0"));
  moca.configure();
  CHECK(moca.send(7, "secret") == "error 418: secret");
  CHECK(moca.send(7, "keep") == Lines{"secret token kept", "error 418: keep"});
  CHECK(moca.secret("token") == "s3cret");
  moca.send(7, "secret");
  moca.reset();
  moca.configure();
  moca.send(7, "secret");
  CHECK(moca.send(7, "forget") == Lines{"secret token forgotten", "error 418: forget"});
  moca.send(7, "secret");
  CHECK(moca.log() == std::vector<std::string>{"<>", "<s3cret>", "<s3cret>", "<>"});
  const std::string malformed = "failed: the host refused an effect: it is malformed";
  CHECK(moca.send(7, "nameless").front() == malformed);
  CHECK(moca.send(7, "long").front() == malformed);
  moca.send(7, "keep");
  moca.remove();
  CHECK(moca.secret("token").empty());
}

TEST_CASE("connector: a step is asked, and its answer comes with its id") {
  Moca moca(botel::connector<Asking>("test", "1.0.0"));
  Asking::step = botel::Step("code").text("code");
  CHECK(moca.configure() == "step code: " + Asking::step.json());
  CHECK(moca.configure(R"({"code":"12"})") == R"(error 400: code {"code":"12"})");
}

TEST_CASE("connector: a step that no host would take fails the event") {
  Moca moca(botel::connector<Asking>("test", "1.0.0"));
  const auto refused = [&](botel::Step step) {
    Asking::step = std::move(step);
    return moca.configure().front();
  };
  const std::string malformed = "failed: the host refused an effect: it is malformed";
  CHECK(refused(botel::Step("none")) == "failed: the step none has no field that is needed");
  CHECK(refused(botel::Step("finished").text("a")) == malformed);
  CHECK(refused(botel::Step("").text("a")) == malformed);
  CHECK(refused(botel::Step(std::string(65, 'x')).text("a")) == malformed);
  CHECK(refused(botel::Step::with_schema("own", R"({"type":"object"})")) == malformed);
  CHECK(refused(botel::Step::with_schema("own", "{")) == malformed);
  CHECK(refused(botel::Step::with_schema("own", R"({"required":["a"]})")) == R"(step own: {"required":["a"]})");
}

TEST_CASE("connector: media come in pieces, and end where they end") {
  Moca moca(botel::connector<Giving>("test", "1.0.0"));
  moca.configure();
  for (const std::size_t size : {0u, 1u, 1u << 20, (1u << 20) + 1, 3u << 20}) {
    Giving::whole.clear();
    for (std::size_t i = 0; i < size; ++i) Giving::whole += static_cast<char>(i * i / 7);
    CHECK(moca.get_media(7, 9) == "media a \"b\".bin application/octet-stream, " + std::to_string(size) + " bytes");
    CHECK(moca.media() == Giving::whole);
  }
  CHECK(moca.get_media_file("nothing, and more") == "error 500: the connector gives nothing");
  CHECK(moca.get_media_file("shrinks") == "media a b, 0 bytes");
  CHECK(moca.get_media_file("too much").front() == "failed: the host refused an effect: it is malformed");
}
