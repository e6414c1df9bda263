// The floor: what a client of libmosquitto needs to move the same packets as the echo bot, without JSON, rooms or
// state.
//
//   bench_raw_echo --port N --mode echo|starts [--qos 0|1] [--answer-bytes N] [--plain]
//
// echo: one wildcard subscription for all users; each message is answered on its room's msgPub topic with a payload of
// the shape and size that the host sends. Requests are answered at once.
// starts: `start` SUBSCRIBEs msgSub, waits for the SUBACK and answers; `end` UNSUBSCRIBEs and answers.
//
// It must not flatter the host, so it uses at most 3 reads and 2 writes a message; check it under load with
//
//   strace -c -f -e trace=read,write,sendto,recvfrom,poll -p PID
//
// With 100 in flight this shows, a message: QoS 0 0.02 reads and 1 write, QoS 1 0.01 reads and 2 writes (PUBACK and
// PUBLISH). With --plain, libmosquitto as it is: 3 and 2, and 6 and 4, and a poll() for each message.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "client.hpp"

namespace {

using std::string;
using std::string_view;

volatile std::sig_atomic_t stopped = 0;

struct Options {
  ClientOptions client{.id = "bench-raw-echo"};
  bool starts = false;
  size_t answer_bytes = 0;  // 0: the answer's natural size
};

// The value of the first `"key":` in `json`, a string without its quotes; empty when there is none.
string_view cut(string_view json, string_view quoted_key_and_colon) {
  const void* found = memmem(json.data(), json.size(), quoted_key_and_colon.data(), quoted_key_and_colon.size());
  if (!found) return {};
  const auto* begin = static_cast<const char*>(found) + quoted_key_and_colon.size();
  const string_view rest(begin, static_cast<size_t>(json.data() + json.size() - begin));
  if (rest.starts_with('"')) return rest.substr(1, rest.find('"', 1) - 1);
  return rest.substr(0, rest.find_first_of(",}"));
}

class RawEcho {
 public:
  explicit RawEcho(const Options& options) : options_(options), client_(options.client), waiting_(65536) {
    client_.on_message([this](string_view topic, string_view payload) {
      if (topic.find("/req/") != string_view::npos) return request(payload);
      echo(topic, payload);
    });
    client_.on_subscribed([this](int packet_id) { started(packet_id); });
    client_.subscribe_and_wait("s/+/a/+/t/+/req/#");
    if (!options.starts) client_.subscribe_and_wait("s/+/a/+/u/+/r/+/u/+");
  }

  void run() {
    while (!stopped) client_.turn(std::chrono::milliseconds(500));
  }

 private:
  struct Answer {
    string topic, payload;
  };

  void echo(string_view topic, string_view payload) {
    topic_.assign(topic, 0, topic.rfind("/u/"));
    topic_ += "/t/1";
    answer_ = R"({"t":1534424599225,"m":"you said: )";
    answer_ += cut(payload, R"("m":)");
    answer_ += R"(","_context":{"sp":1,"app":1,"user":100000,"room":100000,"session":100000,"bot":"1"},"_sid":100000})";
    if (options_.answer_bytes > 0) answer_.resize(options_.answer_bytes, ' ');
    client_.publish(topic_.c_str(), answer_);
  }

  void request(string_view json) {
    Answer answer{string(cut(json, R"("resPub":)")), R"({"jsonrpc":"2.0","id":")"};
    answer.payload += cut(json, R"("id":)");
    answer.payload += R"(","result":"OK"})";
    const string_view method = cut(json, R"("method":)");
    if (options_.starts && method == "start") {
      const auto packet_id = static_cast<size_t>(client_.subscribe(string(cut(json, R"("msgSub":)"))));
      waiting_[packet_id] = std::move(answer);
      return;
    }
    if (options_.starts && method == "end") client_.unsubscribe(msg_sub(json));
    client_.publish(answer.topic.c_str(), answer.payload);
  }

  void started(int packet_id) {
    Answer& answer = waiting_[static_cast<size_t>(packet_id)];
    if (answer.topic.empty()) return;
    client_.publish(answer.topic.c_str(), answer.payload);
    answer.topic.clear();
  }

  // A room's msgSub again, from its `_context`: this client remembers no rooms.
  static string msg_sub(string_view json) {
    string topic = "s/1/a/1/u/";
    topic.append(cut(json, R"("user":)")).append("/r/").append(cut(json, R"("room":)")).append("/u/+");
    return topic;
  }

  const Options options_;
  Client client_;
  std::vector<Answer> waiting_;  // for the SUBACK with this packet id; an empty topic: nobody waits
  string topic_, answer_;        // kept for their memory
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const string_view name = argv[i];
    if (name == "--plain") {
      options.client.plain = true;
      continue;
    }
    if (i + 1 == argc) throw std::invalid_argument(string(name) + ": needs a value");
    const char* value = argv[++i];
    if (name == "--port")
      options.client.port = std::atoi(value);
    else if (name == "--qos")
      options.client.qos = std::atoi(value);
    else if (name == "--mode")
      options.starts = string_view(value) == "starts";
    else if (name == "--answer-bytes")
      options.answer_bytes = static_cast<size_t>(std::atoi(value));
    else
      throw std::invalid_argument(string(name) + ": unknown option");
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) try {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { stopped = 1; });
  RawEcho echo(parse(argc, argv));
  std::puts("botel ready: no, but its floor is");
  std::fflush(stdout);
  echo.run();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_raw_echo: %s\n", error.what());
  return 1;
}
