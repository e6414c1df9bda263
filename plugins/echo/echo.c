/* The smallest bot, in plain C: it says back what it hears. `/quit` ends the room, `/transfer` gives it to an agent. */
#include <botel/abi.h>
#include <botel/ext/room.h>
#include <stdlib.h>
#include <string.h>

static botel_effect room_effect(int32_t kind) {
  botel_effect effect;
  memset(&effect, 0, sizeof effect);
  effect.size = sizeof effect;
  effect.kind = kind;
  effect.format = BOTEL_FORMAT_TEXT;
  return effect;
}

static int32_t emit(const botel_call* call, int32_t kind) {
  const botel_effect effect = room_effect(kind);
  return call->host->emit(call, &effect);
}

static int is(botel_str text, const char* word) {
  return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

/* An effect has one payload, so "you said: " and the text are put together first. */
static int32_t say_back(const botel_call* call, botel_str text) {
  static const char intro[] = "you said: ";
  const size_t intro_len = sizeof intro - 1;
  char* line = malloc(intro_len + text.len);
  if (!line) return BOTEL_E_FAILED;
  memcpy(line, intro, intro_len);
  if (text.len > 0) memcpy(line + intro_len, text.ptr, text.len);

  botel_effect effect = room_effect(BOTEL_ROOM_SAY);
  effect.payload.ptr = line;
  effect.payload.len = intro_len + text.len;
  const int32_t result = call->host->emit(call, &effect);
  free(line);
  return result;
}

static int32_t create(const botel_host* host, botel_str config, void** instance) {
  (void)host;
  (void)config;
  *instance = NULL;
  return BOTEL_OK;
}

static void destroy(void* instance) { (void)instance; }

static int32_t handle(void* instance, const botel_call* call, const botel_event* event) {
  (void)instance;
  switch (event->kind) {
    case BOTEL_ROOM_MESSAGE:
      if (is(event->payload, "/quit")) return emit(call, BOTEL_ROOM_DO_END);
      if (is(event->payload, "/transfer")) return emit(call, BOTEL_ROOM_DO_TRANSFER);
      return say_back(call, event->payload);
    case BOTEL_ROOM_COMMAND: return say_back(call, event->payload);
    case BOTEL_ROOM_TIMEOUT: return emit(call, BOTEL_ROOM_DO_END);
    default: return BOTEL_OK;
  }
}

static const botel_descriptor echo = {
    .size = sizeof(botel_descriptor),
    .kind = BOTEL_BOT,
    .id = "echo",
    .version = "1.0.0",
    .schema_written = 1,
    .schema_oldest = 1,
    .create = create,
    .destroy = destroy,
    .handle = handle,
};
static const botel_descriptor* const descriptors[] = {&echo};

const botel_entry botel_entry_v1 = {sizeof(botel_entry), BOTEL_ABI_MAJOR, BOTEL_ABI_MINOR, 1, descriptors};

BOTEL_NOTE(1, {BOTEL_BOT, 1, 1, "echo", "1.0.0"});
