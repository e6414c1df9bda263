// Connectors: a good one, which looks at what it is tried with, and those that go wrong when they are configured.
#include <botel/connector.hpp>

#include <csignal>

namespace {

struct Zoo : botel::Connector {
  void on_configure(botel::Account& account, const botel::Answer& answer, botel::Reply reply) override {
#ifdef ZOO_CRASHES_WHEN_CONFIGURED
    std::raise(SIGSEGV);
#endif
#ifdef ZOO_FAILS
    throw botel::Error("I always fail");
#endif
    const bool is_beginning = answer.step.empty() && answer.json == "{}" && reply.token == 1;
    if (!is_beginning || account.type() != "zoo" || account.id().empty() || !account.secret("token").empty()) {
      throw botel::Error("it does not begin like this");
    }
    account.ask(reply, botel::Step("phone").text("phone"));
  }
};

}  // namespace

BOTEL_PLUGIN(botel::connector<Zoo>("zoo", "1.0.0"));
