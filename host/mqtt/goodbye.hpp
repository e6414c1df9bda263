// The end of a connection whose every byte the broker is to take in: the acknowledgements, and then the DISCONNECT.
//
// libmosquitto closes its socket as soon as the DISCONNECT is written. Where something is left unread there, the system
// then resets the connection, and the broker loses what it has not read yet. So the socket is kept open here, and read,
// until the broker has closed its end. Our end is not shut down either: many a proxy then closes both, and drops what
// the broker has not read.
#pragma once

#include <poll.h>

#include "base/clock.hpp"
#include "base/files.hpp"

struct mosquitto;
struct mqtt5__property;

namespace botel::mqtt {

class Goodbye {
 public:
  // Begins it, on a client that is connected and lives longer. `properties`: of the DISCONNECT; may be null.
  explicit Goodbye(mosquitto* client, const mqtt5__property* properties = nullptr);

  // What to wait for before the next advance().
  [[nodiscard]] pollfd descriptor() const;

  // Writes what is left, and throws away what comes. True: it is over.
  [[nodiscard]] bool advance();
  // All of it, until `deadline` at most.
  void finish(SteadyTime deadline);

 private:
  mosquitto* const client_;
  Descriptor socket_;
  bool written_ = false;
};

}  // namespace botel::mqtt
