/* SPDX-License-Identifier: Apache-2.0 */
/* The files of one folder as a recording made them (oplog.h), and all that a disk may hold of them when the
 * power fails: of a file what was synced, and of what was written since any part, in sectors; of a folder the
 * names that were synced, and of what was made, renamed or removed since any part. A rename is whole or not
 * at all. */
#ifndef TESTS_CRASH_MODEL_H
#define TESTS_CRASH_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "tests/crash/oplog.h"

enum { SECTOR = 512 };

/* What of the writes that were not synced is in the image. */
enum shown {
    SHOW_ALL,    /* as after kill -9 */
    SHOW_SYNCED, /* nothing */
    SHOW_SOME,   /* by the seed: each whole, not at all, or some of its sectors */
};

struct model;

struct model *model_create(void);
void model_destroy(struct model *);
/* Follows one record. The record stays where it is for as long as the model. A record that does not fit what
 * went before ends the program with a sentence. */
void model_follow(struct model *, const struct op_head *);
/* Makes the folder dir, which is not there yet. */
void model_write(const struct model *, const char *dir, enum shown, uint64_t seed);

#endif
