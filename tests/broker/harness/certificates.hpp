// Certificates, made by openssl.
#pragma once

#include <filesystem>
#include <string>

#include "harness/process.hpp"

namespace harness {

struct CertificateOptions {
  std::string ca = "ca";
  std::string names = "DNS:localhost,IP:127.0.0.1";
  std::string from = "20200101000000Z", until = "20991231000000Z";
};

// Certificates with their keys in a folder: NAME.crt, NAME.key.
class Certificates {
 public:
  explicit Certificates(std::filesystem::path folder);

  // An authority.
  void make_ca(const std::string& name);
  // What an authority signs.
  void make(const std::string& name, const CertificateOptions& options = {});

  [[nodiscard]] std::string crt(const std::string& name) const { return (folder_ / (name + ".crt")).string(); }
  [[nodiscard]] std::string key(const std::string& name) const { return (folder_ / (name + ".key")).string(); }

 private:
  void openssl(std::vector<std::string> arguments) const;
  void make_key(const std::string& name, std::vector<std::string> arguments) const;

  const std::filesystem::path folder_;
};

}  // namespace harness
