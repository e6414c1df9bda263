// Requests and their answers, as JSON-RPC 2.0 wants them.
#include <doctest/doctest.h>

#include "harness/world.hpp"

using namespace harness;

TEST_CASE("requests: the id comes back byte for byte") {
  World world;
  const Room room;
  for (const std::string id :
       {R"("123")", R"("")", "123", "0", "-1", "1.50", "1e3", "9007199254740993", "123456789012345678901234567890",
        "null", R"("\u00e9\"\\\/\n")", R"("헬로")", R"("a b  c")"}) {
    CAPTURE(id);
    world.client.publish(room.requests(), request(id, "end", room.end_params()));
    const Received answer = world.client.expect(room.res_pub());
    CHECK(answer.payload.find("\"id\":" + id + ",") != std::string::npos);
    CHECK(at(answer.payload, "error.code") == "-32002");
    CHECK(at(answer.payload, "jsonrpc") == "2.0");
    CHECK(at(answer.payload, "result").empty());
  }
}

TEST_CASE("requests: what is wrong with a request is answered with the code for it") {
  World world;
  const Room room;
  const std::string params = room.end_params();
  const std::string only_res = R"({"resPub":"s/1/a/1/t/1/res"})";
  struct Case {
    std::string payload, id, code;
  };
  for (const Case& c : std::initializer_list<Case>{
           {R"({"id":1,"method":"end","params":)" + params + "}", "1", "-32600"},
           {R"({"jsonrpc":"1.0","id":2,"method":"end","params":)" + params + "}", "2", "-32600"},
           {R"({"jsonrpc":2.0,"id":3,"method":"end","params":)" + params + "}", "3", "-32600"},
           {R"({"jsonrpc":"2.0","id":4,"params":)" + params + "}", "4", "-32600"},
           {R"({"jsonrpc":"2.0","id":5,"method":5,"params":)" + params + "}", "5", "-32600"},
           {R"({"jsonrpc":"2.0","id":true,"method":"end","params":)" + params + "}", "null", "-32600"},
           {R"({"jsonrpc":"2.0","id":{"a":1},"method":"end","params":)" + params + "}", "null", "-32600"},
           {R"({"jsonrpc":"2.0","id":[8],"method":"end","params":)" + params + "}", "null", "-32600"},
           {request("9", "restart", params), "9", "-32601"},
           {request("10", "", params), "10", "-32601"},
           {request("11", "START", params), "11", "-32601"},
           {request("12", "start", only_res), "12", "-32602"},
           {request("13", "end", only_res), "13", "-32602"},
           {request("14", "end", R"({"_context":null,"resPub":"s/1/a/1/t/1/res"})"), "14", "-32602"},
           {request("15", "end", R"({"_context":[1],"resPub":"s/1/a/1/t/1/res"})"), "15", "-32602"},
           {request("16", "end", R"({"_context":{},"resPub":"s/1/a/1/t/1/res"})"), "16", "-32602"},
           {request("17", "end", R"({"_context":{"room":{}},"resPub":"s/1/a/1/t/1/res"})"), "17", "-32602"},
           {request("18", "end", R"({"_context":{"room":""},"resPub":"s/1/a/1/t/1/res"})"), "18", "-32602"},
           {request("19", "end", R"({"_context":{"room":true},"resPub":"s/1/a/1/t/1/res"})"), "19", "-32602"},
           {request("20", "end", R"({"_context":{"room":"7","session":[]},"resPub":"s/1/a/1/t/1/res"})"), "20",
            "-32602"}}) {
    CAPTURE(c.payload);
    world.client.publish(room.requests(), c.payload);
    const Received answer = world.client.expect(room.res_pub());
    CHECK(answer.payload.find("\"id\":" + c.id + ",") != std::string::npos);
    CHECK(at(answer.payload, "error.code") == c.code);
    CHECK_FALSE(at(answer.payload, "error.message").empty());
  }
}

TEST_CASE("requests: a start whose params are missing or of the wrong type names the one that is wrong") {
  World world;
  const std::string context = R"("_context":{"room":"7","session":1,"bot":"1"},"resPub":"s/1/a/1/t/1/res")";
  const std::string sub = R"("msgSub":"s/1/a/1/u/7/r/7/u/+")", pub = R"("msgPub":"s/1/a/1/u/7/r/7/t/1")",
                    cmd = R"("cmdPub":"s/1/a/1/u/7/r/7/req/t/1")";
  struct Case {
    std::string params, named;
  };
  for (const Case& c :
       std::initializer_list<Case>{{context + "," + pub + "," + cmd, "msgSub"},
                                   {context + "," + sub + "," + cmd, "msgPub"},
                                   {context + "," + sub + "," + pub, "cmdPub"},
                                   {context + R"(,"msgSub":7,)" + pub + "," + cmd, "msgSub"},
                                   {context + R"(,"msgPub":null,)" + sub + "," + cmd, "msgPub"},
                                   {context + R"(,"cmdPub":["s/1/a/1/x"],)" + sub + "," + pub, "cmdPub"},
                                   {context + R"(,"cmdResPub":{},)" + sub + "," + pub + "," + cmd, "cmdResPub"},
                                   {context + R"(,"user":"me",)" + sub + "," + pub + "," + cmd, "user"},
                                   {R"("resPub":"s/1/a/1/t/1/res",)" + sub + "," + pub + "," + cmd, "_context"}}) {
    CAPTURE(c.params);
    world.client.publish("s/1/a/1/t/1/req/t/1", request("1", "start", "{" + c.params + "}"));
    const Received answer = world.client.expect("s/1/a/1/t/1/res");
    CHECK(at(answer.payload, "error.code") == "-32602");
    CHECK(at(answer.payload, "error.message").find(c.named) != std::string::npos);
  }
}

TEST_CASE("requests: a bot that nobody serves is error -32001") {
  World world;
  const Received answer = world.start({.bot = "nobody"});
  CHECK(at(answer.payload, "error.code") == "-32001");
  CHECK(at(answer.payload, "error.message").find("No such bot") != std::string::npos);
}

TEST_CASE("requests: notifications and requests without resPub are served, and not answered") {
  World world;
  const Room first{.room = "first", .commands = "say hello"};
  world.client.publish(first.requests(), request("", "start", first.start_params()));
  world.hear(first, "hello");

  Room second{.room = "second", .commands = "say hello"};
  for (const std::string res_pub : {"", R"(,"resPub":null)"}) {
    std::string params = second.start_params();
    params.replace(params.find(R"(,"resPub")"), std::string::npos, res_pub + "}");
    world.client.publish(second.requests(), request("1", "start", params));
    world.hear(second, "hello");
    second.room = "third";
  }
  world.client.publish(first.requests(), request("", "nonsense", first.end_params()));
  world.client.publish(first.requests(), request("", "end", first.end_params()));
  world.hear(first, "end ended");
  world.fence();
  CHECK(world.client.unexpected(first.res_pub()).empty());
}

TEST_CASE("requests: the answers of a batch come together, one array for each resPub") {
  World world;
  const Room room{.commands = "say hello"};
  const std::string other = R"({"resPub":"s/1/a/1/t/1/res/i/app"})";
  world.client.publish(room.requests(), "[" + request("1", "start", room.start_params()) + "," +
                                            request("2", "nonsense", room.end_params()) + "," +
                                            request("3", "nonsense", other) + "," +
                                            request("", "nonsense", room.end_params()) + ",7, " +
                                            request("\"4\"", "nonsense", room.end_params()) + "]");
  const Received mine = world.client.expect(room.res_pub());
  const auto answers = mine.payload;
  CHECK(answers.starts_with("["));
  CHECK(answers.ends_with("]"));
  CHECK(is_json(answers));
  CHECK(count(answers, "\"jsonrpc\"") == 3);
  CHECK(count(answers, R"("id":1,"result":"OK")") == 1);
  CHECK(count(answers, R"("id":2,"error":{"code":-32601)") == 1);
  CHECK(count(answers, R"("id":"4","error":{"code":-32601)") == 1);

  const Received others = world.client.expect("s/1/a/1/t/1/res/i/app");
  CHECK(others.payload.starts_with("["));
  CHECK(count(others.payload, "\"jsonrpc\"") == 1);
  CHECK(count(others.payload, "\"id\":3,") == 1);

  CHECK(world.hear(room, "hello").index > mine.index);
  CHECK(world.client.unexpected("s/1/a/1/t/#").empty());
}

TEST_CASE("requests: a batch of one is answered with an array of one") {
  World world;
  const Room room;
  world.client.publish(room.requests(), "[" + request("1", "end", room.end_params()) + "]");
  const Received answer = world.client.expect(room.res_pub());
  CHECK(answer.payload.starts_with("[{"));
  CHECK(count(answer.payload, "-32002") == 1);
}

TEST_CASE("requests: an empty batch, and a batch of notifications, have no answer") {
  World world;
  const Room room;
  world.client.publish(room.requests(), "[]");
  world.client.publish(room.requests(), "[" + request("", "end", room.end_params()) + "]");
  world.client.publish(room.requests(), "[1,[],null]");
  world.fence();
  CHECK(world.client.unexpected("s/1/a/1/t/1/#").empty());
  CHECK(world.host.stop() == 0);
  CHECK(count(world.host.log(), "gitple_requests_malformed_total 1") == 1);
}

TEST_CASE("requests: starts of several rooms in one batch are answered when the last has started") {
  World world;
  const Room quick{.room = "quick", .commands = "say quick"};
  const Room slow{.room = "slow", .commands = "sleep 300;say slow"};
  world.client.publish(quick.requests(), "[" + request("1", "start", quick.start_params()) + "," +
                                             request("2", "start", slow.start_params()) + "]");
  const Received answer = world.client.expect(quick.res_pub());
  CHECK(count(answer.payload, R"("result":"OK")") == 2);
  CHECK(world.hear(quick, "quick").index > answer.index);
  CHECK(world.hear(slow, "slow").index > answer.index);
}

TEST_CASE("requests: the newer topics of gitple are served") {
  World world;
  const Room room;
  std::string params = room.start_params();
  params.pop_back();
  params += R"(,"cmdResPub":"s/1/a/1/u/7/r/7/res/t/1/i/app"})";
  const std::string res_pub = R"("resPub":"s/1/a/1/t/1/res")";
  params.replace(params.find(res_pub), res_pub.size(), R"("resPub":"s/1/a/1/t/1/res/i/app/t/1")");
  world.client.publish("s/1/a/1/t/1/req/t/1/i/app", request("\"new\"", "start", params));
  CHECK(at(world.client.expect("s/1/a/1/t/1/res/i/app/t/1").payload, "result") == "OK");
}

TEST_CASE("requests: retained requests and messages are ignored and counted") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Client client(broker.port());
  client.subscribe("#");
  const Room room{.commands = "say hello"};
  client.publish(room.requests(), request("1", "start", room.start_params()), true);
  client.publish(room.from_user(), R"({"m":"say retained"})", true);
  broker.wait_for_log("'" + room.from_user() + "'");

  Host host(dir / "host", {.url = broker.url()});
  host.ready();
  host.process().wait_for_log("retained message is ignored", 1);
  client.publish(room.requests(), request("2", "start", room.start_params()));
  const Received answer = client.expect(room.res_pub());
  CHECK(at(answer.payload, "id") == "2");
  CHECK(at(client.expect(room.msg_pub()).payload, "m") == "hello");
  client.publish(room.from_user(), R"({"m":"say fresh"})");
  CHECK(at(client.expect(room.msg_pub()).payload, "m") == "fresh");
  CHECK(host.stop() == 0);
  CHECK(count(host.log(), "gitple_retained_total 2") == 1);
}
