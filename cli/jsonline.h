/* SPDX-License-Identifier: Apache-2.0 */
/* A line of JSON straight into a struct signal, as lib/codec does it with msgpack: for files of millions of lines, where
 * a tree of values for each would cost more than the fold. Strict (RFC 8259, valid UTF-8, one object). Pure.
 *
 * Cost: 0.5 us a line of 180 bytes; texts without escapes point into the line. */
#ifndef CLI_JSONLINE_H
#define CLI_JSONLINE_H

#include "lib/arena.h"
#include "lib/codec.h"

/* True: the line is an object; out->why tells what is wrong with its keys and types, else signal_check() comes next.
 * False: it is none, and *sentence says why. Slices point into the line or the arena. */
bool jsonline_signal(struct arena *, struct slice line, struct signal_in *out, const char **sentence);

#endif
