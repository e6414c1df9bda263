// A connector of the only type that the older of the published MOCA servers can ask for contacts. As a message it is
// told: "push 5", five messages, each by itself and of another contact; "stranger", a message of somebody who was not
// pushed; "introduce", who that is; "fail".
#include <botel/connector.hpp>

#include <string>
#include <vector>

namespace {

using botel::Account;
using botel::Reply;

constexpr std::int64_t kSelf = 192'168, kStep = 1LL << 30;
constexpr int kContacts = 5, kMessages = 20, kStranger = 50;

botel::Id contact(int i) { return kStep * (100 + i); }
botel::Id chat(int i) { return kStep * (200 + i); }
botel::Id message_id(int i) { return kStep * (1000 + i); }

class Telegram : public botel::Connector {
 public:
  void on_configure(Account& account, const botel::Answer& answer, Reply reply) override {
    if (answer.step.empty()) return account.ask(reply, botel::Step("phone").text("phone"));
    account.finish(reply, {.id = kSelf, .name = "Jon Doe", .phone = answer.text("phone")});
    std::vector<botel::Contact> contacts;
    std::vector<botel::Chat> chats;
    for (int i = 0; i < kContacts; ++i) {
      contacts.push_back({contact(i), "Contact " + std::to_string(i)});
      chats.push_back({chat(i), "Chat " + std::to_string(i), false, {kSelf, contact(i)}});
    }
    account.push(contacts);
    account.push(chats);
    account.push(next_messages(account, kMessages));
  }

  // The service does not say who the last contact is.
  void on_get_contact(Account& account, const botel::GivenId& id, Reply reply) override {
    if (id == contact(kContacts - 1)) throw botel::Error("the service says nothing of this contact");
    account.from_directory(reply);
  }

  void on_send_message(Account& account, const botel::Outgoing& outgoing, Reply reply) override {
    const std::string& text = outgoing.content.body;
    if (text == "fail") return account.fail(reply, "told to fail", 503);
    const auto sent = message(account, said(account), kSelf, text);
    account.answer(reply, sent);
    account.push(sent);
    account.save(std::to_string(said(account) + 2));
    if (text == "stranger") account.push(message(account, said(account) + 1, contact(kStranger), "hi"));
    if (text == "introduce") account.push(botel::Contact{contact(kStranger), "A stranger"});
    if (!text.starts_with("push ")) return;
    for (const auto& one : next_messages(account, std::stoi(text.substr(5)))) account.push(one);
  }

  // The first message has none, and those of the second break off.
  void on_get_media(Account& account, const botel::MediaRequest& request, Reply reply) override {
    if (request.message == message_id(1)) return account.fail(reply, "this message has no media", 404);
    if (request.message == message_id(2) && request.offset > 0) return account.fail(reply, "the service is gone", 503);
    account.media_piece(reply, "piece", request.offset == 0, "x.txt", "text/plain");
  }

 private:
  static int said(const Account& account) {
    return account.state().empty() ? 0 : std::stoi(std::string(account.state()));
  }
  static botel::ChatMessage message(const Account& account, int number, const botel::Id& from,
                                    const std::string& text) {
    return {message_id(number), chat(0), from, account.time(), botel::Content::text(text)};
  }
  // Behind the one of this event, if there is one.
  static std::vector<botel::ChatMessage> next_messages(Account& account, int count) {
    std::vector<botel::ChatMessage> messages;
    const int before = said(account) + 1;
    for (int i = 0; i < count; ++i) messages.push_back(message(account, before + i, contact(i % kContacts), "hi"));
    account.save(std::to_string(before + count));
    return messages;
  }
};

}  // namespace

BOTEL_PLUGIN(botel::connector<Telegram>("telegram", "1.0.0"));
