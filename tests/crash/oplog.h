/* SPDX-License-Identifier: Apache-2.0 */
/* The recording that the shim writes and `images` reads: what a program did to the files of one folder and
 * what it told others, in the order in which it happened. A write is logged before the call returns; a sync
 * before it begins and after it has succeeded; what is sent, before it is sent. So whatever a program does
 * because of another call is behind that call in the log.
 *
 * A record: struct op_head, `npath` bytes of paths (relative to the folder, "" is the folder itself; of a
 * rename two with a zero byte between), `ndata` bytes, zeros up to a multiple of OP_ALIGN. Of one machine: no
 * byte order, no versions. */
#ifndef TESTS_CRASH_OPLOG_H
#define TESTS_CRASH_OPLOG_H

#include <stdint.h>

enum { OP_ALIGN = 8 };

enum op {
    OP_ROOT = 1,   /* ino: of the folder; the first record */
    OP_OPEN,       /* ino, path; at: 1 if the call made the file */
    OP_WRITE,      /* ino, at, data */
    OP_SIZE,       /* ino, at: its size from now on */
    OP_RENAME,     /* two paths */
    OP_UNLINK,     /* path */
    OP_MKDIR,      /* ino, path */
    OP_SYNC_BEGIN, /* ino, of a file or a folder */
    OP_SYNC_END,
    OP_SEND,   /* ino: the socket's descriptor; data: what is about to be sent */
    OP_UNSENT, /* ino: the descriptor; at: so many bytes of what was last sent by it were not */
    OP_CALL,  /* at: how many calls could have failed until now; path: call and file, with a zero byte between
               */
    OP_FAULT, /* the same, of the call that was made to fail */
    OP_LETTER, /* made by record.py of what was sent: at: an enum letter; ino: a number; data: 16 bytes of
                  store id */
};

/* What the daemon has promised, with what it sent. */
enum letter {
    LETTER_ACK = 1, /* entries up to ino are stored */
    LETTER_EVENT,   /* alert event ino is out */
    LETTER_STORE,   /* the store's id */
};

struct op_head {
    uint32_t size; /* of the whole record */
    uint8_t op;
    uint8_t unused;
    uint16_t npath;
    uint32_t ndata, process;
    uint64_t ino, at;
};

#endif
