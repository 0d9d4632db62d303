/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of the query thread share: an answer while it is being written, and its rows of the table of queries.
 * Query thread only. */
#ifndef DAEMON_QUERY_ANSWER_H
#define DAEMON_QUERY_ANSWER_H

#include "daemon/query.h"
#include "engine/ekey.h"

struct answer {
    struct query *q;
    struct view_reader *reader; /* refreshed: one moment of the view */
    const struct dict *dict;
    struct engine **explainer;  /* over the reader; NULL in it until the first explanation is asked for */
    const struct state_loader *loader; /* of the reader */
    const uint8_t *store_id;
    const char *journal_dir;
    uint64_t holds;             /* journal number that the view holds at least */
    bool stuck;                 /* the view cannot be written for now */
    struct enc_open out;        /* the body, open: answers add their pairs */
    struct arena scratch;       /* may be reset between rows */
    struct err *err;
};

extern const char view_stuck[]; /* what is said then */

/* Each adds its pairs to a->out. 0: done, or refused by answer_refuse(); negative: the view failed, err says how. */
int answer_status(struct answer *);
int answer_feeds(struct answer *);
int answer_kinds(struct answer *);
int answer_rules(struct answer *);
int answer_alerts(struct answer *);
int answer_alert(struct answer *);
int answer_enterprise(struct answer *);
int answer_signals(struct answer *);
int answer_unresolved(struct answer *);
int answer_explain(struct answer *);
int answer_shadow(struct answer *);
int answer_intake(struct answer *);
/* The pair `explanation` of an enterprise or area, into an open map. 1 put, 0 there is none, negative failed. The scratch
 * arena is used. */
int answer_explanation(struct answer *, struct enc_open *, const struct ekey *);
int answer_enterprises(struct answer *);
int answer_measures(struct answer *);
int answer_teams(struct answer *);
int answer_routes(struct answer *);
int answer_statistics(struct answer *);
int answer_audit(struct answer *);
int answer_campaigns(struct answer *);
int answer_campaign(struct answer *);
int answer_duties(struct answer *);
/* The pair `duties` of statistics: how many there are, in pages of their own; `region` 0: everywhere. False parameters are
 * refused. */
int answer_duty_counts(struct answer *, region_t region, bool first);
int answer_open_counts(struct answer *); /* the part `alerts` of status */

/* The asker is told `error` with this sentence (static, or in the query's arena). Returns 0. */
int answer_refuse(struct answer *, enum wire_error, const char *sentence);

/* Parameters. False: it is there and of a wrong type or value, and the query is refused with its name. *out is kept
 * when it is not there. */
bool param_uint(struct answer *, const char *key, uint64_t *out);
bool param_text(struct answer *, const char *key, struct slice *out);
bool param_bool(struct answer *, const char *key, bool *out);
bool param_limit(struct answer *, uint64_t *out); /* 1..QUERY_LIMIT_MAX */
bool param_status(struct answer *, uint8_t *out);
/* Which enterprise: `uscc`, or `name` (a key of that name, to be resolved), and `status`. */
bool param_enterprise(struct answer *, struct ekey *);
/* A key of a name that one code bears becomes that code's; another stays. 0 or negative. */
int answer_resolve_name(struct answer *, struct ekey *);
bool param_bad(struct answer *, const char *key, const char *why); /* refuses; returns false */

/* Where a page begins that a text `next` of the one before named, as bytes after an enterprise's key (query_list.c). False: it
 * is none. And the pair that names it. */
bool param_key_after(struct slice text, uint8_t out[EKEY_LEN + 1]);
void answer_next_key(struct answer *, const char *pair, const struct ekey *);

/* May the asker see what lies in any of these places? */
bool answer_sees(const struct answer *, region_t, const region_t *places, size_t n);

/* An alert by its number (query_alerts.c). 1, its lists in the scratch arena; 0 not there; negative failed. */
struct alert;
bool answer_overdue(const struct answer *, const struct alert *); /* its day has passed, or it was told so */
int answer_alert_row(struct answer *, uint64_t number, struct alert *);

/* Big-endian numbers, as keys of the view have them. */
static inline void key_put64(uint8_t out[8], uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static inline uint64_t key_get64(const void *p)
{
    const uint8_t *b = p;
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | b[i];
    return v;
}

/* Pages over T_ALERT (query_alerts.c): each alert of a chunk from number `from` on, its lists in the scratch arena, which is
 * reset before each. False from each(): enough. 0 or negative. */
struct alert;
struct event;
int answer_event(struct answer *, uint64_t seq, struct event *); /* 1, 0: no longer kept, or negative */
int answer_each_alert(struct answer *, uint64_t from, bool (*each)(struct answer *, const struct alert *, void *), void *arg);

/* ---- query_work.c ---- */
/* The pairs `handling` and `possible` of an alert. */
void work_put_handling(struct answer *, struct enc_open *, const struct alert *);

/* ---- query_profile.c ---- */
struct record;
struct sig;
int64_t registry_kind(const struct answer *, const struct record *); /* number of registry.profile; -1: it has none */
void profile_work(struct answer *, struct record *);                /* what its registry tells, into the record */
int profile_put_all(struct answer *, struct enc_open *, const struct record *);
/* The pairs of a signal that few have: owner (hashed), industry, attrs, whether it follows a name. */
void profile_put_signal(struct answer *, struct enc_open *, const struct sig *);

#endif
