// A connector that asks for much: a login, where the password must be the right one, and then for something of each
// kind. Who it is called in the end tells what was answered. The user "nobody" is refused.
#include <botel/connector.hpp>

namespace {

class Clerk : public botel::Connector {
 public:
  void on_configure(botel::Account& account, const botel::Answer& answer, botel::Reply reply) override {
    if (answer.step == "login") return log_in(account, answer, reply);
    if (answer.step == "details") {
      return account.finish(reply, {.id = 7, .name = std::string(answer.json), .username = std::string("clerk")});
    }
    account.ask(reply, login("Log in"));
  }

 private:
  static botel::Step login(const std::string& title) {
    return botel::Step("login", title, "With what the service gave you")
        .text("user", {.title = "User"})
        .password("password", {.title = "Password", .min_length = 8});
  }

  static void log_in(botel::Account& account, const botel::Answer& answer, botel::Reply reply) {
    if (answer.text("user") == "nobody") return account.fail(reply, "no such user", 404);
    if (answer.text("password") != "correct horse") return account.ask(reply, login("That was wrong, log in again"));
    account.ask(reply, botel::Step("details", "Details")
                           .integer("port", {.title = "Port", .minimum = 1, .maximum = 65535})
                           .number("ratio", {.title = "Ratio", .optional = true})
                           .flag("tls", {.title = "TLS"})
                           .choice("colour", {"red", "blue"}, {.title = "Colour"})
                           .text("pin", {.title = "PIN", .format = "password", .optional = true}));
  }
};

}  // namespace

BOTEL_PLUGIN(botel::connector<Clerk>("clerk", "1.2.3"));
