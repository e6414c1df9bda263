// An instance of a bot or a connector: the one place where the host calls a plugin's code.
#pragma once

#include <botel/abi.h>

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "runtime/code.hpp"

namespace botel::runtime {

class Actor;
struct Turn;

class Logic {
 public:
  // Makes an instance of `descriptor` with `config`, a JSON object. `library` keeps the plugin's code in memory as long
  // as the instance lives. [init]
  static Result<std::shared_ptr<Logic>> create(const botel_descriptor& descriptor, std::string_view config,
                                               std::shared_ptr<const Code> library);
  ~Logic();
  Logic(const Logic&) = delete;
  Logic& operator=(const Logic&) = delete;

  // Runs the handler for the turn's event, and notes in the turn what came of it. Touches nothing else of the host's,
  // so that any thread may run it. [actor]
  void handle(Turn& turn);

  // Frees what a handler attached to an actor. [any thread], while no call of that actor is running
  void drop(void* object);
  [[nodiscard]] bool can_drop() const { return descriptor_.drop != nullptr; }

  [[nodiscard]] std::string_view id() const { return descriptor_.id; }
  [[nodiscard]] std::string_view version() const { return descriptor_.version; }
  [[nodiscard]] std::uint32_t schema_written() const { return descriptor_.schema_written; }
  [[nodiscard]] std::uint32_t schema_oldest() const { return descriptor_.schema_oldest; }
  [[nodiscard]] bool can_read(std::uint32_t schema) const {
    return schema == 0 || (descriptor_.schema_oldest <= schema && schema <= descriptor_.schema_written);
  }

  // Kept by Runtime. [driver]
  std::uint64_t calls = 0, errors = 0;
  bool replaced_on_probation = false;
  std::list<Actor*> holders;  // that have an object of it attached, and are in no handler now

 private:
  Logic(const botel_descriptor& descriptor, std::shared_ptr<const Code> library);

  const std::shared_ptr<const Code> library_;
  const botel_descriptor& descriptor_;
  const botel_host host_;
  void* instance_ = nullptr;
  bool created_ = false;
};

}  // namespace botel::runtime
