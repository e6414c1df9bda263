/* The boundary between Botel and its plugins: plain C11 and C++20, x86-64 and other 64-bit ELF platforms.
 *
 * A plugin is a shared library that exports one const data symbol, `botel_entry_v1`, and carries the same metadata in
 * an ELF note (BOTEL_NOTE), so that a file can be judged before any of its code runs.
 *
 * The idea: the host owns every conversation (an *actor*: a Gitple room, a connector), a plugin is logic:
 *
 *     handle(event, state)  ->  effects, new state
 *
 * Effects and the new state commit together when the handler returns BOTEL_OK; otherwise nothing of it happened.
 *
 * Rules that hold everywhere:
 *   - Strings, JSON and states cross as {pointer, length}. Text and JSON are UTF-8. They are borrowed: what the host
 *     passes is valid until the handler returns, what a plugin passes only until the host function returns.
 *   - Whoever allocates frees. No C++ type, exception or allocator crosses. The host's functions never throw.
 *   - Times are Unix milliseconds, delays are milliseconds.
 *   - Structs that start with `size` grow only at their end. The writer sets `size`; the reader uses a member only if
 *     BOTEL_HAS(pointer, member). Structs without `size` never change.
 *   - Enumerations travel as int32_t. A reader ignores a value that it does not know.
 *   - Major versions must be equal; a host takes every plugin whose minor version is not above its own.
 *   - Threads are symbolic. [actor]: inside handle(), on the thread that runs it; never two calls at a time for one
 *     actor, but different actors run in parallel, on any thread. [init]: while a plugin is loaded or retired, one call
 *     at a time. [any thread]: whenever an instance exists. Plugins create no threads.
 */
#ifndef BOTEL_ABI_H
#define BOTEL_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BOTEL_ABI_MAJOR 1
#define BOTEL_ABI_MINOR 0

/* Whether the struct that `pointer` points to was written by somebody who knew `member`. */
#define BOTEL_HAS(pointer, member) \
  ((size_t)(pointer)->size >=      \
   (size_t)((const char*)&(pointer)->member - (const char*)(pointer)) + sizeof((pointer)->member))

/* Borrowed bytes. `ptr` may be NULL when `len` is 0; there is no terminating NUL to rely on. */
typedef struct botel_str {
  const char* ptr;
  size_t len;
} botel_str;

/* What a handler and most functions return. 0 commits, a negative value rolls back; see also BOTEL_RETRY_AFTER.
 * Every other positive value is reserved and counts as a failure. */
enum {
  BOTEL_OK = 0,
  BOTEL_E_FAILED = -1,      /* the plugin could not handle the event */
  BOTEL_E_INVALID = -2,     /* an argument is malformed: wrong UTF-8, not JSON, a negative delay */
  BOTEL_E_UNSUPPORTED = -3, /* the kind is unknown to this host, or does not belong to this actor */
  BOTEL_E_LIMIT = -4,       /* too many effects, or too many bytes, in one call */
  BOTEL_E_THREAD = -5       /* called outside the handler that the call belongs to */
};

/* Rolls back and asks for the same event again in `ms` milliseconds (1 to 2^30 - 1); the actor's later events wait.
 * After 20 attempts, or when the actor is to end, it has failed. */
#define BOTEL_RETRY_AFTER(ms) ((int32_t)(0x40000000 | (int32_t)(ms)))

/* Kinds of events and effects. Each extension owns a range of 256; these are the core's own. */
enum {
  BOTEL_KINDS_CORE = 0x000,
  BOTEL_KINDS_ROOM = 0x100,
  BOTEL_KINDS_TIMER = 0x200,
  BOTEL_KINDS_HTTP = 0x300,
  BOTEL_KINDS_WEBHOOK = 0x400,
  BOTEL_KINDS_CONNECTOR = 0x500
};

enum {
  BOTEL_EFFECT_STATE =
      0x001,                 /* payload: the actor's new state, replacing the old one. The last one of a call counts. */
  BOTEL_EFFECT_REPLY = 0x002 /* answers `reply` once. payload: JSON; status: 0 or an error code */
};

/* How a payload is to be read. */
enum { BOTEL_FORMAT_BYTES = 0, BOTEL_FORMAT_TEXT = 1, BOTEL_FORMAT_JSON = 2 };

/* Flags of an event. */
enum {
  BOTEL_EVENT_REPLAYED = 1u << 0,   /* from a recording: nothing of it leaves the host */
  BOTEL_EVENT_REDELIVERED = 1u << 1 /* the host may have handled it before a crash */
};

/* One thing that happened to an actor. Written by the host, read by a plugin. */
typedef struct botel_event {
  uint32_t size;
  int32_t kind;      /* unknown: return BOTEL_OK */
  uint64_t id;       /* unique in a host, also across restarts */
  uint64_t sequence; /* of the actor: 1, 2, 3, ... */
  int64_t time_ms;   /* when it happened. The only clock a handler may use, so that it can be replayed */
  uint64_t seed;     /* the only randomness a handler may use */
  uint64_t reply;    /* token to answer with BOTEL_EFFECT_REPLY, also in a later event; 0: no answer is wanted */
  uint64_t tag;      /* of a timer or a request: the number that the plugin chose for it; otherwise 0 */
  uint32_t attempt;  /* 1, and one more after each BOTEL_RETRY_AFTER or crash */
  uint32_t flags;
  int32_t format;    /* how to read `payload` */
  int32_t status;    /* of a result: 0 or the error's code */
  botel_str payload; /* what most handlers want; see the kind */
  botel_str detail;  /* JSON: the whole of it, when there is more than the payload; see the kind */
  botel_str blob;    /* name of a large body that the host keeps; empty: none */
} botel_event;

/* One thing that shall happen once the handler has returned BOTEL_OK. Written by a plugin, read by the host. */
typedef struct botel_effect {
  uint32_t size;
  int32_t kind;
  uint64_t tag;     /* chosen by the plugin; comes back in the event that results */
  uint64_t reply;   /* BOTEL_EFFECT_REPLY: the token of the event that is answered */
  int64_t delay_ms; /* how long after the effect before it this one leaves; delays all that follow. A timer: its time */
  int32_t format;   /* how to read `payload` */
  int32_t status;   /* see the kind */
  botel_str payload;
  botel_str detail; /* JSON, or empty; see the kind */
  botel_str blob;   /* name of a large body that the host keeps; empty: none */
} botel_effect;

/* Types of actors. Every descriptor has one `plugin` actor besides its rooms or connectors. */
#define BOTEL_ACTOR_ROOM "room"
#define BOTEL_ACTOR_CONNECTOR "connector"
#define BOTEL_ACTOR_PLUGIN "plugin"

struct botel_host;

/* One run of a handler: the actor it is for, and its state. Valid until the handler returns. [actor] */
typedef struct botel_call {
  uint32_t size;
  uint32_t state_schema; /* the schema that `state` was written in; 0 while there is none */
  const struct botel_host* host;
  botel_str type;    /* BOTEL_ACTOR_... */
  botel_str address; /* of the actor, unique in its type */
  botel_str info;    /* JSON, never changes while the actor lives; see the actor's extension */
  botel_str state;   /* as the last committed BOTEL_EFFECT_STATE left it; empty at first */
  void* cached;      /* what attach() left here, or NULL: the host may drop it at any time */
} botel_call;

/* Levels of botel_host.log. */
enum { BOTEL_LOG_DEBUG = 1, BOTEL_LOG_INFO = 2, BOTEL_LOG_WARNING = 3, BOTEL_LOG_ERROR = 4 };

/* What the host offers to an instance. Valid from create() until destroy() has returned. */
typedef struct botel_host {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;
  void* context; /* the host's own */

  /* Buffers one effect; it happens when the handler returns BOTEL_OK. BOTEL_OK, or an error and nothing is buffered. At
   * most 1000 effects, and 16 MiB, in one call. [actor] */
  int32_t (*emit)(const botel_call* call, const botel_effect* effect);

  /* Keeps `object` with the actor: the next calls find it in botel_call.cached until the host gives it to
   * botel_descriptor.drop. It is only a cache of the state: the host drops it whenever an event fails or the version
   * changes. An object attached before is dropped first; attaching the object that is there already changes nothing.
   * BOTEL_E_UNSUPPORTED: the descriptor has no drop.
   * [actor] */
  int32_t (*attach)(const botel_call* call, void* object);

  /* Says in words why the function that is running is about to return an error. [any thread] */
  void (*set_error)(const struct botel_host* host, botel_str message);

  /* Writes a line to the host's log, under the plugin's name. Neither secrets nor what users write belong there.
   * [any thread] */
  void (*log)(const struct botel_host* host, int32_t level, botel_str message);

  /* An extension of the host, such as "botel.room/1"; NULL when it has none of that id and revision. [any thread] */
  const void* (*extension)(const struct botel_host* host, const char* id);
} botel_host;

/* Kinds of descriptors. */
enum { BOTEL_BOT = 1, BOTEL_CONNECTOR = 2 };

/* One bot or connector of a plugin. Constant; lives as long as the library is loaded. */
typedef struct botel_descriptor {
  uint32_t size;
  int32_t kind;              /* BOTEL_BOT or BOTEL_CONNECTOR; unknown: the host ignores the descriptor */
  const char* id;            /* [a-z0-9_-]+, at most 51 bytes: the name that operators know */
  const char* version;       /* at most 31 bytes */
  uint32_t schema_written;   /* of the states it writes: 1, 2, 3, ... */
  uint32_t schema_oldest;    /* the oldest it can still read */
  const char* config_schema; /* JSON Schema draft-07 of its configuration, or NULL */

  /* Makes an instance from its configuration, a JSON object. No side effects: it may be thrown away unused.
   * BOTEL_OK and *instance (NULL is allowed), or an error and set_error. [init] */
  int32_t (*create)(const botel_host* host, botel_str config, void** instance);

  /* Ends an instance; no call of it is running, and none follows. [init] */
  void (*destroy)(void* instance);

  /* Handles one event: BOTEL_OK, an error (with set_error) or BOTEL_RETRY_AFTER. [actor] */
  int32_t (*handle)(void* instance, const botel_call* call, const botel_event* event);

  /* Frees what attach() was given, and must not wait: the whole host does meanwhile. NULL when the plugin attaches
   * nothing. No call of the actor is running. [any thread] */
  void (*drop)(void* instance, void* object);

  /* An extension of the plugin, by id and revision; the pointer itself may be NULL. [any thread] */
  const void* (*extension)(const char* id);
} botel_descriptor;

/* The one symbol that a plugin exports. */
typedef struct botel_entry {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t count;
  const botel_descriptor* const* descriptors;
} botel_entry;

/* The sizes that the structs had in version 1.0: what every plugin and every host of this major version has at least.
 */
enum {
  BOTEL_EVENT_SIZE_1 = 120,
  BOTEL_EFFECT_SIZE_1 = 88,
  BOTEL_CALL_SIZE_1 = 88,
  BOTEL_HOST_SIZE_1 = 64,
  BOTEL_DESCRIPTOR_SIZE_1 = 80,
  BOTEL_ENTRY_SIZE_1 = 24
};

#define BOTEL_ENTRY_SYMBOL "botel_entry_v1"
#define BOTEL_EXPORT __attribute__((visibility("default")))

extern BOTEL_EXPORT const botel_entry botel_entry_v1;

/* The ELF note: owner "Botel", type 1, in the section .note.botel. Its descriptor is the ABI's version, a count and as
 * many items, one for each descriptor of the entry and in the same order. */
#define BOTEL_NOTE_OWNER "Botel"
#define BOTEL_NOTE_TYPE 1u
#define BOTEL_NOTE_SECTION ".note.botel"

typedef struct botel_note_item {
  int32_t kind;
  uint32_t schema_written;
  uint32_t schema_oldest;
  char id[52];
  char version[32];
} botel_note_item;

typedef struct botel_note_head {
  uint32_t owner_size; /* of `owner` with its NUL, as ELF wants it */
  uint32_t body_size;  /* from abi_major to the last item */
  uint32_t type;
  char owner[8];
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t count;
} botel_note_head;

#define BOTEL_NOTE_ATTRIBUTES __attribute__((used, retain, aligned(4), section(BOTEL_NOTE_SECTION)))

/* BOTEL_NOTE(1, {BOTEL_BOT, 1, 1, "echo", "1.0.0"}) - once a plugin, at file scope, written in C.
 * C++ plugins use BOTEL_PLUGIN of plugin.hpp, which writes the entry and the note. */
#define BOTEL_NOTE(COUNT, ...)                                                                                       \
  BOTEL_NOTE_ATTRIBUTES static const struct {                                                                        \
    botel_note_head head;                                                                                            \
    botel_note_item items[COUNT];                                                                                    \
  } botel_note_v1 = {{6, 12 + (COUNT) * sizeof(botel_note_item), BOTEL_NOTE_TYPE, BOTEL_NOTE_OWNER, BOTEL_ABI_MAJOR, \
                      BOTEL_ABI_MINOR, (COUNT)},                                                                     \
                     {__VA_ARGS__}}

#ifdef __cplusplus
}
#endif

/* What is released stays where it is. A new member is appended to its struct and to this list. */
#ifdef __cplusplus
#define BOTEL_LAYOUT(condition) static_assert(condition, "the layout of the ABI has changed")
#else
#define BOTEL_LAYOUT(condition) _Static_assert(condition, "the layout of the ABI has changed")
#endif
#define BOTEL_AT(type, member, offset) BOTEL_LAYOUT(offsetof(type, member) == (offset))

BOTEL_LAYOUT(sizeof(void*) == 8 && sizeof(size_t) == 8);
BOTEL_LAYOUT(sizeof(botel_str) == 16);
BOTEL_AT(botel_event, kind, 4);
BOTEL_AT(botel_event, id, 8);
BOTEL_AT(botel_event, sequence, 16);
BOTEL_AT(botel_event, time_ms, 24);
BOTEL_AT(botel_event, seed, 32);
BOTEL_AT(botel_event, reply, 40);
BOTEL_AT(botel_event, tag, 48);
BOTEL_AT(botel_event, attempt, 56);
BOTEL_AT(botel_event, flags, 60);
BOTEL_AT(botel_event, format, 64);
BOTEL_AT(botel_event, status, 68);
BOTEL_AT(botel_event, payload, 72);
BOTEL_AT(botel_event, detail, 88);
BOTEL_AT(botel_event, blob, 104);
BOTEL_LAYOUT(sizeof(botel_event) == BOTEL_EVENT_SIZE_1);
BOTEL_AT(botel_effect, kind, 4);
BOTEL_AT(botel_effect, tag, 8);
BOTEL_AT(botel_effect, reply, 16);
BOTEL_AT(botel_effect, delay_ms, 24);
BOTEL_AT(botel_effect, format, 32);
BOTEL_AT(botel_effect, status, 36);
BOTEL_AT(botel_effect, payload, 40);
BOTEL_AT(botel_effect, detail, 56);
BOTEL_AT(botel_effect, blob, 72);
BOTEL_LAYOUT(sizeof(botel_effect) == BOTEL_EFFECT_SIZE_1);
BOTEL_AT(botel_call, state_schema, 4);
BOTEL_AT(botel_call, host, 8);
BOTEL_AT(botel_call, type, 16);
BOTEL_AT(botel_call, address, 32);
BOTEL_AT(botel_call, info, 48);
BOTEL_AT(botel_call, state, 64);
BOTEL_AT(botel_call, cached, 80);
BOTEL_LAYOUT(sizeof(botel_call) == BOTEL_CALL_SIZE_1);
BOTEL_AT(botel_host, context, 16);
BOTEL_AT(botel_host, emit, 24);
BOTEL_AT(botel_host, attach, 32);
BOTEL_AT(botel_host, set_error, 40);
BOTEL_AT(botel_host, log, 48);
BOTEL_AT(botel_host, extension, 56);
BOTEL_LAYOUT(sizeof(botel_host) == BOTEL_HOST_SIZE_1);
BOTEL_AT(botel_descriptor, kind, 4);
BOTEL_AT(botel_descriptor, id, 8);
BOTEL_AT(botel_descriptor, version, 16);
BOTEL_AT(botel_descriptor, schema_written, 24);
BOTEL_AT(botel_descriptor, schema_oldest, 28);
BOTEL_AT(botel_descriptor, config_schema, 32);
BOTEL_AT(botel_descriptor, create, 40);
BOTEL_AT(botel_descriptor, destroy, 48);
BOTEL_AT(botel_descriptor, handle, 56);
BOTEL_AT(botel_descriptor, drop, 64);
BOTEL_AT(botel_descriptor, extension, 72);
BOTEL_LAYOUT(sizeof(botel_descriptor) == BOTEL_DESCRIPTOR_SIZE_1);
BOTEL_AT(botel_entry, abi_major, 4);
BOTEL_AT(botel_entry, abi_minor, 8);
BOTEL_AT(botel_entry, count, 12);
BOTEL_AT(botel_entry, descriptors, 16);
BOTEL_LAYOUT(sizeof(botel_entry) == BOTEL_ENTRY_SIZE_1);
BOTEL_AT(botel_note_item, schema_written, 4);
BOTEL_AT(botel_note_item, schema_oldest, 8);
BOTEL_AT(botel_note_item, id, 12);
BOTEL_AT(botel_note_item, version, 64);
BOTEL_LAYOUT(sizeof(botel_note_item) == 96);
BOTEL_AT(botel_note_head, body_size, 4);
BOTEL_AT(botel_note_head, type, 8);
BOTEL_AT(botel_note_head, owner, 12);
BOTEL_AT(botel_note_head, abi_major, 20);
BOTEL_AT(botel_note_head, abi_minor, 24);
BOTEL_AT(botel_note_head, count, 28);
BOTEL_LAYOUT(sizeof(botel_note_head) == 32);
BOTEL_LAYOUT(BOTEL_OK == 0 && BOTEL_E_FAILED == -1 && BOTEL_E_INVALID == -2 && BOTEL_E_UNSUPPORTED == -3);
BOTEL_LAYOUT(BOTEL_E_LIMIT == -4 && BOTEL_E_THREAD == -5 && BOTEL_RETRY_AFTER(1) == 0x40000001);
BOTEL_LAYOUT(BOTEL_EFFECT_STATE == 1 && BOTEL_EFFECT_REPLY == 2 && BOTEL_BOT == 1 && BOTEL_CONNECTOR == 2);
BOTEL_LAYOUT(BOTEL_FORMAT_BYTES == 0 && BOTEL_FORMAT_TEXT == 1 && BOTEL_FORMAT_JSON == 2);
BOTEL_LAYOUT(BOTEL_EVENT_REPLAYED == 1u && BOTEL_EVENT_REDELIVERED == 2u);
BOTEL_LAYOUT(BOTEL_LOG_DEBUG == 1 && BOTEL_LOG_INFO == 2 && BOTEL_LOG_WARNING == 3 && BOTEL_LOG_ERROR == 4);

#endif
