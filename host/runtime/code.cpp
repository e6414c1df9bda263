#include "runtime/code.hpp"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <new>

namespace botel::runtime {
namespace {

using Id = std::uint64_t;  // 0: the host itself

thread_local Id current = 0;

// Never destroyed, as a thread may outlive everything else.
struct Threads {
  std::mutex mutex;
  std::map<Id, std::size_t> counts;

  static Threads& all() {
    static Threads& threads = *new Threads;
    return threads;
  }
  void add(Id id) {
    const std::lock_guard lock(mutex);
    ++counts[id];
  }
  void remove(Id id) {
    const std::lock_guard lock(mutex);
    if (--counts[id] == 0) counts.erase(id);
  }
};

struct Start {
  void* (*run)(void*);
  void* argument;
  Id id;
};

pthread_key_t key();

// A thread counts until its last destructors: those of keys run in rounds, behind those of thread_local. The last round
// is left to sanitizers.
void note_end(void* id) {
  thread_local int round = 0;
  if (++round < PTHREAD_DESTRUCTOR_ITERATIONS - 1) {
    pthread_setspecific(key(), id);
  } else {
    Threads::all().remove(reinterpret_cast<Id>(id));
  }
}

pthread_key_t key() {
  static const pthread_key_t made = [] {
    pthread_key_t fresh{};
    pthread_key_create(&fresh, note_end);
    return fresh;
  }();
  return made;
}

void* run_counted(void* given) {
  const Start start = *static_cast<Start*>(given);
  delete static_cast<Start*>(given);
  current = start.id;
  pthread_setspecific(key(), reinterpret_cast<void*>(start.id));
  return start.run(start.argument);
}

using Create = int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

Create* libc() {
  static Create* const create = reinterpret_cast<Create*>(dlsym(RTLD_NEXT, "pthread_create"));
  return create;
}

int create_counted(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
  auto* const start = new (std::nothrow) Start{run, argument, current};
  if (!start) return EAGAIN;
  const Id id = current;
  Threads::all().add(id);
  const int error = libc()(thread, attributes, run_counted, start);
  if (error == 0) return 0;
  Threads::all().remove(id);
  delete start;
  return error;
}

Id next_id() {
  static std::atomic<Id> last{0};
  return ++last;
}

}  // namespace

Code::Code() : id_(next_id()) {}

std::size_t Code::threads() const {
  Threads& all = Threads::all();
  const std::lock_guard lock(all.mutex);
  const auto found = all.counts.find(id_);
  return found == all.counts.end() ? 0 : found->second;
}

Code::Scope::Scope(const Code* code) noexcept : before_(current) { current = code ? code->id_ : 0; }
Code::Scope::~Scope() { current = before_; }

}  // namespace botel::runtime

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                              void* argument) noexcept {
  using namespace botel::runtime;
  if (current == 0) return libc()(thread, attributes, run, argument);
  return create_counted(thread, attributes, run, argument);
}
