// Connectors outlive the host: what they are asked, what they were told, and what is under way.
#include <set>

#include "harness/database.hpp"
#include "moca.hpp"

using namespace harness;

namespace {

// The host ends while a handler waits for the file `go`, which it finds, and is back.
void restart_while_busy(MocaScene& scene, const Ending& ending, const std::string& go) {
  const bool is_planned = ending.signal_number == SIGTERM;
  is_planned ? scene.world.host.process().signal(SIGTERM) : scene.world.host.kill();
  let_go(go);
  if (is_planned) CHECK(scene.world.host.process().wait() == 0);
  scene.world.start_host();
}

std::string exported(const MocaScene& scene) {
  const auto file = scene.world.dir / "exported";
  CHECK(run({"/bin/sh", "-c",
             std::string(BOTEL_EXECUTABLE) + " store export --data " + scene.world.host.data().string() + " > " +
                 file.string()},
            scene.world.dir / "export.log") == 0);
  return read_file(file);
}

}  // namespace

TEST_CASE("moca: a flow that a restart or a reload interrupts goes on with the step it was at") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    MocaScene scene("", ending.durability);
    Moca moca(scene.world.broker, "puppet", "7");
    CHECK(at(moca.configure(), "step") == "login");
    const std::string step = moca.configure(kLogin);
    CHECK(at(step, "step") == "code");
    scene.world.restart_host(ending.signal_number);
    moca.skip_repeats();
    CHECK(moca.configure() == step);
    const std::string wrong = moca.configure(R"({"code":"12345"})");
    CHECK(at(wrong, "step") == "code");
    CHECK(at(items(at(wrong, "errors")).front(), "pointer") == "/code");

    std::filesystem::remove(scene.world.host.plugins() / "puppet.so");
    scene.world.host.process().wait_for_log("puppet.so is gone");
    CHECK(at(moca.configure(kCode), "error.code") == "503");
    std::filesystem::create_symlink(BOTEL_PUPPET, scene.world.host.plugins() / "puppet.so");
    scene.world.host.process().wait_for_log("puppet.so: puppet 1.0.0 serves", 2);
    const std::string finished = moca.configure(kCode);
    CHECK(is_finished(finished));
    CHECK(at(finished, "contact.name") == "kim");
    CHECK(text_of(moca.request(kTell, told("secret"))) == "the secret has 11 bytes");
  }
}

TEST_CASE("moca: after a restart a connector, its directory and its secrets are what they were, and it is told") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    MocaScene scene("", ending.durability);
    Puppet moca(scene);
    Demo demo(scene);
    const std::string chats = moca.request("get_chats"), contacts = demo.request("get_contacts");
    moca.request(kTell, told("before"));
    scene.world.restart_host(ending.signal_number);
    moca.pushed("messages", contains("resumed"));
    moca.skip_repeats();
    demo.skip_repeats();
    CHECK(moca.request("get_chats") == chats);
    CHECK(demo.request("get_contacts") == contacts);
    CHECK(text_of(moca.request(kTell, told("secret"))) == "the secret has 11 bytes");
    CHECK(count(moca.request("get_messages/80001"), R"("content":"before")") == 1);
    CHECK(count(scene.world.host.log(), "s3cr3t-word") == 0);
    CHECK(moca.request("delete_connector") == R"({"success":true})");
    scene.world.restart_host(ending.signal_number);
    CHECK(at(moca.request("get_chats"), "error.code") == "404");
    CHECK(demo.request("get_contacts") == contacts);
  }
}

TEST_CASE("moca: what was asked before a restart is answered after it, once") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    MocaScene scene("", ending.durability);
    Puppet moca(scene);
    const std::string late = moca.send(kTell, told("in 2000"));
    const std::string go = (scene.world.dir / "go").string();
    const std::string busy = moca.send(kTell, told("until " + go));
    const std::string waiting = moca.send(kTell, told("behind it"));
    scene.world.fence();
    restart_while_busy(scene, ending, go);
    CHECK(text_of(moca.answer(late)) == "late");
    CHECK(text_of(moca.answer(busy)).starts_with("until"));
    CHECK(text_of(moca.answer(waiting)) == "behind it");
    moca.request("get_chats");
    CHECK(moca.client.unexpected(busy + "/response").empty());
    CHECK(moca.client.unexpected(waiting + "/response").empty());
  }
}

TEST_CASE("moca: a download that a restart interrupts goes on where it was") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    MocaScene scene("", ending.durability);
    Puppet moca(scene);
    const std::string go = (scene.world.dir / "go").string();
    const std::string topic = moca.send("get_media_file" + go);
    const std::string first = from_base64(at(moca.answer(topic), "data"));
    CHECK(first.size() == 1 << 20);
    scene.world.fence();
    restart_while_busy(scene, ending, go);
    const Moca::Media rest = moca.rest_of_media(topic);
    CHECK(rest.error.empty());
    CHECK(first + rest.bytes == std::string(5'000'000, 'x') + "the end");
    CHECK(rest.filename == "x.txt");
  }
}

// Of what was done in the last moment before such an end nothing is known.
TEST_CASE("moca: a download during which the host is killed ends with an error, or is whole") {
  MocaScene scene("", "relaxed");
  Puppet moca(scene);
  for (int round = 0; round < 12; ++round) {
    CAPTURE(round);
    const std::string topic = moca.send("get_media_file/x");
    std::string bytes;
    for (int piece = 0; piece < 1 + round % 3; ++piece) bytes += from_base64(at(moca.answer(topic), "data"));
    scene.world.restart_host(SIGKILL);
    const Moca::Media rest = moca.rest_of_media(topic);
    CHECK((!rest.error.empty() || bytes + rest.bytes == std::string(5'000'000, 'x') + "the end"));
  }
  // And the next one is served.
  CHECK(moca.get_media("get_media_file/x").bytes.size() == 5'000'007);
}

TEST_CASE("moca: a thousand requests at once to one connector are all answered, and hold up no other") {
  MocaScene scene;
  Puppet moca(scene);
  Demo other(scene);
  const std::string go = (scene.world.dir / "go").string();
  moca.client.subscribe("puppet/7/#");
  moca.client.publish("puppet/7/first/" + kTell, told("until " + go));
  for (int i = 0; i < 1000; ++i) {
    moca.client.publish("puppet/7/" + std::to_string(i) + "/" + kTell, told(std::to_string(i)));
  }
  CHECK(items(other.request("get_contacts")).size() == 10);
  let_go(go);
  for (int i = 0; i < 1000; ++i) {
    const std::string topic = "puppet/7/" + std::to_string(i) + "/" + kTell + "/response";
    REQUIRE(text_of(moca.client.expect(topic).payload) == std::to_string(i));
  }
  std::set<std::string> ids;
  for (const auto& message : moca.client.received()) {
    if (message.topic.starts_with("puppet/7/")) ids.insert(at(message.payload, "message_id"));
  }
  CHECK(ids.size() == 1001);
  CHECK(count(scene.world.host.log(), "refused") == 0);
}

TEST_CASE("moca: a password is in no state, no log and no export") {
  MocaScene scene;
  Puppet moca(scene);
  scene.world.stop_host();
  Database database(scene.world.host.data() / "botel.db");
  CHECK(database.number("SELECT count(*) FROM secrets") == 1);
  CHECK(count(scene.world.host.log(), "s3cr3t-word") == 0);
  const std::string text = exported(scene);
  CHECK(count(text, "kim") > 0);
  CHECK(count(text, "s3cr3t-word") == 0);
  scene.world.start_host();
}

TEST_CASE("moca: a password that waits for its handler is in no export") {
  MocaScene scene("", "strict");
  Moca moca(scene.world.broker, "puppet", "7");
  moca.configure();
  const std::string go = (scene.world.dir / "go").string();
  moca.client.publish("puppet/configure/7", R"({"user":"until )" + go + R"(","password":"s3cr3t-word"})");
  Database database(scene.world.host.data() / "botel.db");
  wait_until("the step in the inbox",
             [&] { return database.number("SELECT count(*) FROM inbox WHERE payload LIKE '%s3cr3t-word%'") == 1; });
  scene.world.host.kill();
  CHECK(count(exported(scene), "s3cr3t-word") == 0);
  let_go(go);
  scene.world.start_host();
}

TEST_CASE("moca: a password that crashed its connector is in no dead letter, and the letter goes with the connector") {
  MocaScene scene("", "strict");
  Moca moca(scene.world.broker, "puppet", "7");
  moca.configure();
  moca.client.publish("puppet/configure/7", R"({"user":"crash","password":"s3cr3t-word"})");
  CHECK(scene.world.host.process().wait() == -SIGABRT);
  scene.world.host.start();
  CHECK(scene.world.host.process().wait() == -SIGABRT);
  scene.world.start_host();
  scene.world.host.process().wait_for_log("is a dead letter now");
  scene.world.stop_host();
  const auto file = scene.world.host.data() / "botel.db";
  CHECK(Database(file).number("SELECT count(*) FROM dead_letters WHERE payload = '' AND detail <> ''") == 1);
  CHECK(count(exported(scene), "s3cr3t-word") == 0);
  scene.world.start_host();
  CHECK(moca.request("delete_connector") == R"({"success":true})");
  scene.world.stop_host();
  CHECK(Database(file).number("SELECT count(*) FROM dead_letters") == 0);
  scene.world.start_host();
}

TEST_CASE("moca: with durability off a connector has all that it needs until the host ends") {
  MocaScene scene("", "off");
  {
    Puppet moca(scene);
    CHECK(text_of(moca.request(kTell, told("secret"))) == "the secret has 11 bytes");
    CHECK(count(moca.request("get_chats"), "The chat") == 1);
    scene.world.restart_host();
    CHECK(at(moca.request("get_chats"), "error.code") == "404");
  }
  Puppet again(scene);
  CHECK(count(again.request("get_chats"), "The chat") == 1);
}

TEST_CASE("moca: a service that the host does not serve any more is given back, by this run or by the next") {
  MocaScene scene;
  const auto file = scene.world.host.plugins() / "demo.so";
  const auto given_back = [&] { scene.world.broker.wait_for_log("\tdemo/#\n"); };
  SUBCASE("at once") {
    std::filesystem::remove(file);
    given_back();
    scene.world.restart_host();
  }
  SUBCASE("with its last connector") {
    Demo moca(scene);
    std::filesystem::remove(file);
    scene.world.host.process().wait_for_log("demo: 1 connector waiting");
    CHECK(at(moca.request("get_chats"), "error.code") == "503");
    CHECK(count(scene.world.broker.log(), "\tdemo/#\n") == 0);
    CHECK(moca.request("delete_connector") == R"({"success":true})");
    given_back();
    scene.world.restart_host();
  }
  SUBCASE("where it went while the host was away") {
    scene.world.stop_host();
    std::filesystem::remove(file);
    scene.world.start_host();
    given_back();
  }
  const std::string filters = read_file(scene.world.host.data() / "filters");
  CHECK(count(filters, "demo/#") == 0);
  CHECK(count(filters, "puppet/#") == 1);
}
