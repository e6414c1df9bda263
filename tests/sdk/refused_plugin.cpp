// Does not compile, for the reason that its descriptors give.
#include <botel/bot.hpp>
#include <botel/connector.hpp>

struct Bot : botel::Bot {};
struct Connector : botel::Connector {
  void on_configure(botel::Account&, const botel::Answer&, botel::Reply) override {}
};
BOTEL_PLUGIN(DESCRIPTORS);
