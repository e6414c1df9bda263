#include "runtime/role.hpp"

namespace botel::runtime {

std::size_t Role::actors() const {
  std::size_t all = 0;
  for (const auto& [schema, count] : schemas_) all += count;
  return all;
}

std::size_t Role::unreadable(std::uint32_t oldest, std::uint32_t newest) const {
  std::size_t unreadable = 0;
  for (const auto& [schema, count] : schemas_) {
    if (schema != 0 && (schema < oldest || schema > newest)) unreadable += count;
  }
  return unreadable;
}

std::size_t Role::would_lose(std::uint32_t oldest, std::uint32_t newest) const {
  std::size_t lost = 0;
  for (const auto& [schema, count] : schemas_) {
    const bool is_read = !logic_ || logic_->can_read(schema);
    if (is_read && schema != 0 && (schema < oldest || schema > newest)) lost += count;
  }
  return lost;
}

}  // namespace botel::runtime
