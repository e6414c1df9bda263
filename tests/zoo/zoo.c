/* One bot in many builds: good ones that differ in version and schema, and one for each way of going wrong.
 *
 * A good one says "VERSION TEXT" to each message and keeps VERSION as its state; it does what these words ask for:
 *     fail      returns an error            crash     takes the host with it
 *     state     says what the state was     thread    starts a thread that never ends
 *     attach    keeps an object with the room
 *     until F   waits until there is a file F, as does a start that has it in its info
 *     dep       says what its library says, if it has one
 */
#include <botel/abi.h>
#include <botel/ext/room.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ZOO_ID
#define ZOO_ID "zoo"
#endif
#ifndef ZOO_VERSION
#define ZOO_VERSION "1.0.0"
#endif
#ifndef ZOO_WRITES
#define ZOO_WRITES 1
#endif
#ifndef ZOO_READS
#define ZOO_READS 1
#endif

#ifdef ZOO_HANGS_WHEN_LOADED
__attribute__((constructor)) static void hang_when_loaded(void) {
  for (;;) pause();
}
#endif
#ifdef ZOO_EXITS_WHEN_LOADED
__attribute__((constructor)) static void exit_when_loaded(void) { exit(0); }
#endif
#ifdef ZOO_CRASHES_WHEN_LOADED
__attribute__((constructor)) static void crash_when_loaded(void) { raise(SIGSEGV); }
#endif
// In the process that is started for it, not in the host.
static int is_tried(void) {
  static const char command[] = "botel\0probe";
  char words[sizeof command] = {0};
  const int file = open("/proc/self/cmdline", O_RDONLY);
  const ssize_t size = read(file, words, sizeof words);
  close(file);
  return size == sizeof words && memcmp(words, command, sizeof words) == 0;
}
#if defined ZOO_CRASHES_IN_THE_HOST || defined ZOO_HANGS_IN_THE_HOST
__attribute__((constructor)) static void fail_where_it_is_not_tried(void) {
  if (is_tried()) return;
#ifdef ZOO_HANGS_IN_THE_HOST
  for (;;) pause();
#endif
  raise(SIGSEGV);
}
#endif
#ifdef ZOO_LACKS_A_SYMBOL
extern int32_t nobody_has_this(void);
#endif
#ifdef ZOO_HAS_A_PRIVATE_LIBRARY
extern int32_t zoo_private(void);
#endif
#ifdef ZOO_OPENS
#define ZOO_DEP opened_dep
static void* opened;
static const char* opened_dep(void) {
  const char* (*dep)(void);
  *(void**)&dep = dlsym(opened, "zoo_dep");
  return dep();
}
#elif defined ZOO_DEP
extern const char* ZOO_DEP(void);
#endif

static int say(const botel_call* call, const char* text, size_t len) {
  botel_effect effect;
  memset(&effect, 0, sizeof effect);
  effect.size = sizeof effect;
  effect.kind = BOTEL_ROOM_SAY;
  effect.format = BOTEL_FORMAT_TEXT;
  effect.payload.ptr = text;
  effect.payload.len = len;
  return call->host->emit(call, &effect);
}

static int save_version(const botel_call* call) {
  botel_effect effect;
  memset(&effect, 0, sizeof effect);
  effect.size = sizeof effect;
  effect.kind = BOTEL_EFFECT_STATE;
  effect.payload.ptr = ZOO_VERSION;
  effect.payload.len = strlen(ZOO_VERSION);
  return call->host->emit(call, &effect);
}

static int32_t fail(const botel_host* host, const char* why) {
  const botel_str message = {why, strlen(why)};
  host->set_error(host, message);
  return BOTEL_E_FAILED;
}

static void* run_for_ever(void* nothing) {
  for (;;) pause();
  return nothing;
}

static void start_thread(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_for_ever, NULL) == 0) pthread_detach(thread);
}

static int32_t create(const botel_host* host, botel_str config, void** instance) {
  (void)host, (void)config;
  *instance = NULL;
#ifdef ZOO_HANGS_WHEN_MADE
  for (;;) pause();
#endif
#ifdef ZOO_EXITS_WHEN_MADE
  _exit(0);
#endif
#ifdef ZOO_CRASHES_WHEN_MADE
  raise(SIGSEGV);
#endif
#ifdef ZOO_ABORTS_WHEN_MADE
  fputs("zoo: I give up\n", stderr);
  abort();
#endif
#ifdef ZOO_STARTS_A_THREAD
  start_thread();
#endif
#ifdef ZOO_OPENS
  opened = dlopen(ZOO_OPENS, RTLD_NOW | RTLD_LOCAL);
  if (!opened) return fail(host, dlerror());
#endif
#ifdef ZOO_LACKS_MEMORY_IN_THE_HOST
  if (getenv("ZOO_NO_MEMORY") && !is_tried()) return BOTEL_E_LIMIT;
#endif
#ifdef ZOO_CANNOT_BE_MADE
  return fail(host, "I do not want to");
#endif
  return BOTEL_OK;
}

static void destroy(void* instance) {
  (void)instance;
#ifdef ZOO_OPENS
  dlclose(opened);
#endif
}
static void drop(void* instance, void* object) {
  (void)instance;
  free(object);
}

static int is(botel_str text, const char* word) {
  return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

// "until FILE": not before there is such a file.
static void wait_for_file(botel_str text) {
  static const char word[] = "until /";
  for (size_t i = 0; i + sizeof word < text.len; ++i) {
    if (memcmp(text.ptr + i, word, sizeof word - 1) != 0) continue;
    char path[200] = {0};
    for (size_t at = i + 6, to = 0; at < text.len && text.ptr[at] != '"' && to < sizeof path - 1; ++at) {
      path[to++] = text.ptr[at];
    }
    while (access(path, F_OK) != 0) usleep(1000);
    return;
  }
}

static int32_t answer(const botel_call* call, botel_str text) {
  if (is(text, "fail")) return fail(call->host, "told to fail");
  if (is(text, "crash")) raise(SIGSEGV);
  if (is(text, "state")) return say(call, call->state.ptr, call->state.len);
#ifdef ZOO_DEP
  if (is(text, "dep")) return say(call, ZOO_DEP(), strlen(ZOO_DEP()));
#endif
  if (is(text, "thread")) start_thread();
  if (is(text, "attach")) call->host->attach(call, malloc(100));
  char line[200];
  const int size =
      snprintf(line, sizeof line, "%s %.*s", ZOO_VERSION, (int)(text.len < 100 ? text.len : 100), text.ptr);
  if (say(call, line, (size_t)size) != BOTEL_OK) return BOTEL_E_FAILED;
  return save_version(call);
}

static int32_t handle(void* instance, const botel_call* call, const botel_event* event) {
  (void)instance;
#ifdef ZOO_LACKS_A_SYMBOL
  if (event->kind == -7) return nobody_has_this();
#endif
#ifdef ZOO_HAS_A_PRIVATE_LIBRARY
  if (event->kind == -7) return zoo_private();
#endif
#ifdef ZOO_FAILS
  return fail(call->host, "I always fail");
#endif
  switch (event->kind) {
    case BOTEL_ROOM_START: wait_for_file(call->info);
#ifdef ZOO_CRASHES_AT_THE_START
      raise(SIGSEGV);
#endif
#ifdef ZOO_SAYS_ITS_START
      return say(call, ZOO_VERSION " start", strlen(ZOO_VERSION " start"));
#endif
      return BOTEL_OK;
    case BOTEL_ROOM_MESSAGE:
#ifdef ZOO_CRASHES_AT_A_MESSAGE
      raise(SIGSEGV);
#endif
#ifdef ZOO_HANGS_AT_A_MESSAGE
      for (;;) pause();
#endif
      wait_for_file(event->payload);
      return answer(call, event->payload);
    case BOTEL_ROOM_TIMEOUT: {
      botel_effect effect;
      memset(&effect, 0, sizeof effect);
      effect.size = sizeof effect;
      effect.kind = BOTEL_ROOM_DO_END;
      return call->host->emit(call, &effect);
    }
    default: return BOTEL_OK;
  }
}

#define ZOO_DESCRIPTOR(ID)                                                                                          \
  {                                                                                                                 \
    .size = sizeof(botel_descriptor), .kind = BOTEL_BOT, .id = (ID), .version = ZOO_VERSION,                        \
    .schema_written = ZOO_WRITES, .schema_oldest = ZOO_READS, .config_schema = ZOO_CONFIG_SCHEMA, .create = create, \
    .destroy = destroy, .handle = handle, .drop = drop                                                              \
  }
#ifdef ZOO_WANTS_A_GREETING
#define ZOO_CONFIG_SCHEMA \
  "{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\"}},\"required\":[\"greeting\"]}"
#else
#define ZOO_CONFIG_SCHEMA NULL
#endif

static const botel_descriptor zoo = ZOO_DESCRIPTOR(ZOO_ID);
#ifdef ZOO_SECOND_ID
static const botel_descriptor second = ZOO_DESCRIPTOR(ZOO_SECOND_ID);
static const botel_descriptor* const descriptors[] = {&zoo, &second};
#define ZOO_COUNT 2
#else
static const botel_descriptor* const descriptors[] = {&zoo};
#define ZOO_COUNT 1
#endif

#ifdef ZOO_ABI_MAJOR
#undef BOTEL_ABI_MAJOR
#define BOTEL_ABI_MAJOR ZOO_ABI_MAJOR
#endif
#ifdef ZOO_ABI_MINOR
#undef BOTEL_ABI_MINOR
#define BOTEL_ABI_MINOR ZOO_ABI_MINOR
#endif

#ifndef ZOO_HAS_NO_ENTRY
const botel_entry botel_entry_v1 = {sizeof(botel_entry), BOTEL_ABI_MAJOR, BOTEL_ABI_MINOR, ZOO_COUNT, descriptors};
#else
const void* const zoo_unused[] = {&zoo, descriptors};
#endif

#ifdef ZOO_OTHER_NOTE
#undef ZOO_ID
#define ZOO_ID "somebody-else"
#endif
#ifndef ZOO_HAS_NO_NOTE
#ifdef ZOO_SECOND_ID
BOTEL_NOTE(2, {BOTEL_BOT, ZOO_WRITES, ZOO_READS, ZOO_ID, ZOO_VERSION},
           {BOTEL_BOT, ZOO_WRITES, ZOO_READS, ZOO_SECOND_ID, ZOO_VERSION});
#else
BOTEL_NOTE(1, {BOTEL_BOT, ZOO_WRITES, ZOO_READS, ZOO_ID, ZOO_VERSION});
#endif
#endif
