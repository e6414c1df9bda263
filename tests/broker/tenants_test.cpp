// Nobody reaches another's topics through the host.
#include <doctest/doctest.h>

#include "harness/world.hpp"

using namespace harness;

TEST_CASE("tenants: topics outside of the request's own tenant, and wildcards, are refused by name") {
  World world;
  const Room room;
  const std::vector<std::string> bad{"s/2/a/1/x",
                                     "s/1/a/2/x",
                                     "s/1/a/11/x",
                                     "s/1/a/1",
                                     "s/1/a",
                                     "",
                                     "$SYS/broker",
                                     "$share/g/s/1/a/1/x",
                                     "/s/1/a/1/x",
                                     "S/1/a/1/x",
                                     "s/1/a/1/#",
                                     "s/1/a/1/+/x",
                                     "s/1/a/1/x/#",
                                     "s/1/a/1/x#",
                                     "s/1/a/1/x+",
                                     "s/+/a/1/x",
                                     "s/1/a/1/x\u0001",
                                     "s/1/a/1/x\n1",
                                     "s/1/a/1/x\u007f1",
                                     "other",
                                     "s/1/a/1/" + std::string(70000, 'x')};
  for (const std::string name : {"msgSub", "msgPub", "cmdPub", "cmdResPub"}) {
    for (const std::string& topic : bad) {
      CAPTURE(name);
      CAPTURE(topic.substr(0, 100));
      Room one = room;
      one.more = quoted(name) + ":" + quoted(topic);
      const Received answer = world.start(one);
      CHECK(at(answer.payload, "error.code") == "-32602");
      CHECK(at(answer.payload, "error.message").find(name) != std::string::npos);
    }
  }
  for (const std::string name : {"msgPub", "cmdPub", "cmdResPub"}) {
    Room one = room;
    one.more = quoted(name) + R"(:"s/1/a/1/u/7/+")";
    CHECK(at(world.start(one).payload, "error.code") == "-32602");
  }
  CHECK(count(world.broker.log(), "s/2/a/1") == 0);
  CHECK(count(world.host.log(), "probe: start") == 0);
}

TEST_CASE("tenants: nothing is published to a resPub outside of the tenant, or with a wildcard") {
  World world;
  const Room room;
  for (const std::string topic :
       {"s/2/a/1/t/1/res", "s/1/a/11/res", "$SYS/x", "s/1/a/1/#", "s/1/a/1/+", "x", "", "s/1/a/1/x\n"}) {
    CAPTURE(topic);
    world.client.publish(room.requests(),
                         request("1", "end", R"({"_context":{"room":"7"},"resPub":)" + quoted(topic) + "}"));
    world.client.publish(room.requests(),
                         request("1", "nonsense", R"({"_context":{"room":"7"},"resPub":)" + quoted(topic) + "}"));
  }
  for (const std::string topic : {"7", "{}", R"(["s/1/a/1/t/1/res"])"}) {
    world.client.publish(room.requests(), request("1", "end", R"({"_context":{"room":"7"},"resPub":)" + topic + "}"));
  }
  world.fence();
  CHECK(world.client.unexpected("#").empty());
  CHECK(lines_with(world.host.log(), "nobody can be told: Invalid params: params.resPub").size() == 17);
}

TEST_CASE("tenants: a _context that disagrees with the request's topic is refused") {
  World world;
  struct Case {
    std::string context, named;
  };
  for (const Case& c : std::initializer_list<Case>{{R"({"sp":2,"app":1,"room":7,"session":1,"bot":"1"})", "sp"},
                                                   {R"({"sp":"1","app":"01","room":7,"session":1,"bot":"1"})", "app"},
                                                   {R"({"sp":1,"app":2,"room":7,"session":1,"bot":"1"})", "app"}}) {
    const Received answer = world.start({.context = c.context});
    CHECK(at(answer.payload, "error.code") == "-32602");
    CHECK(at(answer.payload, "error.message").find(c.named) != std::string::npos);
    CHECK(at(world.end({.context = c.context}).payload, "error.code") == "-32602");
  }
}

TEST_CASE("tenants: rooms of the same ids in two tenants know nothing of each other") {
  World world;
  const Room one{.commands = "save of the first"};
  const Room two{.commands = "save of the second", .sp = "2"};
  const Room three{.commands = "save of the third", .app = "2"};
  for (const Room* room : {&one, &two, &three}) world.start(*room);
  for (const Room* room : {&one, &two, &three}) world.tell(*room, "show");
  world.hear(one, "state of the first");
  world.hear(two, "state of the second");
  world.hear(three, "state of the third");
  CHECK(world.client.unexpected("#").empty());
  CHECK(at(world.end(two).payload, "result") == "OK");
  world.hear(two, "end ended");
  world.tell(one, "say here");
  world.hear(one, "here");
  CHECK(at(world.end({.room = "7", .sp = "3"}).payload, "error.code") == "-32002");
}

TEST_CASE("tenants: ids that could not stand in a topic are refused") {
  World world;
  for (const std::string id : {"a/b", "+", "#", "a#", "a\nb"}) {
    CAPTURE(id);
    const Received answer = world.start({.context = R"({"room":)" + quoted(id) + R"(,"session":1,"bot":"1"})"});
    CHECK(at(answer.payload, "error.code") == "-32602");
  }
}

TEST_CASE("tenants: requests on topics with empty ids are refused, inside of their tenant") {
  World world;
  for (const std::string inside : {"s//a/1/t/1/", "s/1/a//t/1/", "s/1/a/1/t//"}) {
    CAPTURE(inside);
    for (const std::string& res_pub : {inside + "res", std::string("s/2/a/1/res")}) {
      const std::string params = R"({"_context":{"room":"7"},"resPub":)" + quoted(res_pub) + "}";
      world.client.publish(inside + "req/t/1", request("1", "end", params));
    }
    CHECK(at(world.client.expect(inside + "res").payload, "error.code") == "-32600");
  }
  world.fence();
  CHECK(world.client.unexpected("#").empty());
}

TEST_CASE("tenants: a msgSub that takes in the requests, too, does not make the host serve them twice") {
  World world;
  Room room;
  room.more = R"("msgSub":"s/1/a/1/t/1/req/t/+")";
  world.start(room);  // it may be refused
  world.client.publish(room.requests(), request("\"once\"", "nonsense", room.end_params()));
  world.answer(room, "\"once\"");
  world.fence();
  CHECK(world.client.unexpected(room.res_pub()).empty());
}
