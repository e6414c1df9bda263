// The load driver, a stand-in for Gitple: it starts rooms and talks to them, and measures. One line of key=value a run.
//
//   bench_load --port N --pid PID [--mode echo|starts] [--rooms N] [--qos 0|1] [--seconds N] [--bot ID]
//     echo:   [--in-flight N] [--messages N]  starts the rooms, keeps exactly N messages in flight, ends the rooms
//     starts: [--window N] [--cycles N]       starts all rooms, then ends all; N times
//
// The CPU time is that of process PID. A run that is not done in --seconds, or that loses an answer, fails.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "client.hpp"

namespace {

using std::string;
using std::string_view;
using Clock = std::chrono::steady_clock;

struct Options {
  ClientOptions client{.id = "bench-load"};
  bool starts = false;
  string pid, bot = "1";
  int rooms = 100, window = 100, cycles = 1;
  int in_flight = 100, messages = 100000;
  int seconds = 120;
};

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// utime + stime of a process, in microseconds. Fields 14 and 15; the name, field 2, may contain anything.
double cpu_us(const string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  string line;
  if (!std::getline(file, line)) throw std::runtime_error("no process " + pid);
  unsigned long user = 0, system = 0;
  const size_t name_end = line.rfind(')');
  const char* format = ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu";
  if (name_end == string::npos || std::sscanf(line.c_str() + name_end, format, &user, &system) != 2)
    throw std::runtime_error("cannot read /proc/" + pid + "/stat");
  return 1e6 * static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// The number after `prefix` in `text`; -1 when it is not there.
int number_after(string_view text, string_view prefix) {
  const void* found = memmem(text.data(), text.size(), prefix.data(), prefix.size());
  return found ? std::atoi(static_cast<const char*>(found) + prefix.size()) : -1;
}

// Room numbers have one length, so all packets of a kind have one size.
string context_of(int room, const string& bot) {
  const string number = std::to_string(100000 + room);
  return R"({"sp":1,"app":1,"user":)" + number + R"(,"room":)" + number + R"(,"session":)" + number + R"(,"bot":")" +
         bot + R"("})";
}

string room_topic(int room) {
  const string number = std::to_string(100000 + room);
  return "s/1/a/1/u/" + number + "/r/" + number;
}

class Driver {
 public:
  explicit Driver(const Options& options)
      : options_(options), client_(options.client), deadline_(Clock::now() + std::chrono::seconds(options.seconds)) {
    const string bot_topic = "s/1/a/1/t/" + options.bot;
    request_topic_ = bot_topic + "/req/t/" + options.bot;
    response_topic_ = bot_topic + "/res";
    client_.subscribe_and_wait(response_topic_);
  }

  void measure_starts();
  void measure_echo();

 private:
  template <typename Done>
  void turn_until(Done done) {
    while (!done()) {
      if (Clock::now() > deadline_)
        throw std::runtime_error("not done in time: " + std::to_string(answered_) + " of " +
                                 std::to_string(sent_until_) + " answered");
      client_.turn(std::chrono::milliseconds(1000));
    }
  }

  string start_request(int room) const;
  string end_request(int room) const;
  double request_all(string (Driver::*request)(int) const);  // returns seconds

  void send_next();
  void answered(string_view payload);
  void echo_until(int messages);

  const Options options_;
  Client client_;
  const Clock::time_point deadline_;
  string request_topic_, response_topic_;

  std::vector<string> topics_;           // a room's users' topic
  std::vector<Clock::time_point> sent_;  // by message; zero once it is answered
  std::vector<float> latencies_us_;
  int sent_until_ = 0, to_send_ = 0, answered_ = 0, repeated_ = 0;
  size_t answer_bytes_ = 0;
};

string Driver::start_request(int room) const {
  const string number = std::to_string(100000 + room), topic = room_topic(room);
  return R"({"jsonrpc":"2.0","id":"bench-)" + number + R"(","method":"start","params":{"_context":)" +
         context_of(room, options_.bot) + R"(,"user":{"id":)" + number +
         R"(,"identifier":"aaaa","role":"endUser","info":{}},"resPub":")" + response_topic_ + R"(","msgSub":")" +
         topic + R"(/u/+","msgPub":")" + topic + "/t/" + options_.bot + R"(","cmdPub":")" + topic + "/req/t/" +
         options_.bot + R"("}})";
}

string Driver::end_request(int room) const {
  return R"({"jsonrpc":"2.0","id":"bench-)" + std::to_string(100000 + room) +
         R"(","method":"end","params":{"_context":)" + context_of(room, options_.bot) + R"(,"user":null,"resPub":")" +
         response_topic_ + R"("}})";
}

double Driver::request_all(string (Driver::*request)(int) const) {
  int next = 0, done = 0;
  const auto send = [&] {
    if (next < options_.rooms) client_.publish(request_topic_.c_str(), (this->*request)(next++));
  };
  client_.on_message([&](string_view topic, string_view payload) {
    if (topic != response_topic_) return;
    if (payload.find(R"("error")") != string_view::npos)
      throw std::runtime_error("refused: " + string(payload.substr(0, 300)));
    ++done;
    send();
  });
  const auto begin = Clock::now();
  while (next < std::min(options_.window, options_.rooms)) send();
  turn_until([&] { return done == options_.rooms; });
  const double seconds = seconds_since(begin);
  client_.on_message({});
  return seconds;
}

void Driver::measure_starts() {
  double starting = 0, ending = 0, start_cpu = 0, end_cpu = 0;
  for (int cycle = 0; cycle < options_.cycles; ++cycle) {
    const double before = cpu_us(options_.pid);
    starting += request_all(&Driver::start_request);
    const double between = cpu_us(options_.pid);
    ending += request_all(&Driver::end_request);
    start_cpu += between - before;
    end_cpu += cpu_us(options_.pid) - between;
  }
  const double rooms = static_cast<double>(options_.rooms) * options_.cycles;
  std::printf("mode=starts qos=%d rooms=%d starts=%.0f ends=%.0f start_cpu_us=%.2f end_cpu_us=%.2f\n",
              options_.client.qos, options_.rooms, rooms / starting, rooms / ending, start_cpu / rooms,
              end_cpu / rooms);
}

void Driver::send_next() {
  char payload[64];
  const int number = sent_until_++;
  const int length = std::snprintf(payload, sizeof payload, R"({"t":1534424599756,"m":"bench-%09d"})", number);
  const auto& topic = topics_[static_cast<size_t>(number % options_.rooms)];
  sent_[static_cast<size_t>(number)] = Clock::now();
  client_.publish(topic.c_str(), {payload, static_cast<size_t>(length)});
}

void Driver::answered(string_view payload) {
  const int number = number_after(payload, "bench-");
  if (number < 0 || number >= sent_until_) return;  // a greeting, a typing notice
  auto& sent = sent_[static_cast<size_t>(number)];
  if (sent == Clock::time_point{}) {
    ++repeated_;
    return;
  }
  latencies_us_.push_back(std::chrono::duration<float, std::micro>(Clock::now() - sent).count());
  sent = {};
  ++answered_;
  answer_bytes_ = payload.size();
  if (sent_until_ < to_send_) send_next();
}

// In flight stay exactly --in-flight messages, until the last ones are sent.
void Driver::echo_until(int messages) {
  to_send_ = messages;
  while (sent_until_ < to_send_ && sent_until_ - answered_ < options_.in_flight) send_next();
  turn_until([&] { return answered_ == to_send_; });
}

void Driver::measure_echo() {
  request_all(&Driver::start_request);
  for (int room = 0; room < options_.rooms; ++room)
    topics_.push_back(room_topic(room) + "/u/" + std::to_string(100000 + room));
  client_.subscribe_and_wait("s/1/a/1/u/+/r/+/t/" + options_.bot);
  client_.on_message([this](string_view, string_view payload) { answered(payload); });

  const int warm_up = options_.messages / 10;
  sent_.resize(static_cast<size_t>(warm_up + options_.messages));
  latencies_us_.reserve(sent_.size());
  echo_until(warm_up);
  latencies_us_.clear();

  const double cpu_before = cpu_us(options_.pid);
  const auto begin = Clock::now();
  echo_until(warm_up + options_.messages);
  const double seconds = seconds_since(begin), cpu = cpu_us(options_.pid) - cpu_before;

  const auto quantile = [&](double part) {
    const auto place = latencies_us_.begin() + static_cast<int>(part * (options_.messages - 1));
    std::nth_element(latencies_us_.begin(), place, latencies_us_.end());
    return static_cast<double>(*place);
  };
  const double median = quantile(0.5), p99 = quantile(0.99);
  client_.on_message({});
  request_all(&Driver::end_request);
  std::printf("mode=echo qos=%d rooms=%d in_flight=%d messages=%d rate=%.0f cpu_us=%.2f p50_us=%.1f p99_us=%.1f ",
              options_.client.qos, options_.rooms, options_.in_flight, options_.messages, options_.messages / seconds,
              cpu / options_.messages, median, p99);
  std::printf("bytes=%zu repeated=%d\n", answer_bytes_, repeated_);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const string_view name = argv[i];
    const char* value = argv[i + 1];
    const int number = std::atoi(value);
    if (name == "--mode")
      options.starts = string_view(value) == "starts";
    else if (name == "--port")
      options.client.port = number;
    else if (name == "--qos")
      options.client.qos = number;
    else if (name == "--pid")
      options.pid = value;
    else if (name == "--bot")
      options.bot = value;
    else if (name == "--rooms")
      options.rooms = std::max(number, 1);
    else if (name == "--window")
      options.window = std::max(number, 1);
    else if (name == "--cycles")
      options.cycles = std::max(number, 1);
    else if (name == "--in-flight")
      options.in_flight = std::max(number, 1);
    else if (name == "--messages")
      options.messages = std::max(number, 10);
    else if (name == "--seconds")
      options.seconds = number;
    else
      throw std::invalid_argument(string(name) + ": unknown option");
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = parse(argc, argv);
  Driver driver(options);
  if (options.starts)
    driver.measure_starts();
  else
    driver.measure_echo();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_load: %s\n", error.what());
  return 1;
}
