// A connector that does what a test tells it to, in two steps and by messages that are sent through it.
#include <botel/connector.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>

namespace {

using botel::Account;
using botel::Reply;

constexpr std::size_t kMediaSize = 5'000'000;
constexpr std::int64_t kSelf = 70'001, kFriend = 70'002, kChat = 80'001;

botel::Step login() { return botel::Step("login", "Log in").text("user").password("password"); }
botel::Step code() { return botel::Step("code", "Code").text("code", {.pattern = "^[0-9]{4}$"}); }

// {"user":"kim","reply":"7","said":3}: `reply` is a request that waits for the timer.
struct State {
  std::string user, reply;
  long long said = 0;

  static State of(const Account& account) {
    const auto json = botel::json::parse(account.state());
    return {std::string(botel::json::text(json, "user")), std::string(botel::json::text(json, "reply")),
            botel::json::number(json, "said")};
  }
  void save(Account& account) const {
    account.save(botel::json::Object().text("user", user).text("reply", reply).number("said", said).json());
  }
};

// "wait 5" has the argument "5".
bool is(const std::string& command, const std::string& name, std::string& argument) {
  if (!command.starts_with(name)) return false;
  argument = command.size() > name.size() ? command.substr(name.size() + 1) : "";
  return true;
}

void wait_for(const std::string& file) {
  while (!std::filesystem::exists(file)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

class Puppet : public botel::Connector {
 public:
  void on_configure(Account& account, const botel::Answer& answer, Reply reply) override {
    State state = State::of(account);
    if (answer.step == "login" && answer.text("user") == "stranger") throw botel::Error("nobody knows a stranger");
    std::string argument;
    if (answer.step == "login" && answer.text("user") == "crash") std::abort();
    if (answer.step == "login" && is(answer.text("user"), "until", argument)) wait_for(argument);
    if (answer.step == "login") {
      state.user = answer.text("user");
      state.save(account);
      account.keep_secret("password", answer.text("password"));
      return account.ask(reply, code());
    }
    if (answer.step != "code") return account.ask(reply, login());
    account.finish(reply, {.id = kSelf, .name = state.user});
    account.push(botel::Contact{kFriend, "A friend"});
    account.push(botel::Chat{kChat, "The chat", false, {kSelf, kFriend}});
  }

  void on_send_message(Account& account, const botel::Outgoing& outgoing, Reply reply) override {
    State state = State::of(account);
    const std::string& command = outgoing.content.body;
    std::string argument;
    if (is(command, "fail", argument)) throw botel::Error("told to fail: " + argument);
    if (is(command, "nothing", argument)) return;
    if (is(command, "crash", argument)) std::abort();
    if (is(command, "until", argument)) wait_for(argument);
    if (is(command, "in", argument)) {
      state.reply = std::to_string(reply.token);
      account.set_timer(1, botel::milliseconds(std::stoi(argument)));
      return state.save(account);
    }
    const std::string text = command == "secret" ? "the secret has " + secret_size(account) + " bytes" : command;
    const auto sent = message(account, state, text);
    account.answer(reply, sent);
    account.push(sent);
    state.save(account);
  }

  // A URI that ends in "/go" is a file, without the slash at its beginning: all but the first piece wait until it is
  // there.
  void on_get_media(Account& account, const botel::MediaRequest& request, Reply reply) override {
    if (request.uri.empty()) return account.fail(reply, "this message has no media", 404);
    if (request.offset > 0 && request.uri.ends_with("/go")) wait_for("/" + request.uri);
    account.media(reply, request, std::string(kMediaSize, 'x') + "the end", "x.txt", "text/plain");
  }

  void on_timer(Account& account, std::uint64_t) override {
    State state = State::of(account);
    account.answer(Reply(std::stoull(state.reply)), message(account, state, "late"));
    state.save(account);
  }

  void on_resumed(Account& account, botel::milliseconds) override {
    State state = State::of(account);
    account.push(message(account, state, "resumed"));
    state.save(account);
  }

 private:
  static std::string secret_size(const Account& account) { return std::to_string(account.secret("password").size()); }
  static botel::ChatMessage message(const Account& account, State& state, const std::string& text) {
    return {90'001 + ++state.said, kChat, kSelf, account.time(), botel::Content::text(text)};
  }
};

}  // namespace

#ifndef PUPPET_VERSION
#define PUPPET_VERSION "1.0.0"
#endif
BOTEL_PLUGIN(botel::connector<Puppet>("puppet", PUPPET_VERSION));
