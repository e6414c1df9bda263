// TLS: what is trusted on both sides, and what the log says when one of them refuses.
#include <doctest/doctest.h>

#include "harness/certificates.hpp"
#include "harness/world.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

constexpr const char* kExpired = "20200102000000Z";
constexpr const char* kFuture = "20990101000000Z";

// An authority, and a broker and a host with certificates of it.
struct Tls {
  Tls() : certificates(dir / "certificates") {
    certificates.make_ca("ca");
    certificates.make_ca("other-ca");
    certificates.make("client");
  }

  Broker& start_broker(const CertificateOptions& server = {}, const std::string& lines = "") {
    certificates.make("server", server);
    broker = std::make_unique<Broker>(
        dir / "broker",
        BrokerOptions{.lines = "cafile " + certificates.crt("ca") + "\ncertfile " + certificates.crt("server") +
                               "\nkeyfile " + certificates.key("server") + "\n" + lines});
    return *broker;
  }
  [[nodiscard]] std::string url() const { return "mqtts://127.0.0.1:" + std::to_string(broker->port()); }
  [[nodiscard]] std::string ca(const std::string& name) const {
    return "ca = " + quoted(certificates.crt(name)) + "\n";
  }
  [[nodiscard]] std::string own(const std::string& cert, const std::string& key) const {
    return "cert = " + quoted(certificates.crt(cert)) + "\nkey = " + quoted(certificates.key(key)) + "\n";
  }

  // What the log gives as the reason why there is no connection, with FOLDER for that of the certificates.
  [[nodiscard]] std::string reason(const std::string& url, const std::string& mqtt) const {
    Host host(dir / "host", {.url = url, .mqtt = mqtt});
    host.process().wait_for_log("next try in");
    CHECK(host.stop() == 0);
    CHECK(count(host.log(), "connected to the broker") == 0);
    std::string line = lines_with(host.log(), "; next try in").front();
    line.erase(line.find("; next try in"));
    const std::string before = " the broker 127.0.0.1:" + url.substr(url.rfind(':') + 1) + ": ";
    line.erase(0, line.find(before) + before.size());
    const std::string folder = (dir / "certificates").string();
    for (auto at = line.find(folder); at != std::string::npos; at = line.find(folder)) {
      line.replace(at, folder.size(), "FOLDER");
    }
    return line;
  }

  TempDir dir;
  Certificates certificates;
  std::unique_ptr<Broker> broker;
};

constexpr const char* kWantsCertificate = "require_certificate true\nuse_identity_as_username true\n";

}  // namespace

TEST_CASE("tls: both sides show a certificate, and large messages pass") {
  Tls tls;
  Broker& broker = tls.start_broker({}, kWantsCertificate);
  Client client(broker.port(), {.ca = tls.certificates.crt("ca"),
                                .cert = tls.certificates.crt("client"),
                                .key = tls.certificates.key("client")});
  client.subscribe("#");
  Host host(tls.dir / "host", {.url = tls.url(), .mqtt = tls.ca("ca") + tls.own("client", "client")});
  CHECK(host.ready() == "botel ready: " + tls.url() + ", bots echo probe sandwich");
  const Room room{.bot = "echo"};
  client.publish(room.requests(), request("1", "start", room.start_params()));
  client.expect(room.res_pub());
  const std::string text(1'000'000, 'x');
  for (int i = 0; i < 3; ++i) client.publish(room.from_user(), R"({"m":")" + text + "\"}");
  for (int i = 0; i < 3; ++i) client.expect(room.msg_pub(), has("m", "you said: " + text));
  CHECK(host.stop() == 0);
}

TEST_CASE("tls: a broker that this host does not trust is refused, and the log says why") {
  Tls tls;
  SUBCASE("an authority that it does not know") {
    tls.start_broker();
    CHECK(tls.reason(tls.url(), tls.ca("other-ca")) ==
          "the broker's certificate is from an authority that is not in FOLDER/other-ca.crt (mqtt.ca)");
    CHECK(tls.reason(tls.url(), "") ==
          "the broker's certificate is from an authority that is not known to this system: mqtt.ca names others");
  }
  SUBCASE("a time that is over, or yet to come") {
    tls.start_broker({.until = kExpired});
    CHECK(tls.reason(tls.url(), tls.ca("ca")) == "the broker's certificate, or that of its authority, has expired");
    tls.start_broker({.from = kFuture});
    CHECK(tls.reason(tls.url(), tls.ca("ca")) ==
          "the broker's certificate, or that of its authority, is not valid yet: is the clock right?");
  }
  SUBCASE("another name") {
    tls.start_broker({.names = "DNS:broker.example.com,IP:127.0.0.2"});
    CHECK(tls.reason(tls.url(), tls.ca("ca")) ==
          "the broker's certificate is not for 127.0.0.1 (which has to be a subjectAltName of it)");
  }
}

TEST_CASE("tls: a broker that does not trust this host ends the connection, and the log says why") {
  Tls tls;
  SUBCASE("no certificate") {
    tls.start_broker({}, kWantsCertificate);
    CHECK(tls.reason(tls.url(), tls.ca("ca")) == "the broker wants a certificate: mqtt.cert, mqtt.key");
  }
  SUBCASE("no certificate, in TLS 1.2") {
    tls.certificates.make("server");
    const std::string port = std::to_string(free_port());
    const Process server(
        {{"openssl", "s_server", "-accept", port, "-www", "-tls1_2", "-Verify", "1", "-CAfile",
          tls.certificates.crt("ca"), "-cert", tls.certificates.crt("server"), "-key", tls.certificates.key("server")},
         tls.dir / "server.log",
         {}});
    wait_until("the server", [&] { return accepts(std::stoi(port)); });
    CHECK(tls.reason("mqtts://127.0.0.1:" + port, tls.ca("ca")) ==
          "the broker ends TLS (handshake failure): it may want a certificate (mqtt.cert, mqtt.key)");
  }
  SUBCASE("one of another authority") {
    tls.certificates.make("client", {.ca = "other-ca"});
    tls.start_broker({}, kWantsCertificate);
    CHECK(tls.reason(tls.url(), tls.ca("ca") + tls.own("client", "client")) ==
          "the broker does not know the authority of the certificate in FOLDER/client.crt (mqtt.cert)");
  }
  SUBCASE("one that has expired") {
    tls.certificates.make("client", {.until = kExpired});
    tls.start_broker({}, kWantsCertificate);
    CHECK(tls.reason(tls.url(), tls.ca("ca") + tls.own("client", "client")) ==
          "the certificate in FOLDER/client.crt (mqtt.cert) has expired");
  }
}

TEST_CASE("tls: files of the configuration that are no use are named, and taken once they are right") {
  Tls tls;
  tls.start_broker();
  const auto& certificates = tls.certificates;
  SUBCASE("the key of another certificate") {
    CHECK(tls.reason(tls.url(), tls.ca("ca") + tls.own("client", "server")) ==
          "FOLDER/server.key (mqtt.key) is not the key of the certificate in FOLDER/client.crt (mqtt.cert)");
  }
  SUBCASE("a key that wants a password") {
    REQUIRE(run({"openssl", "ec", "-in", certificates.key("client"), "-aes256", "-passout", "pass:secret", "-out",
                 certificates.key("locked")},
                tls.dir / "log") == 0);
    CHECK(tls.reason(tls.url(), tls.ca("ca") + tls.own("client", "locked")) ==
          "FOLDER/locked.key (mqtt.key) wants a password: keep it without one");
  }
  SUBCASE("files that have something else in them") {
    for (const std::string& file : {certificates.crt("empty"), certificates.key("empty")})
      write_file(file, "nothing\n");
    CHECK(count(tls.reason(tls.url(), tls.ca("empty")),
                "FOLDER/empty.crt (mqtt.ca) has no certificate that can be read: ") == 1);
    CHECK(count(tls.reason(tls.url(), tls.ca("ca") + tls.own("empty", "client")),
                "FOLDER/empty.crt (mqtt.cert) has no certificate that can be read: ") == 1);
    CHECK(count(tls.reason(tls.url(), tls.ca("ca") + tls.own("client", "empty")),
                "FOLDER/empty.key (mqtt.key) has no key that can be read: ") == 1);
  }
  SUBCASE("a file that is put right while the host runs") {
    write_file(certificates.crt("late"), "nothing\n");
    Host host(tls.dir / "host", {.url = tls.url(), .mqtt = tls.ca("late")});
    host.process().wait_for_log("has no certificate that can be read");
    fs::copy_file(certificates.crt("ca"), certificates.crt("late"), fs::copy_options::overwrite_existing);
    host.ready();
    CHECK(host.stop() == 0);
  }
}

TEST_CASE("tls: who does not speak TLS is told apart") {
  Tls tls;
  Broker plain(tls.dir / "plain");
  const std::string port = std::to_string(plain.port());
  CHECK(tls.reason("mqtts://127.0.0.1:" + port, tls.ca("ca")) ==
        "the other side ends the TLS handshake: is " + port + " a port for TLS?");
  tls.start_broker();
  const std::string secure = std::to_string(tls.broker->port());
  CHECK(tls.reason("mqtt://127.0.0.1:" + secure, "") ==
        "the other side ends the connection without a greeting: is " + secure + " a port for TLS (mqtts://)?");
}
