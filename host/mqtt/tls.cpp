#include "mqtt/tls.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <utility>

namespace botel::mqtt {
namespace {

constexpr auto kSystemFolder = "/etc/ssl/certs";

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> ignored{};
  return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

// Nobody is there to be asked for one. `asked`: a bool.
int no_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// What OpenSSL says of the error: the first one is the cause of the rest.
std::string describe(unsigned long error) {
  const char* const text = ERR_reason_error_string(error);
  return text ? text : "an unknown error";
}

}  // namespace

Result<std::shared_ptr<Tls>> Tls::create(TlsConfig config) {
  std::shared_ptr<Tls> tls(new Tls(std::move(config)));
  if (!tls->context_) return failure("TLS: {}", describe(ERR_peek_error()));
  return tls;
}

Tls::Tls(TlsConfig config) : config_(std::move(config)), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  SSL_CTX* const context = context_.get();
  if (!context) return;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_password);
  X509_VERIFY_PARAM* const wanted = SSL_CTX_get0_param(context);
  if (is_address(config_.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(wanted, config_.host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(wanted, config_.host.c_str(), 0);
  }
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_info_callback(context, on_info);
}

void Tls::use_for(mosquitto* client) {
  mosquitto_int_option(client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  mosquitto_void_option(client, MOSQ_OPT_SSL_CTX, context_.get());
}

Result<> Tls::load() {
  reason_.clear();
  ERR_clear_error();
  if (auto loaded = load_authorities(); !loaded) return loaded;
  return config_.cert.empty() ? Result<>() : load_certificate();
}

Result<> Tls::load_authorities() {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_cert_store(context, X509_STORE_new());
  if (config_.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    SSL_CTX_load_verify_dir(context, kSystemFolder);
  } else if (SSL_CTX_load_verify_file(context, config_.ca.c_str()) != 1) {
    return failure("{} (mqtt.ca) has no certificate that can be read: {}", config_.ca, describe(ERR_peek_error()));
  }
  return {};
}

Result<> Tls::load_certificate() {
  SSL_CTX* const context = context_.get();
  if (SSL_CTX_use_certificate_chain_file(context, config_.cert.c_str()) != 1) {
    return failure("{} (mqtt.cert) has no certificate that can be read: {}", config_.cert, describe(ERR_peek_error()));
  }
  ERR_clear_error();
  bool asked = false;
  SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
  const bool is_read = SSL_CTX_use_PrivateKey_file(context, config_.key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (asked) return failure("{} (mqtt.key) wants a password: keep it without one", config_.key);
  const auto error = ERR_peek_error();
  if (!is_read && ERR_GET_LIB(error) != ERR_LIB_X509) {
    return failure("{} (mqtt.key) has no key that can be read: {}", config_.key, describe(error));
  }
  if (!is_read || SSL_CTX_check_private_key(context) != 1) {
    return failure("{} (mqtt.key) is not the key of the certificate in {} (mqtt.cert)", config_.key, config_.cert);
  }
  return {};
}

void Tls::made(mosquitto* client) {
  SSL* const connection = static_cast<SSL*>(mosquitto_ssl_get(client));
  if (!connection || SSL_up_ref(connection) != 1) return;
  connection_.reset(connection, SSL_free);
  socket_ = Descriptor(fcntl(mosquitto_socket(client), F_DUPFD_CLOEXEC, 0));
}

void Tls::accepted() {
  connection_.reset();
  socket_.close();
}

std::string Tls::take_reason() {
  if (connection_ && reason_.empty()) {
    char ignored = 0;
    SSL_set_fd(connection_.get(), socket_.get());
    SSL_read(connection_.get(), &ignored, 1);  // on_info() notes what comes
    ERR_clear_error();
  }
  accepted();
  return std::exchange(reason_, {});
}

void Tls::on_info(const SSL* ssl, int where, int value) {
  Tls& tls = *static_cast<Tls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const bool fatal = (value >> 8) == SSL3_AL_FATAL;
  if (where == SSL_CB_READ_ALERT && fatal) tls.note(tls.why_refused(value & 0xFF));
  if (where == SSL_CB_CONNECT_EXIT && value <= 0) tls.handshake_failed(ssl);
}

void Tls::handshake_failed(const SSL* ssl) {
  const auto error = ERR_peek_error();
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  if (error == 0 && BIO_should_retry(SSL_get_rbio(ssl))) return;  // it waits for the other side
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) return note(why_untrusted(SSL_get_verify_result(ssl)));
  if (error == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return note(fmt::format("the other side ends the TLS handshake: is {} a port for TLS?", config_.port));
  }
  if (reason == SSL_R_WRONG_VERSION_NUMBER) {
    return note(fmt::format("what answers at port {} does not speak TLS", config_.port));
  }
  note("the TLS handshake fails: " + describe(error));
}

// What comes first is the cause of the rest.
void Tls::note(std::string reason) {
  if (reason_.empty()) reason_ = std::move(reason);
}

// By this host.
std::string Tls::why_untrusted(long verdict) const {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "the broker's certificate, or that of its authority, has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the broker's certificate, or that of its authority, is not valid yet: is the clock right?";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("the broker's certificate is not for {} (which has to be a subjectAltName of it)",
                         config_.host);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "the broker's certificate is from an authority that is not " +
             (config_.ca.empty() ? "known to this system: mqtt.ca names others" : "in " + config_.ca + " (mqtt.ca)");
    default: return fmt::format("the broker's certificate is refused: {}", X509_verify_cert_error_string(verdict));
  }
}

// By the broker.
std::string Tls::why_refused(int alert) const {
  const bool shows_none = config_.cert.empty();
  switch (alert) {
    case SSL_AD_CERTIFICATE_EXPIRED: return fmt::format("the certificate in {} (mqtt.cert) has expired", config_.cert);
    case SSL_AD_CERTIFICATE_REVOKED: return fmt::format("the certificate in {} (mqtt.cert) is revoked", config_.cert);
    case SSL_AD_UNKNOWN_CA:
      return fmt::format("the broker does not know the authority of the certificate in {} (mqtt.cert)", config_.cert);
    case SSL_AD_PROTOCOL_VERSION: return "the broker speaks no version of TLS from 1.2 on";
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_CERTIFICATE_REQUIRED: break;
    default: return fmt::format("the broker ends TLS: {}", SSL_alert_desc_string_long(alert));
  }
  if (shows_none && alert == SSL_AD_CERTIFICATE_REQUIRED) return "the broker wants a certificate: mqtt.cert, mqtt.key";
  const std::string why = SSL_alert_desc_string_long(alert);
  if (shows_none) return fmt::format("the broker ends TLS ({}): it may want a certificate (mqtt.cert, mqtt.key)", why);
  return fmt::format("the broker ends TLS ({}): it may refuse the certificate in {} (mqtt.cert)", why, config_.cert);
}

}  // namespace botel::mqtt
