// Under a sanitizer, processes that a test starts end by their signals all the same, and not by the sanitizer's report.
#pragma once

#include <cstdlib>
#include <string>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

inline void let_children_end_plainly() {
  for (const char* name : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
    const char* const given = std::getenv(name);
    const std::string before = given ? given : "";
    if (before.find("handle_segv") != std::string::npos) continue;
    const std::string options = before +
                                ":handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:"
                                "detect_leaks=0:report_thread_leaks=0";
    setenv(name, options.c_str(), 1);
  }
}
