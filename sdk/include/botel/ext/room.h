/* botel.room/1: the kinds of events and effects of a room, where a bot talks with a user.
 *
 * The actor's info is {"context": {...}, "user": {...}}: `_context` and `user` of the start, as they came ("user" is
 * null when there was none). The messages themselves are those of the Gitple MQTT API, described in docs/gitple.md.
 */
#ifndef BOTEL_EXT_ROOM_H
#define BOTEL_EXT_ROOM_H

#include <botel/abi.h>

#define BOTEL_ROOM "botel.room/1"

/* What botel_host.extension(BOTEL_ROOM) returns: it says that the host knows these kinds. */
typedef struct botel_room_v1 {
  uint32_t size;
  uint32_t revision; /* 1 */
} botel_room_v1;

/* Events. "Whole" says what `detail` holds. */
enum {
  BOTEL_ROOM_START = 0x101,   /* the first event of a room. payload: empty. An error refuses the start, and the words of
                                 set_error are told to gitple, where others read them */
  BOTEL_ROOM_MESSAGE = 0x102, /* said by the user. payload: the text (TEXT), or `m` as it came (JSON). Whole: message */
  BOTEL_ROOM_COMMAND = 0x103, /* chosen, and no text. payload: the command `c` (JSON). Whole: message */
  BOTEL_ROOM_KEY_IN = 0x104,  /* the user types (status 1) or has stopped (status 0) */
  BOTEL_ROOM_READ = 0x105,    /* the user has read what was sent until payload, Unix milliseconds in decimal (TEXT).
                                 What is said here is read, too: a bot that answers receipts may talk for ever */
  BOTEL_ROOM_TIMEOUT = 0x106, /* nothing was said for the configured time. A bot usually asks for BOTEL_ROOM_DO_END */
  BOTEL_ROOM_END = 0x107,     /* the last event of a room. payload: why (TEXT): "ended", "replaced" or "left" */
  BOTEL_ROOM_RESULT = 0x108,  /* of BOTEL_ROOM_DO_END or _DO_TRANSFER, by tag. status: 0, the error's code, or
                                 BOTEL_ROOM_NO_ANSWER. payload: result or error (JSON) */
  BOTEL_ROOM_RESUMED = 0x109, /* the host was away. payload: for how many milliseconds, in decimal (TEXT) */
  BOTEL_ROOM_EVENT = 0x10A    /* an event of the user that has no kind here. payload: `e` as it came (JSON). Whole:
                                 message */
};

enum { BOTEL_ROOM_NO_ANSWER = -32099 };

/* Effects. They leave in the order made; a delay_ms delays all that follow. */
enum {
  BOTEL_ROOM_SAY = 0x101,        /* payload: text (TEXT, markdown-aware) or a rich message, object or list (JSON).
                                    detail: the options `o` (JSON), or empty */
  BOTEL_ROOM_TYPING = 0x102,     /* the bot types (status 1) or has stopped (status 0). A say ends it, too */
  BOTEL_ROOM_DO_END = 0x103,     /* asks for the end of the room. Answered by BOTEL_ROOM_RESULT */
  BOTEL_ROOM_DO_TRANSFER = 0x104 /* gives the room away: payload empty: to an agent; a bot's id (TEXT): to that bot.
                                    Answered by BOTEL_ROOM_RESULT */
};

BOTEL_LAYOUT(BOTEL_ROOM_START == 0x101 && BOTEL_ROOM_MESSAGE == 0x102 && BOTEL_ROOM_COMMAND == 0x103);
BOTEL_LAYOUT(BOTEL_ROOM_KEY_IN == 0x104 && BOTEL_ROOM_READ == 0x105 && BOTEL_ROOM_TIMEOUT == 0x106);
BOTEL_LAYOUT(BOTEL_ROOM_END == 0x107 && BOTEL_ROOM_RESULT == 0x108 && BOTEL_ROOM_RESUMED == 0x109);
BOTEL_LAYOUT(BOTEL_ROOM_EVENT == 0x10A);
BOTEL_LAYOUT(BOTEL_ROOM_SAY == 0x101 && BOTEL_ROOM_TYPING == 0x102 && BOTEL_ROOM_DO_END == 0x103);
BOTEL_LAYOUT(BOTEL_ROOM_DO_TRANSFER == 0x104 && BOTEL_ROOM_NO_ANSWER == -32099);
BOTEL_LAYOUT(sizeof(botel_room_v1) == 8);

#endif
