// The code of a plugin in memory, and the threads that it has started: it must start none, and it cannot be unloaded
// while one runs.
//
// pthread_create() of this process is our own: it notes whose code a thread was started by, and calls libc's.
#pragma once

#include <cstddef>
#include <cstdint>

namespace botel::runtime {

class Code {
 public:
  Code();
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  // How many threads run that it has started, or that those have. [any thread]
  [[nodiscard]] std::size_t threads() const;

  // While one is there, this thread runs the code; null: the host's.
  class Scope {
   public:
    explicit Scope(const Code* code) noexcept;
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    const std::uint64_t before_;
  };

 private:
  const std::uint64_t id_;  // never used again, as a thread may outlive this
};

}  // namespace botel::runtime
