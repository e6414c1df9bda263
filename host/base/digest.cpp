#include "base/digest.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <new>

#include "base/per_thread.hpp"

namespace botel {
namespace {

struct Sha256 {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

std::uint64_t number(std::string_view hex) {
  std::uint64_t read = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), read, 16);
  return read;
}

}  // namespace

std::string Digest::hex() const { return fmt::format("{:016x}{:016x}", high, low); }

Digest Digest::from_hex(std::string_view hex) {
  if (hex.size() != 32 || hex.find_first_not_of("0123456789abcdef") != std::string_view::npos) return {};
  return {number(hex.substr(0, 16)), number(hex.substr(16))};
}

Digest digest(std::initializer_list<std::string_view> texts) {
  const Sha256* const sha256 = per_thread<Sha256>();
  if (!sha256 || !sha256->context) throw std::bad_alloc();
  EVP_MD_CTX* const context = sha256->context.get();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  for (const std::string_view text : texts) {
    const std::uint64_t size = text.size();
    EVP_DigestUpdate(context, &size, sizeof size);
    EVP_DigestUpdate(context, text.data(), text.size());
  }
  std::array<unsigned char, 32> bytes{};
  EVP_DigestFinal_ex(context, bytes.data(), nullptr);
  Digest digest;
  std::memcpy(&digest.high, bytes.data(), sizeof digest.high);
  std::memcpy(&digest.low, bytes.data() + sizeof digest.high, sizeof digest.low);
  return digest;
}

}  // namespace botel
