/* SPDX-License-Identifier: Apache-2.0 */
/* The record: all that correlation knows of one enterprise, in one blob (T_ENTERPRISE). Decoded into an arena, changed,
 * encoded again: a record has no pointers that outlive an entry.
 *
 * Signals are kept by series (one kind from one source), ordered by (at, number). The newest of a series are in the
 * record; when there are more than SERIES_INLINE, the oldest leave to blocks (T_BLOCK), and their active hazard stays
 * here as buckets, so that an enterprise with 100,000 signals is judged as exactly as one with three. */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include "engine/dict.h"
#include "engine/ekey.h"
#include "engine/event.h"
#include "engine/state.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/region.h"
#include "lib/words.h"

enum { SERIES_INLINE = 16, SERIES_SPILL = 8, BLOCK_SIGNALS = 128, NAME_HASH_LEN = 19, OWNER_LEN = 16 };

enum sig_flag {
    SIG_CANCELLED = 1, /* withdrawn by its source: as if it had never come */
    SIG_BY_NAME = 2    /* came with a name and no code; it follows the name */
};

/* A signal as a record keeps it. */
struct sig {
    uint64_t seq;            /* journal number */
    int64_t at;
    struct slice id;
    uint8_t flags, role;
    region_t region;         /* 0: not given */
    struct slice industry, project;
    int64_t amount, people, since; /* NO_INT */
    const uint8_t *owner;    /* 16 bytes or NULL */
    const uint8_t *name;     /* NAME_HASH_LEN bytes: key of the name it came with (T_NAME), or NULL */
    char credit;             /* registry.profile: 'A' 'B' 'C'; 0: not given */
    struct slice tags;       /* registry.profile: names and ends (tag_next); empty: none given */
    struct slice profile;    /* registry.*: the other attrs (profile_next); empty: none given */
    /* worked out (engine/series.c); of a block's signals the rank is stored */
    bool active;             /* neither cancelled nor cleared */
    uint8_t rank;            /* how many active ones of the series came within the window before it, saturating */
};

struct bucket {
    int64_t index;           /* floor(at / half life) */
    uint64_t sum;            /* hazards scaled to the bucket's beginning, units of 2^-32 */
};

/* A block: signals that left the record, in T_BLOCK under (ekey, series, no). */
struct block_ref {
    uint32_t no, n, n_cancelled;
    int64_t first_at, last_at;     /* of the first and last in it, which is ordered by (at, seq) */
    uint64_t last_seq;             /* of the last in it */
    uint64_t min_seq, max_seq;     /* over all in it */
    int64_t people, amount, since; /* of those not cancelled: the largest, the largest, the earliest; NO_INT */
};

struct series {
    uint32_t kind, source;         /* dict numbers */
    uint32_t n, cap;               /* signals here, oldest first by (at, seq); room for them */
    struct sig *sigs;
    /* what left, and what is known of it without reading it; valid for `spilled_cleared` */
    uint32_t n_blocks, next_block;
    struct block_ref *blocks;      /* oldest first */
    uint32_t n_buckets;
    struct bucket *buckets;        /* active hazard of what left, by rising index */
    int64_t spilled_cleared;       /* what was cleared when these were worked out: all up to this time; NO_INT: nothing */
    uint32_t spilled_active;
    int64_t spilled_latest;        /* at of the latest active one that left; NO_INT: none */
    uint8_t spilled_rank;          /* its rank */
    uint64_t spilled_sum;          /* checksum of the active ones' numbers */
    uint32_t n_words;              /* registry.profile: of what left, the active ones that still have the last word of */
    struct sig *words;             /* something, oldest first */
    /* worked out, not stored */
    int64_t cleared;               /* all up to this time is cleared; NO_INT: nothing */
    int64_t latest;                /* at of the latest active one; NO_INT: none */
    bool stale;                    /* what is known of the blocks must be worked out again */
    bool words_lost;               /* one of `words` counts no more: they must be worked out again */
};

enum { TAGS_MAX = 64 }; /* of an enterprise: those told latest, by (at, number) */

/* A word that a register put on an enterprise. */
struct tag {
    struct slice name;
    int64_t until;           /* INT64_MAX: without an end */
    const struct sig *told;  /* by which signal */
};

enum { HUB_LEN = 12, LINKS_MAX = 256 };

/* A hub that an enterprise is a member of (T_LINK): those of one owner, project, parent, succession; or an area. */
struct link {
    uint8_t hub[HUB_LEN];    /* byte 0: status * 16 + enum link_class (0: an area); then 11 bytes of a hash */
    uint8_t roles;           /* LINK_PROJECT: 1 << enum role, of its signals; LINK_SUCCESSION: LINK_BEFORE, LINK_AFTER;
                                LINK_PARENT: LINK_CHILD, LINK_HEAD */
    bool by_others;          /* another's signal says so: stays when its own are gone */
    int64_t at;              /* of the latest of its own signals that says so; not of an area. Where there are too many, the
                                latest stay */
    uint32_t slot;           /* its place among the hub's members */
};
enum { LINK_BEFORE = 1, LINK_AFTER = 2, LINK_CHILD = 1, LINK_HEAD = 2 };

/* A signal of another enterprise that counts at a share (engine/share.c). Worked out at each judgement, not stored. */
struct shared {
    struct sig sig;
    uint32_t kind, source, share_ppm;
    struct ekey from;
    struct slice from_uscc, from_name, project;
    struct lies from_lies;
};

struct record {
    struct ekey key;
    uint64_t settings;       /* entry that brought the settings under which the figures here were made */
    struct slice name;       /* shown: the latest (at, number) that came with the code, or the name it is known by */
    int64_t name_at;
    uint64_t name_seq;       /* of an area: how many members its alert last told of */
    struct slice industry;   /* of the latest signal that gave one */
    int64_t industry_at;
    uint64_t industry_seq;
    region_t place;          /* latest place of work */
    int64_t place_at;
    uint64_t place_seq;
    uint64_t alert;          /* the open one, or the last one closed; 0: none ever */
    bool alert_open;
    uint8_t score_level;     /* level by score at the last judgement: hysteresis compares with it */
    bool unresolved;         /* a name that several codes bear: kept, never judged */
    bool duties;             /* T_DUTY may have a row of it */
    uint64_t last_seq;       /* of the latest signal applied */
    uint64_t news;           /* entry of the latest that may open again what was closed (engine/news.c); 0: none */
    uint64_t unclearing;     /* entry of the latest withdrawal of a clearing, which may so too; 0: none */
    uint8_t finding;         /* enum finding of the last verification; 0: none */
    int64_t finding_at;
    uint64_t finding_entry;  /* entry that brought it */
    uint32_t n_finding_kinds;
    uint32_t *finding_kinds; /* dict numbers of the kinds that counted then: evidence of another kind ends it */
    int64_t due;             /* when it must be judged again; NO_INT */
    int64_t judged_at;
    uint32_t score;          /* hundredths, at the last judgement */
    uint8_t level;           /* at the last judgement */
    uint32_t n_places;
    region_t *places;        /* places of work, sorted */
    uint8_t own_level;       /* at the last judgement, by rules that ask of this enterprise alone */
    int64_t left_at[LEVEL_COUNT]; /* when the own level was last at it or above: INT64_MAX: it is; NO_INT: never */
    uint32_t n_links, n_areas, n_radiated;
    struct link *links;      /* by hub */
    struct link *areas;      /* areas that count it, by hub */
    uint32_t *radiated;      /* words of what it gives to its links (struct radiation), sorted */
    uint8_t shadow_score_level, shadow_level;
    uint32_t n_series;
    struct series *series;   /* by (kind, source) */
    /* worked out from registry.profile signals, not stored (engine/series.c) */
    region_t registered;     /* 0: not told */
    struct slice registered_industry;
    char credit;             /* 'A' 'B' 'C'; 0: not told */
    uint32_t n_tags;
    struct tag *tags;
    int64_t headcount, payroll; /* fen a month; NO_INT */
    struct slice parent, former_name, status;
    /* worked out from others (engine/share.c), not stored */
    uint32_t n_shared;
    struct shared *shared;
};

enum profile_key { PROFILE_HEADCOUNT = 1, PROFILE_PAYROLL, PROFILE_PARENT, PROFILE_FORMER_NAME, PROFILE_STATUS,
                   PROFILE_SUCCESSOR };
/* sig.profile: adds one (text or number); takes the next, false at the end. */
void profile_put(struct buf *, enum profile_key, struct slice text, int64_t number);
bool profile_next(struct rd *, enum profile_key *, struct slice *text, int64_t *number);
struct slice profile_text(const struct sig *, enum profile_key); /* the text of one; empty: not told */
/* What the active signals of registry.profile (`kind`: its dict number; negative: none ever came) tell: registered place,
 * industry, credit, headcount, payroll, parent, former name, status, tags. Lists in the arena. */
void profile_read(struct arena *, struct record *, int64_t kind);

void record_put(struct buf *, const struct record *);
/* Slices point into `bytes`, lists into the arena. */
int record_get(struct slice bytes, const struct ekey *, struct arena *, struct record *, struct err *) WW_CHECK;

/* Tags as a signal carries them: adds one; takes the next, false at the end. */
void tag_put(struct buf *, struct slice name, int64_t until);
bool tag_next(struct rd *, struct tag *);

/* The 18 characters of its code; empty when it is known by name only. */
struct slice record_uscc(const struct record *);
/* Registered place, else latest place of work; industry likewise (PROTOCOL). */
region_t record_region(const struct record *);
struct slice record_industry(const struct record *);

/* The signals of a block. */
void block_put(struct buf *, const struct sig *, size_t n);
int block_get(struct slice bytes, struct arena *, struct sig **, size_t *n, struct err *) WW_CHECK;
bool block_has(struct slice bytes, uint64_t seq); /* a signal of that number: keeps nothing; damage reads as "perhaps" */
/* A row of T_NAME, whose key is that of the name: the codes that bear it, in the order of their first binding. */
int name_get(struct slice bytes, struct arena *, struct slice *text, struct ekey **codes, size_t *n,
             struct err *) WW_CHECK;
/* Key of a block in T_BLOCK; returns its length. */
size_t block_key(uint8_t out[STATE_KEY_MAX], const struct ekey *, const struct series *, uint32_t no);

#endif
