// A thread_local with a destructor keeps a library in memory until the last thread that has touched it ends.
#include <botel/bot.hpp>

#include <string>

namespace {

struct Sticky : botel::Bot {
  void on_message(botel::Room& room, const botel::Message& m) override {
    thread_local std::string last;
    last = m.text;
    room.say("sticky " + last);
  }
};

}  // namespace

BOTEL_PLUGIN(botel::bot<Sticky>("zoo", "2.0.0"));
