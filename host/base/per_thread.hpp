// What belongs to a thread: made at its first use there, and destroyed when the thread ends (but not by exit()). A
// thread_local with a destructor would do the same, but its first use waits for the linker's lock, which is held for as
// long as a plugin's constructor runs.
#pragma once

#include <pthread.h>

#include <memory>
#include <new>

namespace botel {

// Null: there is no memory for it. [any thread]
template <class T>
T* per_thread() noexcept {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    pthread_key_create(&made, [](void* object) { delete static_cast<T*>(object); });
    return made;
  }();
  if (void* const object = pthread_getspecific(key)) return static_cast<T*>(object);
  std::unique_ptr<T> object(new (std::nothrow) T);
  if (!object || pthread_setspecific(key, object.get()) != 0) return nullptr;
  return object.release();
}

}  // namespace botel
