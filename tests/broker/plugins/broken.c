/* Files that look like plugins and are none; the build says which. */
#include <botel/abi.h>

static int32_t create(const botel_host* host, botel_str config, void** instance) {
  (void)host;
  (void)config;
  *instance = NULL;
  return BOTEL_OK;
}
static void destroy(void* instance) { (void)instance; }

#ifdef BROKEN_UNDEFINED
extern int32_t nobody_has_this(void);
#endif

static int32_t handle(void* instance, const botel_call* call, const botel_event* event) {
  (void)instance;
  (void)call;
  (void)event;
#ifdef BROKEN_UNDEFINED
  return nobody_has_this();
#else
  return BOTEL_OK;
#endif
}

const botel_descriptor broken_descriptor = {
    .size = sizeof(botel_descriptor),
    .kind = BOTEL_BOT,
    .id = "broken",
    .version = "1.0.0",
    .schema_written = 1,
    .schema_oldest = 1,
    .create = create,
    .destroy = destroy,
    .handle = handle,
};

#ifndef BROKEN_NO_ENTRY
static const botel_descriptor* const descriptors[] = {&broken_descriptor};
const botel_entry botel_entry_v1 = {sizeof(botel_entry), BOTEL_ABI_MAJOR, BOTEL_ABI_MINOR, 1, descriptors};
#endif

#ifdef BROKEN_ABI
#undef BOTEL_ABI_MAJOR
#define BOTEL_ABI_MAJOR 99
#endif

#ifdef BROKEN_OTHER_ID
BOTEL_NOTE(1, {BOTEL_BOT, 1, 1, "somebody-else", "1.0.0"});
#elif !defined(BROKEN_NO_NOTE)
BOTEL_NOTE(1, {BOTEL_BOT, 1, 1, "broken", "1.0.0"});
#endif
