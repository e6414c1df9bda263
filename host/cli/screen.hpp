// Where a conversation is shown: a terminal with a prompt, or a plain transcript.
#pragma once

#include <string>
#include <string_view>

#include "cli/conversation.hpp"

namespace botel::cli {

// Writes to stdout.
class Screen final : public View {
 public:
  // `terminal`: the user sees what he types, so that only the other side's part is to be shown, and a prompt.
  explicit Screen(bool terminal) : terminal_(terminal) {}

  void show(std::string_view line) override;
  void sent(std::string_view line) override;
  void typing(bool on) override;

  // Asks for a line, once until it is entered or something else is shown. Whether it did so now.
  bool prompt(const std::string& text);
  // A line has been entered: the cursor is on a new one.
  void entered() { at_ = At::start; }
  // Leaves the cursor on an empty line.
  void leave_line();

 private:
  enum class At { start, prompt, typing };

  void write(std::string_view text);

  const bool terminal_;
  At at_ = At::start;
};

}  // namespace botel::cli
