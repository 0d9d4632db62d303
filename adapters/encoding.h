/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of an export to UTF-8, and finding out what they are. The only door to iconv. One thread.
 * Bytes that are no character become U+FFFD, a zero byte '?': a text so damaged is told from a whole one
 * later on. */
#ifndef ADAPTERS_ENCODING_H
#define ADAPTERS_ENCODING_H

#include "adapters/source.h"
#include "lib/buf.h"

struct encoding {
    enum source_encoding is; /* AUTO until it is known: plain ASCII so far */
    void *converter;         /* NULL: not needed yet */
    struct buf text;         /* of encoding_decode's result, where it is not the input itself */
};

void encoding_init(struct encoding *, enum source_encoding);
void encoding_finish(struct encoding *);

/* UTF-8 or else GB18030, which contains GBK, by a sample that begins at a character: whether more characters
 * of UTF-8 are in it than bytes that are none. Leaves plain ASCII undecided. */
void encoding_sniff(struct encoding *, struct slice sample);
enum source_encoding
encoding_other(const struct encoding *); /* what it might be instead; AUTO: it is ASCII */
void encoding_set(struct encoding *, enum source_encoding);
const char *encoding_name(enum source_encoding); /* for sentences */

/* *out is valid until the next call, as long as `bytes` is. WW_EIO: the system has no such converter. */
int encoding_decode(struct encoding *, struct slice bytes, struct slice *out, struct err *) WW_CHECK;

#endif
