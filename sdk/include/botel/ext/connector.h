/* botel.connector/1: the kinds of events and effects of a connector, which stands for one account at a service, and its
 * secrets.
 *
 * The actor's info is {"type":"demo","id":"42","seed":5140712003214581}: the descriptor's id, the id that MOCA has
 * given the connector, and a number below 2^53 that no other connector has, nor this one again after it was deleted.
 *
 * Ids of contacts, chats and messages are a JSON string, or an integer below 2^53, but of one kind always. In events
 * they are texts, as MOCA has them in topics.
 *
 * Contacts, chats and messages are JSON as in the MOCA API, described in docs/moca.md:
 *   contact: {"contact_id", "name", "username", "phone", "avatar"}: the first two must be there
 *   chat:    {"chat_id", "name", "chat_type": "ChatType.single"|"ChatType.group", "participants": [contact ids, never
 *             empty], "last_message"}: the last may be missing
 *   message: {"message_id", "contact_id", "chat_id", "sent_datetime": RFC 3339, "message": {"type", ...}}
 */
#ifndef BOTEL_EXT_CONNECTOR_H
#define BOTEL_EXT_CONNECTOR_H

#include <botel/abi.h>

#define BOTEL_CONNECTOR_EXTENSION "botel.connector/1"

/* What botel_host.extension(BOTEL_CONNECTOR_EXTENSION) returns. */
typedef struct botel_connector_v1 {
  uint32_t size;
  uint32_t revision; /* 1 */

  /* The secret `name` as the last committed BOTEL_CONNECTOR_SECRET left it: BOTEL_OK, and *value is borrowed until the
   * handler returns; empty when there is none. [actor] */
  int32_t (*secret)(const botel_call* call, botel_str name, botel_str* value);
} botel_connector_v1;

/* Events. Those with a `reply` are answered exactly once: by a later event at the latest, within 10 seconds from the
 * last sign of life (BOTEL_CONNECTOR_WORKING, or an answer to another one), or the host answers with an error: one that
 * still waits for its handler then does not come. When the handler fails, it is answered at once. What is answered "by
 * the directory" is what the connector has pushed so far, which the host keeps. */
enum {
  /* A step of a configuration. payload: the object (JSON) that satisfies the schema of the step; {} at the beginning.
   * detail: {"step":"phone"}, the step that it belongs to; "" at the beginning. Answer with _STEP or _FINISHED */
  BOTEL_CONNECTOR_CONFIGURE = 0x501,
  BOTEL_CONNECTOR_GET_CONTACTS = 0x502, /* answer: a list of contacts, or _FROM_DIRECTORY */
  BOTEL_CONNECTOR_GET_CONTACT = 0x503,  /* payload: its id (TEXT). Answer: a contact, or _FROM_DIRECTORY */
  BOTEL_CONNECTOR_GET_CHATS = 0x504,    /* answer: a list of chats, or _FROM_DIRECTORY */
  BOTEL_CONNECTOR_GET_CHAT = 0x505,     /* payload: its id (TEXT). Answer: a chat, or _FROM_DIRECTORY */
  /* payload: the chat's id (TEXT). detail: {"before":"message id","limit":25}; "before" may be missing. Answer: a list
   * of messages, the newest first, or _FROM_DIRECTORY */
  BOTEL_CONNECTOR_GET_MESSAGES = 0x506,
  /* payload: {"type":"text","content":"hi"} (JSON). detail: {"chat_id":"7"}. Answer: the whole message, with the id
   * that it has when it is pushed */
  BOTEL_CONNECTOR_SEND_MESSAGE = 0x507,
  /* detail: {"chat_id":"7","message_id":"1","offset":0,"limit":1048576}, or "uri" instead of the ids. Answer:
   * BOTEL_CONNECTOR_MEDIA with the bytes from there on. As long as there are more, the event comes again */
  BOTEL_CONNECTOR_GET_MEDIA = 0x508,
  BOTEL_CONNECTOR_DELETE = 0x509, /* the last event. Whatever comes of it, all that the host has of it is wiped */
  /* The host was away. payload: for how many milliseconds, in decimal (TEXT). 0: another version or configuration of
   * the connector has taken over while it ran. Only a connector that is configured hears of it */
  BOTEL_CONNECTOR_RESUMED = 0x50A,
  BOTEL_CONNECTOR_RESET = 0x50B /* its state could not be read and is gone: it is to be configured anew */
};

/* Effects. Answers (`reply`) and secrets take hold at the commit; pushes leave in the order made, but not before
 * MOCA is ready for them after _FINISHED. A plain answer is BOTEL_EFFECT_REPLY: payload JSON, status 0; or an error:
 * status 400 to 599 as MOCA shall see it, or any other but 0, payload {"message":"..."}. An answer that does not fit
 * what was asked is an error, at once. */
enum {
  /* Answers _CONFIGURE: what is asked next. payload: a JSON Schema (draft-07) of an object with a required member; the
   * host checks the answer against it. detail: {"step":"phone"}. BOTEL_E_INVALID when the schema is not sound */
  BOTEL_CONNECTOR_STEP = 0x501,
  /* Answers _CONFIGURE: done. payload: the user's own contact: {"id","name","username","phone"} */
  BOTEL_CONNECTOR_FINISHED = 0x502,
  /* payload: a list of contacts, chats or messages (JSON). They go to MOCA and into the directory; one that is there is
   * replaced. What is not as it should be is left out, and named in the log. Before _FINISHED at most 1,000 pushes and
   * 16 MiB wait; what is above them, and what a connector pushes that is neither configured nor being configured, is
   * dropped */
  BOTEL_CONNECTOR_PUSH_CONTACTS = 0x503,
  BOTEL_CONNECTOR_PUSH_CHATS = 0x504,
  BOTEL_CONNECTOR_PUSH_MESSAGES = 0x505,
  BOTEL_CONNECTOR_WORKING = 0x506, /* `reply` will be answered: it gets 10 seconds more */
  /* Answers a _GET_ event with what the host knows; what was pushed before, in the same event, too */
  BOTEL_CONNECTOR_FROM_DIRECTORY = 0x507,
  /* Answers _GET_MEDIA. payload: at most `limit` bytes (BYTES). status: 1 when there are more behind them, 0 at the
   * end; then detail: {"filename":"cat.jpg","mime":"image/jpeg"} */
  BOTEL_CONNECTOR_MEDIA = 0x508,
  /* payload: a secret (BYTES), which is kept apart from the state and shown to nobody; empty: removes it. detail:
   * {"name":"token"} */
  BOTEL_CONNECTOR_SECRET = 0x509
};

BOTEL_LAYOUT(BOTEL_CONNECTOR_CONFIGURE == 0x501 && BOTEL_CONNECTOR_GET_CONTACTS == 0x502);
BOTEL_LAYOUT(BOTEL_CONNECTOR_GET_CONTACT == 0x503 && BOTEL_CONNECTOR_GET_CHATS == 0x504);
BOTEL_LAYOUT(BOTEL_CONNECTOR_GET_CHAT == 0x505 && BOTEL_CONNECTOR_GET_MESSAGES == 0x506);
BOTEL_LAYOUT(BOTEL_CONNECTOR_SEND_MESSAGE == 0x507 && BOTEL_CONNECTOR_GET_MEDIA == 0x508);
BOTEL_LAYOUT(BOTEL_CONNECTOR_DELETE == 0x509 && BOTEL_CONNECTOR_RESUMED == 0x50A && BOTEL_CONNECTOR_RESET == 0x50B);
BOTEL_LAYOUT(BOTEL_CONNECTOR_STEP == 0x501 && BOTEL_CONNECTOR_FINISHED == 0x502);
BOTEL_LAYOUT(BOTEL_CONNECTOR_PUSH_CONTACTS == 0x503 && BOTEL_CONNECTOR_PUSH_CHATS == 0x504);
BOTEL_LAYOUT(BOTEL_CONNECTOR_PUSH_MESSAGES == 0x505 && BOTEL_CONNECTOR_WORKING == 0x506);
BOTEL_LAYOUT(BOTEL_CONNECTOR_FROM_DIRECTORY == 0x507 && BOTEL_CONNECTOR_MEDIA == 0x508);
BOTEL_LAYOUT(BOTEL_CONNECTOR_SECRET == 0x509);
BOTEL_AT(botel_connector_v1, secret, 8);
BOTEL_LAYOUT(sizeof(botel_connector_v1) == 16);

#endif
