// What a disk still has after the power was cut: the copies that shimmed_botel makes of the store at each sync.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

namespace chaos {

// A number from a database, 0 where there is none.
[[nodiscard]] long long query_number(const std::filesystem::path& database, const std::string& sql);

class Durable {
 public:
  // `folder`: where the copies are; `scratch`: for reading them.
  Durable(std::filesystem::path folder, std::filesystem::path scratch);

  // Puts copies that belong together, and nothing else, into an empty `target`.
  void copy_to(const std::filesystem::path& target) const;

  // Looks at the copies, and remembers: what was durable once stays so.
  // Whether the packet of this id is among those received.
  bool has_received(int packet);
  // Whether the actor that has `part` in its address has handled its event with this sequence.
  bool has_handled(const std::string& part, long long sequence);

 private:
  void look();

  const std::filesystem::path folder_, scratch_;
  std::set<int> received_;
  std::map<std::string, long long> handled_;  // the last sequence, by address
};

}  // namespace chaos
