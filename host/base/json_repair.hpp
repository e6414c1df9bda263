// JSON of programs that are less strict than json::read(), made fit for it, and for every other strict reader.
//
// JavaScript writes half a surrogate pair, such as \ud83d, where it has cut a text inside an emoji. It is taken as
// U+FFFD. Byte order marks at the ends and NULs behind the end are taken off. Everything else is left to the reader.
#pragma once

#include <string>
#include <string_view>

namespace botel::json {

class Repaired {
 public:
  // Borrows `text`.
  explicit Repaired(std::string_view text);
  Repaired(const Repaired&) = delete;
  Repaired& operator=(const Repaired&) = delete;

  // Valid as long as this.
  [[nodiscard]] std::string_view text() const { return text_; }
  // A part of text() as it came.
  [[nodiscard]] std::string_view original(std::string_view part) const;

 private:
  const std::string_view original_;  // without what is taken off
  std::string copy_;                 // as long, and needed only where something is repaired
  std::string_view text_;
};

}  // namespace botel::json
