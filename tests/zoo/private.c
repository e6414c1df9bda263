/* A library that lies beside a plugin, and is found by its $ORIGIN only. */
#include <stdint.h>

int32_t zoo_private(void) { return 0; }
