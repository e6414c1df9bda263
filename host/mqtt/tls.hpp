// TLS on the way to the broker: whom this host trusts, what it shows of itself, and why it fails, as a sentence.
// libmosquitto has one sentence for all of that.
#pragma once

#include <memory>
#include <string>

#include "base/files.hpp"
#include "base/result.hpp"

struct mosquitto;
struct ssl_ctx_st;
struct ssl_st;

namespace botel::mqtt {

struct TlsConfig {
  std::string host;  // the name, or the address, which the broker's certificate must have
  int port = 8883;
  std::string ca, cert, key;  // files; an empty ca means the system's
};

// Of one connection at a time: its thread connects, and the driver goes on when it has finished.
class Tls {
 public:
  static Result<std::shared_ptr<Tls>> create(TlsConfig config);
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // `client`, which must not outlive this, makes its connections with it.
  void use_for(mosquitto* client);

  // Before each connection: reads the files, which may have been renewed. An error: what is wrong with them.
  [[nodiscard]] Result<> load();

  // The client has a connection, and nobody has said anything yet. What the broker says of TLS is heard from here on
  // also where writing fails before reading: it may have ended the connection after a certificate that it refuses.
  void made(mosquitto* client);
  // The broker has greeted: it takes what it was shown.
  void accepted();

  // The connection has failed, or could not be made: why; empty: not by TLS, as far as is known.
  [[nodiscard]] std::string take_reason();

 private:
  explicit Tls(TlsConfig config);
  Result<> load_authorities();
  Result<> load_certificate();
  static void on_info(const ssl_st* ssl, int where, int value);
  void handshake_failed(const ssl_st* ssl);
  void note(std::string reason);
  [[nodiscard]] std::string why_untrusted(long verdict) const;
  [[nodiscard]] std::string why_refused(int alert) const;

  const TlsConfig config_;
  const std::shared_ptr<ssl_ctx_st> context_;
  std::string reason_;
  // Until the broker has greeted.
  std::shared_ptr<ssl_st> connection_;
  Descriptor socket_;  // a copy of libmosquitto's, which it closes at an error
};

}  // namespace botel::mqtt
