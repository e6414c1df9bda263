// How bots and connectors in C++ become a plugin: their descriptors, and BOTEL_PLUGIN, which exports them.
//
//     BOTEL_PLUGIN(botel::bot<Helper>("helper", "1.0.0"), botel::connector<Demo>("demo", "1.0.0"));
#pragma once

#include <botel/abi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <type_traits>

#include "actor.hpp"
#include "error.hpp"

namespace botel {

// What a bot or a connector needs besides its name and version, when it changes the layout of its states or has a
// configuration.
struct PluginOptions {
  std::uint32_t schema_written = 1;
  std::uint32_t schema_oldest = 1;
  const char* config_schema = nullptr;  // JSON Schema draft-07
};

namespace detail {

// Runs `body`; what it throws becomes an error code and a message on the host. Nothing leaves as an exception.
template <class Body>
std::int32_t guarded(const botel_host* host, Body body) noexcept {
  try {
    body();
    return BOTEL_OK;
  } catch (const RetryAfter& retry) {
    // What is outside of the range would be another result code.
    return BOTEL_RETRY_AFTER(std::clamp<milliseconds::rep>(retry.delay.count(), 1, (1 << 30) - 1));
  } catch (const std::exception& error) {
    host->set_error(host, borrow(error.what()));
  } catch (...) {
    host->set_error(host, borrow("an exception that is no std::exception"));
  }
  return BOTEL_E_FAILED;
}

// The C functions of T, a Base (Bot, Connector) whose events come to it by `Dispatch` with a Context (Room, Account).
template <class T, class Base, class Context, void (*Dispatch)(Base&, Context&, const botel_event&)>
struct Thunks {
  static std::int32_t create(const botel_host* host, botel_str config, void** instance) noexcept {
    return guarded(host, [&] {
      if constexpr (std::is_constructible_v<T, std::string_view>) {
        *instance = static_cast<Base*>(new T(view(config)));
      } else {
        *instance = static_cast<Base*>(new T());
      }
    });
  }
  static void destroy(void* instance) noexcept { delete static_cast<Base*>(instance); }
  static std::int32_t handle(void* instance, const botel_call* call, const botel_event* event) noexcept {
    return guarded(call->host, [&] {
      Context context(*call, *event);
      Dispatch(*static_cast<Base*>(instance), context, *event);
    });
  }
  static void drop(void*, void* object) noexcept { delete static_cast<Cached*>(object); }
};

template <class Thunks>
constexpr botel_descriptor descriptor(std::int32_t kind, const char* id, const char* version,
                                      const PluginOptions& options) {
  return {sizeof(botel_descriptor),
          kind,
          id,
          version,
          options.schema_written,
          options.schema_oldest,
          options.config_schema,
          Thunks::create,
          Thunks::destroy,
          Thunks::handle,
          Thunks::drop,
          nullptr};
}

template <std::size_t N>
constexpr std::array<const botel_descriptor*, N> pointers(const std::array<botel_descriptor, N>& descriptors) {
  std::array<const botel_descriptor*, N> result{};
  for (std::size_t i = 0; i < N; ++i) result[i] = &descriptors[i];
  return result;
}

template <std::size_t N>
struct Note {
  botel_note_head head;
  botel_note_item items[N];
};

// What the host wants of a descriptor, for BOTEL_PLUGIN to say it first.
using Descriptors = std::span<const botel_descriptor>;

constexpr bool is_id(std::string_view id) {
  return !id.empty() && id.size() < sizeof botel_note_item::id &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}
constexpr bool have_ids(Descriptors all) {
  return std::ranges::all_of(all, [](const auto& one) { return one.id && is_id(one.id); });
}
// MOCA's topics begin with the id of a connector, and have others that begin with these.
constexpr bool have_free_ids(Descriptors all) {
  return std::ranges::none_of(all, [](const auto& one) {
    const std::string_view id = one.id;
    return one.kind == BOTEL_CONNECTOR && (id == "s" || id == "moca");
  });
}
constexpr bool have_ids_of_their_own(Descriptors all) {
  return std::ranges::all_of(all, [&](const auto& one) {
    return std::ranges::count_if(all, [&](const auto& other) { return std::string_view(one.id) == other.id; }) == 1;
  });
}
constexpr bool have_versions(Descriptors all) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; };
  return std::ranges::all_of(all, [&](const auto& one) {
    const std::string_view version = one.version ? one.version : "\n";
    return version.size() < sizeof botel_note_item::version && std::ranges::none_of(version, is_control);
  });
}
constexpr bool have_schemas(Descriptors all) {
  return std::ranges::all_of(
      all, [](const auto& one) { return 1 <= one.schema_oldest && one.schema_oldest <= one.schema_written; });
}

// What does not fit is left out: then BOTEL_PLUGIN does not compile.
template <std::size_t Size>
constexpr void copy(char (&to)[Size], std::string_view from) {
  from.substr(0, Size - 1).copy(to, Size - 1);
}

template <std::size_t N>
constexpr Note<N> note(const std::array<botel_descriptor, N>& descriptors) {
  Note<N> note{};
  note.head = {6, 12 + N * sizeof(botel_note_item), BOTEL_NOTE_TYPE, BOTEL_NOTE_OWNER, BOTEL_ABI_MAJOR, BOTEL_ABI_MINOR,
               N};
  for (std::size_t i = 0; i < N; ++i) {
    note.items[i].kind = descriptors[i].kind;
    note.items[i].schema_written = descriptors[i].schema_written;
    note.items[i].schema_oldest = descriptors[i].schema_oldest;
    copy(note.items[i].id, descriptors[i].id);
    copy(note.items[i].version, descriptors[i].version);
  }
  return note;
}

}  // namespace detail
}  // namespace botel

// Exports bots and connectors from a plugin. Once a plugin, at file scope.
#define BOTEL_PLUGIN(...)                                                                                            \
  namespace {                                                                                                        \
  constexpr std::array botel_descriptors{__VA_ARGS__};                                                               \
  static_assert(::botel::detail::have_ids(botel_descriptors),                                                        \
                "the id of a bot or connector is 1 to 51 of the characters a-z, 0-9, _ and -");                      \
  static_assert(::botel::detail::have_free_ids(botel_descriptors), "no connector may have the id s or moca");        \
  static_assert(::botel::detail::have_ids_of_their_own(botel_descriptors), "each has an id of its own");             \
  static_assert(::botel::detail::have_versions(botel_descriptors),                                                   \
                "a version is at most 31 bytes, none of them a control character");                                  \
  static_assert(::botel::detail::have_schemas(botel_descriptors),                                                    \
                "schema_oldest is at least 1, and not above schema_written");                                        \
  constexpr auto botel_descriptor_pointers = ::botel::detail::pointers(botel_descriptors);                           \
  BOTEL_NOTE_ATTRIBUTES constexpr auto botel_note_v1 = ::botel::detail::note(botel_descriptors);                     \
  }                                                                                                                  \
  extern "C" {                                                                                                       \
  extern BOTEL_EXPORT constexpr botel_entry botel_entry_v1 = {sizeof(botel_entry), BOTEL_ABI_MAJOR, BOTEL_ABI_MINOR, \
                                                              botel_descriptors.size(),                              \
                                                              botel_descriptor_pointers.data()};                     \
  }                                                                                                                  \
  static_assert(true)
