/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/words.h"

static const char *const level_wires[] = {
#define LEVEL(name, no, wire, zh, colour) [no] = wire,
#include "tbl/levels.h"
#undef LEVEL
};
static const char *const level_zhs[] = {
#define LEVEL(name, no, wire, zh, colour) [no] = zh,
#include "tbl/levels.h"
#undef LEVEL
};
static const char *const event_wires[] = {
#define EVENT(name, no, wire, zh) [no] = wire,
#include "tbl/events.h"
#undef EVENT
};
static const char *const event_zhs[] = {
#define EVENT(name, no, wire, zh) [no] = zh,
#include "tbl/events.h"
#undef EVENT
};
static const char *const reject_wires[] = {
#define REJECT(name, no, wire, text) [no] = wire,
#include "tbl/rejects.h"
#undef REJECT
};
static const char *const reject_texts[] = {
#define REJECT(name, no, wire, text) [no] = text,
#include "tbl/rejects.h"
#undef REJECT
};
static const char *const error_wires[] = {
#define WIRE_ERROR(name, no, wire) [no] = wire,
#include "tbl/errors.h"
#undef WIRE_ERROR
};
static const char *const state_wires[] = {
#define ALERT_STATE(name, no, wire, zh) [no] = wire,
#include "tbl/steps.h"
#undef ALERT_STATE
};
static const char *const state_zhs[] = {
#define ALERT_STATE(name, no, wire, zh) [no] = zh,
#include "tbl/steps.h"
#undef ALERT_STATE
};
static const char *const status_wires[] = {"actual", "exercise", "test"};
static const char *const role_wires[] = {NULL, "client", "general", "sub", "labour"};

static int find(const char *const *words, size_t n, struct slice s)
{
    for (size_t i = 0; i < n; i++)
        if (words[i] && slice_is(s, words[i]))
            return (int)i;
    return -1;
}

/* name_wire(number) for each table. */
#define TEXT(function, words)                                                                                \
    const char *function(unsigned no)                                                                        \
    {                                                                                                        \
        return no < ARRAY_LEN(words) ? words[no] : NULL;                                                     \
    }
#define NUMBER(function, words)                                                                              \
    int function(struct slice s)                                                                             \
    {                                                                                                        \
        return find(words, ARRAY_LEN(words), s);                                                             \
    }

TEXT(level_wire, level_wires)
TEXT(level_zh, level_zhs)
TEXT(event_wire, event_wires)
TEXT(event_zh, event_zhs)
TEXT(reject_wire, reject_wires)
TEXT(reject_text, reject_texts)
TEXT(wire_error_wire, error_wires)
TEXT(alert_state_wire, state_wires)
TEXT(alert_state_zh, state_zhs)
TEXT(status_wire, status_wires)
TEXT(role_wire, role_wires)

NUMBER(level_of, level_wires)
NUMBER(status_of, status_wires)
NUMBER(role_of, role_wires)
NUMBER(alert_state_of, state_wires)
