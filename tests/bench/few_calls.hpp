// libmosquitto 2.0 reads an MQTT packet in three or four read() calls (a byte, one or two length bytes, the rest), and
// writes a byte to its own socket pair for each packet that it queues. A floor with that waste in it would flatter
// whatever is measured against it, so these programs put their own read() and socketpair() in front of the C library's:
// a read() on the broker's socket takes all that is there, and the socket pair, which only libmosquitto's own loop
// listens to, is refused (libmosquitto goes on without it).
#pragma once

namespace few_calls {

// Before mosquitto_new: from now on libmosquitto gets no socket pair.
void refuse_socket_pairs();

// After connecting: `fd`, a non-blocking socket that is always read until EAGAIN, is read ahead. One socket a program.
void read_ahead(int fd);

// Something was read ahead that poll() cannot know of.
bool pending();

}  // namespace few_calls
