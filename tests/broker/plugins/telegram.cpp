// A connector of the only type that the older of the published MOCA servers can ask for contacts. "push 5" makes it
// push five messages, each by itself and of another contact.
#include <botel/connector.hpp>

#include <string>
#include <vector>

namespace {

using botel::Account;
using botel::Reply;

constexpr std::int64_t kSelf = 192'168, kStep = 1LL << 30;
constexpr int kContacts = 5, kMessages = 20;

botel::Id contact(int i) { return kStep * (100 + i); }
botel::Id chat(int i) { return kStep * (200 + i); }

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
    push(account, kMessages, true);
  }

  void on_send_message(Account& account, const botel::Outgoing& outgoing, Reply reply) override {
    const std::string& text = outgoing.content.body;
    const auto sent = message(account, said(account), kSelf, text);
    account.answer(reply, sent);
    account.push(sent);
    account.save(std::to_string(said(account) + 1));
    if (text.starts_with("push ")) push(account, std::stoi(text.substr(5)), false);
  }

 private:
  static int said(const Account& account) {
    return static_cast<int>(botel::detail::number({account.state().data(), account.state().size()}));
  }
  static botel::ChatMessage message(const Account& account, int number, const botel::Id& from,
                                    const std::string& text) {
    return {kStep * (1000 + number), chat(0), from, account.time(), botel::Content::text(text)};
  }
  // Messages that were not pushed yet.
  static void push(Account& account, int count, bool at_once) {
    std::vector<botel::ChatMessage> messages;
    const int before = said(account) + 1;
    for (int i = 0; i < count; ++i) messages.push_back(message(account, before + i, contact(i % kContacts), "hi"));
    account.save(std::to_string(before + count));
    if (at_once) return account.push(messages);
    for (const auto& one : messages) account.push(one);
  }
};

}  // namespace

BOTEL_PLUGIN(botel::connector<Telegram>("telegram", "1.0.0"));
