// The threads of the black box: their places, their ends by a fatal signal or exit().
#include "base/black_box_threads.hpp"

#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <new>

#include "base/log.hpp"
#include "base/per_thread.hpp"
#include "base/signals.hpp"

namespace botel {
namespace black_box {
namespace {

constexpr std::size_t kSignalStack = 64 << 10;
constexpr int kMostWaits = 10'000;  // of a millisecond
constexpr std::chrono::milliseconds kTimeForLog{200};

// This thread's place; the signal handler may look at it, as it needs no construction.
constinit thread_local struct {
  const Memory* memory;
  Slot* slot;
} here{};

std::array<struct sigaction, 32> previous_actions{};  // by signal
pid_t host = 0;
constinit std::atomic<const Memory*> watched{};

enum Blame { kNobody, kNoting, kNoted };
constinit std::atomic<Blame> blame_state{kNobody};

// Not in a child that a handler has made.
bool in_host() { return getpid() == host; }

bool wait_until_noted() {
  constexpr timespec millisecond{0, 1'000'000};
  for (int i = 0; blame_state == kNoting && i < kMostWaits; ++i) nanosleep(&millisecond, nullptr);
  return blame_state != kNoting;
}

// All that is running. `record_of` gives the record of a slot. The header comes last, so that who is killed here leaves
// what was noted before.
template <class RecordOf>
void note_all(const Memory& memory, const RecordOf& record_of) {
  const auto note = [&file = *memory.file](std::size_t place, const Record& record) {
    if (record.state != kFree) file.write(Part::crash, place, record);
  };
  for (std::size_t i = 0; i < memory.suspects.size(); ++i) note(i, memory.suspect(i));
  for (std::size_t i = 0; i < memory.slots.size(); ++i) note(BlackBox::kMostSuspects + i, record_of(memory.slots[i]));
  memory.file->write_header(Part::crash, memory.alive_ms.load(std::memory_order_relaxed));
}

// Free where nothing runs.
Record running(const Slot& slot) {
  Record record{};
  const auto run = slot.run();
  return run != 0 && slot.read(run, record) ? record : Record{};
}

void note_crash(const Memory& memory, const Record* culprit, const Slot* where) {
  note_all(memory, [=](const Slot& slot) { return &slot == where ? *culprit : running(slot); });
}

void tell(int signal, const Record* culprit) {
  std::array<char, 400> line;
  char* to = line.data();
  const auto add = [&](std::string_view text) { to += text.copy(to, static_cast<std::size_t>(line.end() - 1 - to)); };
  add("botel: ");
  add(signal == 0 ? "exit()" : "fatal signal ");
  if (signal != 0) to = std::to_chars(to, line.end(), signal).ptr;
  if (culprit) {
    add(" in ");
    add({culprit->name, culprit->length});
  }
  const auto odd = [](char c) { return c < ' ' || c > '~'; };
  std::replace_if(line.data(), to, odd, '?');
  *to++ = '\n';
  // After what was logged before, but not where nobody reads: the process has to end.
  log::flush_in_signal_handler(kTimeForLog);
  pollfd wanted{STDERR_FILENO, POLLOUT, 0};
  if (poll(&wanted, 1, 0) <= 0) return;
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), static_cast<std::size_t>(to - line.data()));
}

// This thread ends the run by a signal, or 0 for exit(). What the other threads run into while the host falls apart is
// not their fault; but they must not end it before the disk has what is noted. [any thread], also in a signal handler
void blame(int signal) {
  if (!in_host()) return;
  Blame nobody = kNobody;
  if (!blame_state.compare_exchange_strong(nobody, kNoting)) {
    wait_until_noted();
    return;
  }
  Record record;
  const bool is_task = here.slot && here.slot->run() != 0 && here.slot->read(here.slot->run(), record);
  record.state = kEnded + signal;
  const Record* const culprit = is_task ? &record : nullptr;
  if (const Memory* memory = watched) note_crash(*memory, culprit, is_task ? here.slot : nullptr);
  blame_state = kNoted;
  tell(signal, culprit);
}

void on_fatal_signal(int signal, siginfo_t* info, void*) {
  const int error = errno;
  const bool sent = info->si_code <= 0;  // by kill() or raise()
  if (!sent || info->si_pid == getpid()) blame(signal);
  // After the return the fault happens once more, and then what was set before.
  sigaction(signal, &previous_actions[static_cast<std::size_t>(signal)], nullptr);
  if (sent) raise(signal);
  errno = error;
}

// Of the thread that calls exit().
void on_exit() {
  if (here.slot && here.slot->run() != 0) blame(0);
}

// What a thread holds until it ends.
struct Place {
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    leave();
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    if (stack) sigaltstack(&none, nullptr);
  }

  void leave() {
    if (here.slot && in_host()) here.slot->leave();
    here = {};
  }

  // Who has used up the stack leaves none for the signal handler.
  void make_stack() {
    stack_t used{};
    if (stack || sigaltstack(nullptr, &used) != 0 || !(used.ss_flags & SS_DISABLE)) return;
    stack.reset(new (std::nothrow) std::byte[kSignalStack]);
    const stack_t own{stack.get(), 0, kSignalStack};
    if (stack) sigaltstack(&own, nullptr);
  }

  std::shared_ptr<const Memory> memory;
  std::unique_ptr<std::byte[]> stack;
};

using Exit = void(int);

Exit* libc_exit() {
  static Exit* const found = reinterpret_cast<Exit*>(dlsym(RTLD_NEXT, "exit"));
  return found;
}

}  // namespace

void note_left(const Memory& memory, const std::vector<std::uint64_t>& innocent) {
  note_all(memory, [&](const Slot& slot) {
    Record record = running(slot);
    if (std::ranges::count(innocent, record.task) > 0) return Record{};
    if (record.state != kFree) record.state = kEnded + kLeft;
    return record;
  });
}

void watch(const Memory& memory) {
  libc_exit();                                                          // now, as it takes the linker's lock
  static const int registered [[maybe_unused]] = std::atexit(on_exit);  // for err() and its like, which call libc's own
  host = getpid();
  watched = &memory;
  struct sigaction action {};
  action.sa_sigaction = on_fatal_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  for (const int signal : kFatalSignals) {
    struct sigaction before {};
    sigaction(signal, &action, &before);
    if (before.sa_sigaction != on_fatal_signal) previous_actions[static_cast<std::size_t>(signal)] = before;
  }
}

void unwatch(const Memory& memory) {
  const Memory* expected = &memory;
  watched.compare_exchange_strong(expected, nullptr);
  while (!wait_until_noted()) {
  }
}

}  // namespace black_box

using namespace black_box;

void BlackBox::begin(std::uint64_t task, std::initializer_list<std::string_view> name, std::uint32_t number) noexcept {
  if (here.memory == memory_.get() || take_place()) here.slot->begin(task, name, number);
}

void BlackBox::end() noexcept {
  if (here.slot) here.slot->end();
}

bool BlackBox::take_place() noexcept {
  auto* const place = per_thread<Place>();
  if (!place) return false;
  place->leave();
  for (Slot& slot : memory_->slots) {
    if (!slot.take()) continue;
    here = {memory_.get(), &slot};
    place->memory = memory_;
    place->make_stack();
    return true;
  }
  return false;
}

}  // namespace botel

// Before anything is destroyed, which other threads may run into.
extern "C" void exit(int code) noexcept {
  botel::black_box::on_exit();
  botel::black_box::libc_exit()(code);
  __builtin_unreachable();
}
