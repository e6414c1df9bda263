#include "harness/world.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <stdexcept>

namespace harness {
namespace {

namespace fs = std::filesystem;

rapidjson::Document parse(const std::string& text) {
  rapidjson::Document document;
  constexpr unsigned flags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
  document.Parse<flags>(text.data(), text.size());
  return document;
}

std::string written(const rapidjson::Value& value) {
  if (value.IsString()) return {value.GetString(), value.GetStringLength()};
  rapidjson::StringBuffer buffer;
  rapidjson::Writer writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

std::vector<std::string> command(const fs::path& folder, const Host& host) {
  const HostOptions& options = host.options;
  std::vector<std::string> command{options.executable.empty() ? BOTEL_EXECUTABLE : options.executable,
                                   "run",
                                   "--config",
                                   (folder / "botel.toml").string(),
                                   "--data",
                                   host.data().string(),
                                   "--plugins",
                                   host.plugins().string()};
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  return command;
}

// Writes what the host is to find; returns where its log goes.
fs::path furnish(const fs::path& folder, const HostOptions& options) {
  fs::create_directories(folder);
  if (options.plugins.empty() && !fs::exists(folder / "plugins")) make_plugins(folder / "plugins");
  const std::string url = options.url.empty() ? "" : "url = " + quoted(options.url) + "\n";
  write_file(folder / "botel.toml",
             "[mqtt]\n" + url + options.mqtt + "\n[gitple]\n" + options.gitple + "\n[host]\n" + options.host + "\n" +
                 (options.store.empty() ? "" : "[store]\n" + options.store + "\n") + options.bots);
  fs::remove(folder / "botel.log");
  return folder / "botel.log";
}

HostOptions on(HostOptions options, const Broker& broker) {
  if (options.url.empty()) options.url = broker.url();
  return options;
}

}  // namespace

const char* const kBots = R"(
[[bot]]
id = "1"
name = "probe"
[[bot]]
id = "2"
name = "probe"
[[bot]]
id = "echo"
name = "echo"
[[bot]]
id = "sandwich"
name = "sandwich"
)";

std::string quoted(const std::string& text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

std::string at(const std::string& json, const std::string& path) {
  const auto document = parse(json);
  if (document.HasParseError()) throw std::runtime_error("this is no JSON: " + json.substr(0, 300));
  const rapidjson::Value* value = &document;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('.', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    if (!value->IsObject() || !value->HasMember(name.c_str())) return {};
    value = &(*value)[name.c_str()];
    begin = end + 1;
  }
  return written(*value);
}

bool is_json(const std::string& text) { return !parse(text).HasParseError(); }

Client::Wanted has(const std::string& path, const std::string& value) {
  return [=](const std::string& payload) { return is_json(payload) && at(payload, path) == value; };
}

Client::Wanted contains(const std::string& part) {
  return [=](const std::string& payload) { return payload.find(part) != std::string::npos; };
}

void make_plugins(const fs::path& folder) {
  fs::create_directories(folder);
  fs::permissions(folder, fs::perms(0755));  // whatever the umask: the host trusts no folder that others may write to
  for (const char* name : {"echo.so", "sandwich.so"}) {
    fs::create_symlink(fs::path(BOTEL_PLUGINS) / name, folder / name);
  }
  fs::create_symlink(BOTEL_PROBE, folder / "probe.so");
}

Host::Host(fs::path folder, HostOptions the_options) : options(std::move(the_options)), folder_(std::move(folder)) {
  start();
}

void Host::start() {
  const fs::path log = furnish(folder_, options);
  process_ = std::make_unique<Process>(Process::Options{command(folder_, *this), log, options.environment});
}

int Host::stop() {
  process_->signal(SIGTERM);
  return process_->wait();
}

void Host::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

fs::path Host::data() const { return options.data.empty() ? folder_ / "data" : fs::path(options.data); }
fs::path Host::plugins() const { return options.plugins.empty() ? folder_ / "plugins" : fs::path(options.plugins); }

std::string Room::own_context() const {
  if (!context.empty()) return context;
  return R"({"sp":)" + quoted(sp) + R"(,"app":)" + quoted(app) + R"(,"user":)" + quoted(user) + R"(,"room":)" +
         quoted(room) + R"(,"session":)" + session + R"(,"bot":)" + quoted(bot) + "}";
}

std::string Room::start_params() const {
  return R"({"_context":)" + own_context() + R"(,"user":{"id":7,"do":)" + quoted(commands) + R"(},"msgSub":)" +
         quoted(msg_sub()) + R"(,"msgPub":)" + quoted(msg_pub()) + R"(,"cmdPub":)" + quoted(cmd_pub()) +
         R"(,"resPub":)" + quoted(res_pub()) + (more.empty() ? "" : "," + more) + "}";
}

std::string Room::end_params() const {
  return R"({"_context":)" + own_context() + R"(,"resPub":)" + quoted(res_pub()) + "}";
}

std::string request(const std::string& id, const std::string& method, const std::string& params) {
  return R"({"jsonrpc":"2.0",)" + (id.empty() ? "" : R"("id":)" + id + ",") + R"("method":)" + quoted(method) +
         R"(,"params":)" + params + "}";
}

World::World(WorldOptions options)
    : broker(dir / "broker", options.broker),
      client(broker.port(), options.client),
      host(dir / "host", on(options.host, broker)) {
  client.subscribe("#");
  host.ready();
}

World::~World() {
  if (std::uncaught_exceptions() > 0) {
    const std::string log = host.log();
    MESSAGE("the end of the host's log:\n" << log.substr(log.size() - std::min<std::size_t>(log.size(), 3000)));
    return;
  }
  if (host.process().running()) CHECK(host.stop() == 0);
}

void World::stop_host(int signal_number) {
  if (signal_number == SIGKILL) return host.kill();
  CHECK(host.stop() == 0);
}

void World::start_host() {
  host.start();
  host.ready();
}

void World::restart_host(int signal_number) {
  stop_host(signal_number);
  start_host();
}

std::string World::next_id() { return "\"test-" + std::to_string(++last_id_) + "\""; }

Received World::start(const Room& room) {
  const std::string id = next_id();
  client.publish(room.requests(), request(id, "start", room.start_params()));
  return answer(room, id);
}

Received World::end(const Room& room) {
  const std::string id = next_id();
  client.publish(room.requests(), request(id, "end", room.end_params()));
  return answer(room, id);
}

Received World::answer(const Room& room, const std::string& id) {
  return client.expect(room.res_pub(), contains("\"id\":" + id), "the answer to " + id);
}

void World::tell(const Room& room, const std::string& text) {
  client.publish(room.from_user(), R"({"t":1534424599756,"m":)" + quoted(text) + "}");
}

Received World::hear(const Room& room, const std::string& text) {
  return client.expect(room.msg_pub(), has("m", text), "\"" + text + "\"");
}

Received World::asked(const Room& room, const std::string& method) {
  return client.expect(room.cmd_pub(), has("method", method), "the request " + method);
}

void World::reply(const Received& asked, const std::string& outcome) {
  client.publish(at(asked.payload, "params.resPub"),
                 R"({"jsonrpc":"2.0","id":)" + quoted(at(asked.payload, "id")) + "," + outcome + "}");
}

void World::fence() {
  const std::string id = next_id();
  client.publish("s/1/a/1/t/fence/req/t/fence", request(id, "fence", R"({"resPub":"s/1/a/1/t/fence/res"})"));
  client.expect("s/1/a/1/t/fence/res", contains("\"id\":" + id), "the host's answer: it must still serve");
}

}  // namespace harness
