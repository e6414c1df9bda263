/* botel.timer/1: timers of any actor. They belong to the host: they go on over reloads, and fire once. */
#ifndef BOTEL_EXT_TIMER_H
#define BOTEL_EXT_TIMER_H

#include <botel/abi.h>

#define BOTEL_TIMER "botel.timer/1"

/* What botel_host.extension(BOTEL_TIMER) returns: it says that the host knows these kinds. */
typedef struct botel_timer_v1 {
  uint32_t size;
  uint32_t revision; /* 1 */
} botel_timer_v1;

/* Event: the timer with this tag is due. It is gone; set it again to go on. */
enum { BOTEL_TIMER_DUE = 0x201 };

/* Effects. They take hold at the commit, whatever delays the actor's other effects have. */
enum {
  BOTEL_TIMER_SET = 0x201,   /* due in delay_ms after the commit; replaces the timer of the same tag */
  BOTEL_TIMER_CANCEL = 0x202 /* none of this tag: nothing happens */
};

BOTEL_LAYOUT(BOTEL_TIMER_DUE == 0x201 && BOTEL_TIMER_SET == 0x201 && BOTEL_TIMER_CANCEL == 0x202);
BOTEL_LAYOUT(sizeof(botel_timer_v1) == 8);

#endif
