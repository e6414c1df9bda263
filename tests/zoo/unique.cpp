// What g++ makes of an inline variable without -fno-gnu-unique: a symbol that is one for the whole process.
#include <botel/bot.hpp>

#include <string>

inline int messages = 0;

struct Counting : botel::Bot {
  void on_message(botel::Room& room, const botel::Message&) override { room.say(std::to_string(++messages)); }
};

BOTEL_PLUGIN(botel::bot<Counting>("zoo", "2.0.0"));
