// Events and effects as the host keeps them: what crosses the ABI (sdk/include/botel/abi.h), with memory of their own.
#pragma once

#include <botel/abi.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace botel::runtime {

// One thing that happened to an actor. The runtime sets what is not the protocol's to say: id, sequence, time, seed.
struct Event {
  std::int32_t kind = 0;
  std::uint64_t id = 0;
  std::uint64_t sequence = 0;
  std::int64_t time_ms = 0;
  std::uint64_t seed = 0;
  std::uint64_t reply = 0;
  std::uint64_t tag = 0;
  std::uint32_t attempt = 1;
  std::uint32_t flags = 0;
  std::int32_t format = BOTEL_FORMAT_BYTES;
  std::int32_t status = 0;
  std::string payload{};
  std::string detail{};
  std::string blob{};
};

// One thing that shall happen once its event is committed.
struct Effect {
  std::int32_t kind = 0;
  std::uint64_t tag = 0;
  std::uint64_t reply = 0;
  std::chrono::milliseconds delay{0};
  std::int32_t format = BOTEL_FORMAT_BYTES;
  std::int32_t status = 0;
  std::string payload{};
  std::string detail{};
  std::string blob{};
};

}  // namespace botel::runtime
