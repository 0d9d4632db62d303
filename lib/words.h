/* SPDX-License-Identifier: Apache-2.0 */
/* The shared words of include/tbl as enums and texts: written once there, used here. Pure. */
#ifndef LIB_WORDS_H
#define LIB_WORDS_H

#include "lib/base.h"

enum level {
#define LEVEL(name, no, wire, zh, colour) LEVEL_##name = no,
#include "tbl/levels.h"
#undef LEVEL
    LEVEL_COUNT
};

enum event_type {
#define EVENT(name, no, wire, zh) EVENT_##name = no,
#include "tbl/events.h"
#undef EVENT
    EVENT_TYPE_END
};

enum reject_code {
    REJECT_NONE,
#define REJECT(name, no, wire, text) REJECT_##name = no,
#include "tbl/rejects.h"
#undef REJECT
};

enum wire_error {
    WIRE_ERROR_NONE,
#define WIRE_ERROR(name, no, wire) WIRE_ERROR_##name = no,
#include "tbl/errors.h"
#undef WIRE_ERROR
};

enum alert_state {
    ALERT_STATE_NONE,
#define ALERT_STATE(name, no, wire, zh) ALERT_STATE_##name = no,
#include "tbl/steps.h"
#undef ALERT_STATE
};

enum status { STATUS_ACTUAL, STATUS_EXERCISE, STATUS_TEST, STATUS_COUNT };
enum role { ROLE_NONE, ROLE_CLIENT, ROLE_GENERAL, ROLE_SUB, ROLE_LABOUR, ROLE_COUNT };

/* Text on the wire of a number; NULL for a number that is none. */
const char *level_wire(unsigned);
const char *level_zh(unsigned);
const char *event_wire(unsigned);
const char *event_zh(unsigned);
const char *reject_wire(unsigned);
const char *reject_text(unsigned);
const char *wire_error_wire(unsigned);
const char *alert_state_wire(unsigned);
const char *alert_state_zh(unsigned);
const char *status_wire(unsigned);
const char *role_wire(unsigned);

/* Number of a text on the wire; -1 when it is none. */
int level_of(struct slice);
int status_of(struct slice);
int role_of(struct slice);
int alert_state_of(struct slice);

#endif
