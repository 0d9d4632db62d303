/* SPDX-License-Identifier: Apache-2.0 */
/* A profile says how one agency's export becomes signals: which columns, which categories, which units. It is
 * a YAML file (docs/man/wagewarn-profile.5.scd), read strictly: an unknown key, word or kind is a mistake
 * with its line and column. Read-only once loaded. */
#ifndef ADAPTERS_PROFILE_H
#define ADAPTERS_PROFILE_H

#include "adapters/source.h"
#include "adapters/values.h"
#include "lib/kind.h"
#include "lib/signal.h"
#include "lib/tree.h"

enum { PROFILE_IDENTITY_MAX = 8, PROFILE_EMPTY_MAX = 32 };

/* The keys of a signal that a profile may fill, in the order in which a row is judged. */
enum field_key {
    FIELD_USCC,
    FIELD_NAME,
    FIELD_AT,
    FIELD_REGION,
    FIELD_AMOUNT,
    FIELD_PEOPLE,
    FIELD_SINCE,
    FIELD_INDUSTRY,
    FIELD_PROJECT,
    FIELD_ROLE,
    FIELD_OWNER,
    FIELD_STATUS,
    FIELD_REF,
    FIELD_NOTE,
    FIELD_COUNT
};

enum time_form { TIME_AUTO, TIME_EPOCH_S, TIME_EPOCH_MS, TIME_SERIAL };

/* What an attr becomes: the text, fen, ms, a whole number. */
enum attr_form { ATTR_TEXT, ATTR_MONEY, ATTR_TIME, ATTR_NUMBER };

struct field {
    int column;         /* in form.columns; -1: none */
    struct slice value; /* where there is no column, or its cell is empty; {NULL, 0}: none */
    uint8_t unit;       /* amount: enum money_unit */
    uint8_t form;       /* at, since: enum time_form */
    uint8_t digits;     /* region: keep the first so many; 0: all */
    uint8_t salt[16];   /* owner: key of its hash */
    uint8_t as;         /* of attrs: enum attr_form */
};

/* What identifies a row that has no document number. The numbers go into its id: change none, or rows that
 * were sent before count again. */
enum identity_part {
    IDENTITY_ENTERPRISE = 0,
    IDENTITY_CATEGORY = 1,
    IDENTITY_AT = 2,
    IDENTITY_AMOUNT = 3,
    IDENTITY_PEOPLE = 4,
    IDENTITY_REGION = 5,
    IDENTITY_REF = 6,
    IDENTITY_COUNT
};

struct category {
    struct slice text; /* normalised as names are */
    struct slice kind;
    const struct tree *where;
};

struct profile {
    struct arena arena;
    const char *name; /* "tax" */
    const char *file;
    struct slice text; /* of the file, to show lines of mistakes */

    struct source_form form;
    int64_t offset_ms; /* of times without a zone */
    unsigned resend_days;

    int category; /* column; -1: every row is of kind `kind` */
    struct slice kind;
    const struct tree *kind_where;
    struct category *categories; /* sorted by text */
    size_t n_categories;
    bool reject_others; /* a category that is not listed is refused rather than ignored */

    int id; /* column of the document number; -1: none */
    uint8_t identity[PROFILE_IDENTITY_MAX];
    size_t n_identity; /* 0: only by document number */

    struct field fields[FIELD_COUNT];
    struct field attrs[SIGNAL_ATTRS_MAX];
    struct slice attr_keys[SIGNAL_ATTRS_MAX];
    size_t n_attrs;

    struct slice empty[PROFILE_EMPTY_MAX]; /* texts that say "nothing here" */
    size_t n_empty;
};

/* Parses a profile's text; `file` is for sentences and for what is relative to it. Mistakes go to `said`,
 * ready to print; then WW_ECONFIG. */
int profile_parse(const char *file, struct slice text, struct profile **out, struct buf *said,
                  struct err *) WW_CHECK;
void profile_destroy(struct profile *); /* NULL is fine */

/* Are all its kinds in that table? WW_ECONFIG with the mistakes in `said`. */
int profile_check_kinds(const struct profile *, const struct kinds *, struct buf *said,
                        struct err *) WW_CHECK;

const struct category *profile_category(const struct profile *,
                                        struct slice normalised); /* NULL: not listed */
const char *field_wire(enum field_key);                           /* "uscc" */

#endif
