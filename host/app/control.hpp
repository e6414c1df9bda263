// The socket in the data directory by which `botel plugins` and the like speak to a running host: one JSON object in a
// line, and one back, with a blank before it for each second in which it is not there yet. Only root and the host's
// user get an answer. Each of them has so many connections, and who does not go on with one for ten seconds loses it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace botel::app {

// [driver]
class Control {
 public:
  // Answers once, at any time, with a JSON object; nothing happens when whoever asked has gone.
  using Answer = std::function<void(const std::string& json)>;
  using OnRequest = std::function<void(const json::Document& request, const Answer& answer)>;

  // Makes the socket (0600) in `data`, whose lock the host holds.
  static Result<std::unique_ptr<Control>> open(const std::filesystem::path& data, OnRequest on_request);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // To be polled for POLLIN.
  [[nodiscard]] int descriptor() const { return epoll_.get(); }
  // Takes what has come in, and writes what can be written.
  void turn();
  // Tells those who wait that the host still lives, and ends what is idle. Call it at least once a second.
  void advance(SteadyTime now);

 private:
  struct Connection {
    Descriptor socket;
    uid_t user;
    SteadyTime since;  // when it was made, or answered
    std::string in{}, out{};
    bool asked = false;
  };

  Control(std::filesystem::path folder, Descriptor listener, Descriptor epoll, OnRequest on_request);
  void accept();
  void read(std::uint64_t id);
  void write(std::uint64_t id);

  const std::filesystem::path file_;
  const Descriptor listener_;
  const Descriptor epoll_;
  const OnRequest on_request_;
  std::map<std::uint64_t, Connection> connections_;
  std::uint64_t last_id_ = 0;
  log::Throttle complaints_;
  SteadyTime now_{}, next_sign_{};
  std::shared_ptr<Control*> self_;  // null once this is gone: answers may come late
};

// The answer to what cannot be done.
[[nodiscard]] std::string error_as_json(std::string_view why);

// The other side: what the host of `data` answers. An error when there is none, or there is no sign of life for five
// seconds. Blocks.
[[nodiscard]] Result<std::string> ask(const std::filesystem::path& data, const std::string& request);

}  // namespace botel::app
