#include "harness/certificates.hpp"

#include <stdexcept>

namespace harness {

Certificates::Certificates(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::filesystem::create_directories(folder_);
  write_file(folder_ / "index", "");
  write_file(folder_ / "ca.conf", "[ca]\ndefault_ca = all\n[all]\ndatabase = " + (folder_ / "index").string() +
                                      "\nnew_certs_dir = " + folder_.string() +
                                      "\nrand_serial = yes\ndefault_md = sha256\nunique_subject = no\npolicy = "
                                      "any\n[any]\ncommonName = supplied\n");
}

void Certificates::make_ca(const std::string& name) { make_key(name, {"-x509", "-days", "2", "-out", crt(name)}); }

void Certificates::make(const std::string& name, const CertificateOptions& options) {
  const std::string request = (folder_ / (name + ".csr")).string(), names = (folder_ / (name + ".names")).string();
  make_key(name, {"-out", request});
  write_file(names, "subjectAltName=" + options.names + "\n");
  openssl({"ca", "-batch", "-notext", "-config", (folder_ / "ca.conf").string(), "-in", request, "-cert",
           crt(options.ca), "-keyfile", key(options.ca), "-startdate", options.from, "-enddate", options.until,
           "-extfile", names, "-out", crt(name)});
}

void Certificates::make_key(const std::string& name, std::vector<std::string> arguments) const {
  const std::vector<std::string> all{
      "req",    "-subj",   "/CN=" + name, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
      "-nodes", "-keyout", key(name)};
  arguments.insert(arguments.begin(), all.begin(), all.end());
  openssl(std::move(arguments));
}

void Certificates::openssl(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "openssl");
  if (run(arguments, folder_ / "log") != 0) throw std::runtime_error("openssl: " + read_file(folder_ / "log"));
}

}  // namespace harness
