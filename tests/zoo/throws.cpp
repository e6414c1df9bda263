// Throws whatever it is told.
#include <botel/bot.hpp>

#include <stdexcept>

namespace {

struct Throws : botel::Bot {
  void on_start(botel::Room&) override { throw std::runtime_error("I throw at the start"); }
  void on_message(botel::Room&, const botel::Message&) override { throw 7; }
};

}  // namespace

BOTEL_PLUGIN(botel::bot<Throws>("zoo", "2.0.0"));
