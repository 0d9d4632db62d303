/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's own rooms share, and nobody else: struct engine and the steps of a fold. Writer thread.
 *
 * The way of an entry: fold.c (type -> table) -> identity (which record) -> series (signals, ranks, clearing), profile,
 * share (what counts of others) -> judge (score, rules, level), shadow -> life (alert, event) -> explain (reasons,
 * evidence), assess (lines of the law) -> link, area (who else is concerned) -> state. */
#ifndef ENGINE_FOLD_H
#define ENGINE_FOLD_H

#include "engine/alert.h"
#include "engine/engine.h"
#include "engine/record.h"
#include "engine/settings.h"

enum { DERIVED_SHIFT = 48 }; /* a signal that the fold makes itself: number of the entry | ordinal << DERIVED_SHIFT */

struct seen;
struct due;
struct presence;

/* One that must be judged again; with a link that another's signal gives it (hub; roles 0: none). */
struct again {
    struct ekey key;
    uint8_t hub[HUB_LEN];
    uint8_t roles;
};

struct engine {
    struct state *state;
    struct dict *dict;
    struct settings *settings;      /* NULL before the first configuration */
    struct slice settings_hash;     /* owned */
    uint64_t settings_entry;        /* that brought them */
    bool sweep_pending;             /* records may still stand under older settings */
    bool has_loader;
    uint64_t number, events;        /* last entry, last alert event */
    int64_t time;                   /* of the last entry */
    struct seen *seen;
    struct known *known;            /* NULL: an engine that only answers */
    struct due *due;
    uint32_t words_stored[DICT_CLASS_COUNT];
    uint64_t number_stored;         /* that the last checkpoint told */
    struct source_count {
        struct source_stats stats;
        bool changed;               /* since the last checkpoint */
    } *sources;                     /* by DICT_SOURCE number */
    size_t n_sources, cap_sources;
    struct kind_count {
        int64_t last;               /* journal time of the last signal of this kind, about anybody; NO_INT: none */
        bool changed;               /* since the last checkpoint */
    } *kinds;                       /* by DICT_KIND number; whose silence is told */
    size_t n_kinds, cap_kinds;
    struct presence *presence;      /* which teams listen */
    /* of the entry in hand */
    struct arena scratch;
    struct buf buf;
    struct engine_out *out;
    struct err *err;
    bool brief;                     /* events without signals and evidence (engine_brief) */
    bool failed;                    /* bytes did not decode: err says what */
    struct again *again;            /* to be judged before the entry is done (link_settle); in `scratch` */
    size_t n_again, cap_again;
    size_t n_settled;               /* of them so many are done */
    unsigned n_woken;               /* hubs whose members are to be walked because of this entry */
    bool settling, sweeping;        /* those are being judged; records are swept for new settings */
    bool working_off;               /* what the clock made due, before the entry itself */
    uint64_t derived;               /* signals that the entry in hand made: ordinals */
    uint64_t screened;              /* the last number that a signal was screened under: `seen` has those */
};

static inline bool engine_failed(const struct engine *e)
{
    return e->failed || state_failed(e->state);
}

/* A number spread over 64 bits: sums of these tell sets of signals apart, in whatever order they came. */
static inline uint64_t sig_mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* The entry that brought a signal, the fold's own too. */
static inline uint64_t sig_entry(const struct sig *sig)
{
    return sig->seq & ((UINT64_C(1) << DERIVED_SHIFT) - 1);
}

/* The half-life of time that `at` lies in. */
static inline int64_t bucket_of(const struct settings_kind *k, int64_t at)
{
    return at / k->half_life - (at % k->half_life < 0);
}

/* ---- series.c: the signals of a record ---- */
int sig_order(const struct sig *, const struct sig *); /* by at, then number */
struct series *series_find(const struct record *, uint32_t kind, uint32_t source); /* NULL: none yet */
struct series *series_add(struct engine *, struct record *, uint32_t kind, uint32_t source);
/* A signal arrives, is withdrawn, leaves for another record. series_prepare() must follow before judging. */
void series_insert(struct engine *, struct record *, struct series *, const struct sig *);
bool series_cancel(struct engine *, struct record *, struct series *, uint64_t seq); /* false: not here */
bool series_has(struct engine *, const struct record *, const struct series *, uint64_t seq);
bool series_get(struct engine *, const struct record *, const struct series *, uint64_t seq, struct sig *); /* a copy */
/* Works out what is cleared, active, ranked; the profile; what is known of blocks. */
void series_prepare(struct engine *, struct record *);
/* The oldest leave for blocks where a series has grown too long; after series_prepare, before the record is stored. */
void series_spill(struct engine *, struct record *);
/* Newest first, blocks too, read only as far as asked. */
enum walk_only { WALK_ALL, WALK_AMOUNT, WALK_PEOPLE };
struct series_walk {
    const struct series *series;
    uint32_t inline_left, block_left;
    struct sig *block;
    size_t in_block;
    uint8_t only;           /* enum walk_only: blocks where no signal gives that above 0 are passed by */
};
void series_walk_start(struct series_walk *, const struct series *);
const struct sig *series_walk_next(struct engine *, const struct record *, struct series_walk *);
/* How many active ones (or with those cleared) lie at or after `from`; reads one block at most. */
uint64_t series_count(struct engine *, const struct record *, const struct series *, int64_t from, bool cleared_too);
/* Everything of a series, blocks and all, as one array oldest first. */
struct sig *series_all(struct engine *, const struct record *, const struct series *, size_t *n);
void series_drop_blocks(struct engine *, const struct record *, struct series *);

/* ---- score.c ---- */
struct hazards {
    hazard_t total, others; /* factors applied; others: all agencies but the largest */
    hazard_t raw;           /* total without factors */
    int64_t half_life;      /* ms, the shortest among what counts; INT64_MAX: nothing does */
};
hazard_t sig_hazard(const struct settings_kind *, const struct sig *, int64_t at); /* of one signal, no factors */
hazard_t series_hazard(const struct settings_kind *, const struct series *, int64_t at);
hazard_t shared_hazard(const struct settings_kind *, const struct shared *, int64_t at); /* at its share; kind may be NULL */
struct hazards score_hazards(const struct engine *, const struct record *, int64_t at);
uint8_t score_level(const struct settings *, struct hazards, uint8_t before);
/* Earliest time after `at` when the level by score may differ, if nothing new comes; INT64_MAX: never. Never late; early
 * by design where the exact time is far off. */
int64_t score_next(const struct engine *, const struct record *, int64_t at, struct hazards, uint8_t level);

/* ---- rules.c ---- */
struct verdict {
    bool holds;
    int64_t until;          /* it cannot change before, if nothing new comes; INT64_MAX: never */
};
/* What conditions of one record at one moment are evaluated in, worked out once for all of them; in the scratch arena. */
struct scene;
struct scene *scene_of(struct engine *, const struct record *, int64_t at, uint8_t score_level);
struct verdict scene_holds(struct scene *, const struct cond *);
/* What one signal brings to a `sum`: never below 0, and bounded so that no sum overflows. */
int64_t sig_measures(const struct sig *, enum sum_field);
struct verdict cond_holds(struct engine *, const struct record *, const struct cond *, int64_t at, uint8_t score_level);
/* Is a prepared record of this industry, grade, place, tag? */
struct verdict attributes_hold(const struct record *, const struct attributes *, int64_t at);
/* Does a selector take signals of this series; and does this one of them count for it? */
bool selector_takes(const struct engine *, const struct selector *, const struct series *);
bool selector_counts(const struct engine *, const struct selector *, const struct series *, const struct sig *);

/* ---- reach.c ---- */
/* The signals that satisfy a rule that holds at `at`, of which the scene is: the newest EVENT_SIGNALS_MAX, newest first, and how many in all. */
const struct sig **rule_signals(struct engine *, const struct record *, const struct rule *, int64_t at,
                                struct scene *, size_t *n, uint64_t *total);

/* ---- judge.c: the level of an enterprise, and when to look again ---- */
struct judgement {
    int64_t at;
    struct hazards hazards;
    uint8_t score_level, level;
    uint8_t own_level;      /* by rules that ask of this enterprise alone: what links and areas go by */
    uint64_t evidence_sum;  /* of the signals that count; 0 where there is no alert and comes none */
    int64_t next;           /* INT64_MAX: never */
    uint64_t *fired;        /* bits by position of rule */
};
void judge(struct engine *, const struct record *, int64_t at, struct judgement *);
static inline bool judged_fired(const struct judgement *j, uint32_t rule)
{
    return j->fired[rule / 64] >> (rule % 64) & 1;
}

/* The first rule that holds, from that position on; UINT32_MAX: none. */
uint32_t judged_next(const struct settings *, const struct judgement *, uint32_t from);

/* ---- rule_index.c: the rules that a record's signals can concern, so that a thousand rules cost what ten do ---- */
struct rule_index;
struct rule_index *rule_index_make(const struct settings *, struct arena *);
/* Sets the bit of each rule that may hold for this record, or may come to hold by time alone; the others cannot until a
 * signal comes. `bits` holds n_rules, zeroed. */
void rule_index_candidates(const struct settings *, const struct record *, int64_t at, uint64_t *bits);

/* ---- profile.c: what an enterprise is, from its registry.* signals ---- */
void profile_work_out(struct engine *, struct record *);
void profile_keep(struct engine *, struct series *, const struct sig *); /* an active one left for a block */
/* sig.profile of a signal, in the scratch arena; a former name counts where the sender's names bind. */
struct slice profile_of_signal(struct engine *, const struct signal *, bool binds_name);

/* ---- link.c: who is bound to whom. hub.c: members of a hub, in pages ---- */
void link_note(struct engine *, struct record *, const struct sig *, uint32_t kind); /* a signal came: what it binds */
void link_recall(struct engine *, struct record *);  /* some went: anew from all its signals */
void link_remove(struct engine *, struct record *);  /* the record goes: out of all hubs and areas */
void link_parent(struct engine *, struct record *);  /* the profile is worked out: whose child it is */
struct verdict link_holds(struct engine *, const struct record *, const struct cond *, int64_t at);
/* Of a related condition that holds: code or name of one other enterprise, and what binds them. */
struct slice link_other(struct engine *, const struct record *, const struct cond *, int64_t at, uint8_t *link, struct lies *);
/* count, sum, agencies: how much there is of what `at_least` asks for. */
int64_t cond_found(struct engine *, const struct record *, const struct cond *, int64_t at);
struct lies link_lies(struct engine *, const struct record *prepared); /* where it lies */
/* Journal number of the latest news from others, that may open again what was closed before; 0: none. */
uint64_t link_news(struct engine *, const struct record *);
void link_hub(uint8_t out[HUB_LEN], const struct record *, enum link_class, struct slice what);
/* Who is bound by this, in one of the roles (0: in any), is judged again, but not `besides`. */
void link_tell(struct engine *, const uint8_t hub[HUB_LEN], uint8_t roles, const struct ekey *besides);

/* ---- radiate.c: what an enterprise gives to others, and who is judged again because of it ---- */
struct verdict radiation_holds(struct engine *, const struct record *, const struct radiation *, int64_t at);
/* After the judgement: what it gives to its links and areas; who must be judged again. When it next changes by itself. */
int64_t link_publish(struct engine *, struct record *, const struct judgement *);
void radiate_begin(struct engine *, const struct record *, const struct link *); /* a hub that it came to */
void radiate_end(struct engine *, const struct record *, const struct link *);   /* one that it is about to leave */
/* Will be judged before the entry is done. False: no room is left, or those are being judged already. */
bool link_again(struct engine *, const struct again *);
void link_concerned(struct engine *, const struct ekey *); /* the same, room or not: where the number is bounded */
/* Judges again who was found concerned, each once. After each entry, and after each due item, at its time. */
void link_settle(struct engine *, int64_t at);
void link_due(struct engine *, const struct ekey *hub, int64_t at); /* next members of a hub are judged again */

/* ---- share.c: signals of others that count at a share ---- */
void share_gather(struct engine *, struct record *); /* fills c->shared */

/* ---- area.c: places and industries where several turn bad together ---- */
int64_t area_publish(struct engine *, struct record *, const struct judgement *); /* part of link_publish */
void area_leave_all(struct engine *, struct record *);
void area_judge(struct engine *, struct record *area, int64_t at, struct judgement *);
uint32_t area_members(struct engine *, const struct record *area, struct member *list, uint32_t room, uint32_t *total);

/* ---- assess.c: lines of the law ---- */
struct verdict assess_holds(struct engine *, const struct record *, const struct cond *, int64_t at);
void assess(struct engine *, const struct record *, int64_t at, struct event *); /* fills ev->assessed */

/* ---- shadow.c: a second rules file over the same records; its would-be alerts in T_SHADOW ---- */
int64_t shadow_judge(struct engine *, struct record *, int64_t at); /* when to look again; INT64_MAX */

/* ---- explain.c: reasons and shares of an event, in the arena of `out` ---- */
void explain(struct engine *, const struct record *, const struct judgement *, struct event *);

/* ---- news.c: what may open again an alert that was closed ---- */
void news_came(const struct engine *, struct record *, uint32_t kind, uint64_t entry); /* if it is any */
void news_withdrawn(struct engine *, struct record *, uint32_t kind, const struct sig *); /* by the entry in hand */
void news_left(struct engine *, struct record *); /* signals went to another record */
void news_merged(const struct record *from, struct record *into);
uint64_t news_latest(struct engine *, const struct record *); /* entry; 0: none */

/* ---- life.c: an alert's life ---- */
enum cause { CAUSE_SIGNALS, CAUSE_CLOCK, CAUSE_SETTINGS };
/* Judges the record at `at`, changes its alert, emits what changed, and stores the record. */
void life_judge(struct engine *, struct record *, int64_t at, enum cause);
/* The judgement itself: nothing of it is emitted; the record's figures are set. */
void life_look(struct engine *, struct record *, int64_t at, struct judgement *);
void alert_keep(struct engine *, const struct alert *); /* without an event, as it is */
bool alert_load(struct engine *, uint64_t number, struct alert *); /* false: none of that number (0 too), or it failed */
struct event alert_event(enum event_type, uint8_t level_before); /* empty but for these */
/* An event that is numbered: stored, listed under its alert where it is one's, and told. */
void event_publish(struct engine *, const struct event *);
void alert_refresh(struct engine *, const struct record *, struct alert *); /* stored, shown as the record is now */
/* One change: numbers it, stores alert and event, publishes. `ev` has what is particular to it. */
void alert_emit(struct engine *, const struct record *, struct alert *, int64_t at, struct event *ev);

/* ---- merge.c: two enterprises turned out to be one. `into` is judged next ---- */
void life_merge(struct engine *, struct record *from, struct record *into, int64_t at);

/* ---- pace.c: by when the next step must be done, and the rest in which that time stands still ---- */
struct pace pace_of(const struct alert *);
void pace_set(struct alert *, const struct pace *);
int64_t pace_deadline(const struct work *, enum due_step, uint8_t level, int64_t since); /* NO_INT: none */
int64_t pace_rested(const struct pace *, int64_t at); /* for how long deadlines have stood still by now; 0: they do not */
void pace_no_rest(struct pace *);
void pace_wake(struct pace *, int64_t at);   /* what was still to come comes as much later as the rest was long */
void pace_settle(struct pace *, int64_t at); /* a rest whose date has passed ended then */
void pace_level(const struct work *, struct pace *, uint8_t level, int64_t at); /* a higher one, from now on */
bool pace_broken(const struct engine *, const struct record *, uint8_t level, const struct pace *); /* a snooze, by news */
void pace_turn(const struct work *, struct pace *, int64_t at);  /* overdue: when the next tier has it */
bool pace_climb(const struct work *, struct pace *, int64_t at); /* one tier up; false: there is none */

/* ---- timers.c: what the clock does to an alert. `at`: now ---- */
void timers_open(struct engine *, struct alert *, int64_t at);          /* it rose, or came back */
void timers_set(struct engine *, struct alert *);                       /* a step was done: the next one's deadline */
void timers_level(struct engine *, struct alert *, uint8_t before, int64_t at); /* its level changed */
void timers_wake(struct alert *, int64_t at);                           /* no longer held or put off */
int64_t timers_rested(const struct handling *, int64_t at);             /* for how long it has been that by now; 0: it is not */
/* Put off, and there is news of another kind, or a higher level: it goes on. */
void timers_disturb(const struct engine *, const struct record *, struct alert *, int64_t at);
bool timers_climb(struct engine *, struct alert *);                     /* one tier up; false: there is none */
void timers_turn(struct engine *, struct alert *);                      /* overdue, and another tier has it from now on */
/* Before the judgement: measures that ran out feed their silence back as signals. True: the alert must be stored. */
bool timers_derive(struct engine *, struct record *, struct alert *, int64_t at);
/* A signal came: silences that it shows to be none, since the answer is only reported late. True as above. */
bool timers_heard(struct engine *, struct record *, struct alert *);
/* It was taken by mistake: if it ran out, what its silence said is taken back. */
void timers_unsaid(struct engine *, struct record *, const struct taken *);
/* After it: the events of what is due. */
void timers_tell(struct engine *, struct record *, struct alert *, int64_t at, const struct judgement *);
int64_t timers_next(const struct engine *, const struct alert *);       /* INT64_MAX: nothing */
/* A signal by the fold itself, dated `at`. */
void timers_feed(struct engine *, struct record *, struct slice kind, int64_t at, int64_t people, int64_t amount);

/* ---- terms.c: measures that outlive their alert: a term that runs, money that waits to be recovered ---- */
struct measure;
void terms_begin(const struct engine *, const struct measure *, struct taken *now); /* as configured when it is taken */
void terms_close(struct alert *);                     /* the alert is closed: what runs ends, but for what goes on */
/* Another alert has them from now on: it was raised anew, or two became one. True: there were any. */
bool terms_carry(struct engine *, struct alert *from, struct alert *to);
int64_t terms_next(const struct alert *);             /* when a term is over; INT64_MAX: none runs */
bool terms_owed(const struct alert *);                /* money is still to be recovered */
/* Tells of those that are over at `at`. */
void terms_tell(struct engine *, struct record *, struct alert *, int64_t at, const struct judgement *);

/* ---- route.c: who an alert is for ---- */
region_t route_place(struct engine *, const struct record *); /* whose teams it concerns first; 0: not known */
struct slice route_team(struct engine *, const struct record *); /* who answers first; empty: nobody is configured */
void route_alert(struct engine *, const struct record *, struct alert *); /* fills a->teams */
/* The first team that it is for now and was not by its last event; empty: none. */
struct slice route_joined(struct engine *, const struct record *, const struct alert *);
/* Under other settings, the record prepared: who answers, and the tier that has it. True: it is for others than its last
 * event said. a->teams stays as that event said it. */
bool route_again(struct engine *, const struct record *, struct alert *);

/* ---- steps.c: what teams do ---- */
void life_act(struct engine *, const struct entry_action *);

/* ---- keep.c ---- */
void keep_count(struct engine *, uint32_t source, uint32_t kind); /* a signal was accepted, now */
/* fold.c: compiles them and puts them in force; WW_EDAMAGED. */
int settings_take(struct engine *, const struct tree *, struct slice hash, uint64_t entry, struct err *) WW_CHECK;

/* ---- fold.c: a signal counts, under the number with which it came: this entry's, or an earlier one's ---- */
void signal_count(struct engine *, const struct entry_signal *, uint64_t seq);

/* ---- triage.c: signals that wait to be sorted before they count ---- */
bool triage_keeps(struct engine *, const struct entry_signal *);       /* true: it waits */
void triage_due(struct engine *, const struct ekey *item, int64_t at); /* its time is up */
/* Does one of that number, kind, source and enterprise wait, or did it? */
bool triage_has(struct engine *, const struct entry_signal *, const struct ekey *given, uint64_t number);
bool triage_withdraw(struct engine *, const struct entry_signal *, const struct ekey *given, uint64_t number);
bool triage_act(struct engine *, const struct entry_action *);         /* `sort`; false: the action is another */

/* ---- duty.c: visits and reviews that are expected by a date ---- */
/* A prepared record: duties that begin or end with it, or were done. Before it is stored. */
void duty_judge(struct engine *, struct record *, int64_t at);
void duty_due(struct engine *, const struct ekey *item, int64_t at);
void duty_forget(struct engine *, const struct record *);  /* the record goes */
void duty_merge(struct engine *, const struct record *from, struct record *into); /* which is judged next */
bool duty_act(struct engine *, const struct entry_action *); /* `duty_done`; false: the action is another */

/* ---- presence.c: which teams listen ---- */
struct presence *presence_create(void);
int presence_load(struct engine *, struct err *) WW_CHECK;
void presence_destroy(struct presence *);
void presence_fold(struct engine *, const struct entry_presence *);
bool presence_none(const struct engine *, const struct alert *); /* it is known who listens, and none whom it is for does */
/* ... and none has for the term `absent`, by what is known. */
bool presence_gone(const struct engine *, const struct alert *, int64_t at);

/* ---- waiting.c: alerts that nobody has looked at, while it is known who listens ---- */
void waiting_leave(struct engine *, const struct alert *); /* if it waits no longer; before T_OPEN changes */
void waiting_join(struct engine *, const struct alert *);  /* if it does; after T_OPEN has it */
void waiting_look(struct engine *);                         /* a team ceased to hear something */
void waiting_due(struct engine *, const struct ekey *item, int64_t at);
bool waiting_alone(const struct engine *, const struct alert *, int64_t at); /* nobody looked, and nobody listens any more */

/* ---- identity.c: which record a signal belongs to, and names as they come and go ---- */
/* Loaded or new (name `text` where it is known by name); in the scratch arena. */
struct record *identity_record(struct engine *, const struct ekey *, struct slice text);
/* Where a signal that names an enterprise so belongs now. */
struct ekey identity_resolve(struct engine *, const struct ekey *);
bool identity_ambiguous(struct engine *, const struct ekey *name); /* several codes bear it */
/* A signal carried both a name and a code: signals that gave the name alone follow it. */
void identity_bind(struct engine *, const struct ekey *name, struct slice text, const struct ekey *code);
void identity_unbind(struct engine *, const struct ekey *name, const struct ekey *code);
/* A profile tells, or no longer tells, a former name: it binds to the code as the name does. */
void identity_former(struct engine *, const struct ekey *code, const struct sig *, bool binds);
/* What a person decides of a name: `resolve`, `unmerge`. False: the action is another. */
bool identity_act(struct engine *, const struct entry_action *);
/* Shown name, industry, places: after a signal came; and all anew after one went. */
void identity_note(struct engine *, struct record *, const struct sig *, struct slice name);
void identity_recall(struct engine *, struct record *);
void identity_replace(struct engine *, struct record *); /* places anew: zones or replaced codes may have changed */

/* ---- seen.c: every accepted (source, id) ---- */
enum { SEEN_CANCELS = 0 };

struct seen_row {
    uint64_t number;
    uint32_t kind;          /* seen_kind(); SEEN_CANCELS: it cancels another, and cannot be cancelled */
    struct ekey key;        /* as it was given; known only until the row is in the store */
    bool has_key;
};
uint32_t seen_kind(struct slice kind); /* a word in 32 bits, never SEEN_CANCELS */
struct seen *seen_create(struct engine *);
int seen_load(struct seen *, struct err *) WW_CHECK;
void seen_destroy(struct seen *);
void seen_warm(const struct seen *, const uint8_t hash[16]); /* as state_warm, in one step */
bool seen_find(struct seen *, const uint8_t hash[16], struct seen_row *);
void seen_put(struct seen *, const uint8_t hash[16], const struct seen_row *); /* the same twice is one */
size_t seen_waiting(const struct seen *); /* rows that the next checkpoint will take */
void seen_checkpoint(struct seen *);  /* what was put so far goes to the store */
void seen_committed(struct seen *);

/* ---- due.c: what the clock will make due, in order ---- */
struct due *due_create(struct engine *);
int due_load(struct due *, struct err *) WW_CHECK;
void due_destroy(struct due *);
void due_set(struct due *, const struct ekey *, int64_t before, int64_t at); /* NO_INT: none; replaces */
int64_t due_next(const struct due *, struct ekey *);                          /* INT64_MAX: none */
void due_save(struct due *);          /* before a checkpoint: writes the rows of what moved */
size_t due_unsaved(const struct due *); /* how many rows that would be, or a few less */

void record_store(struct engine *, const struct record *);
void record_remove(struct engine *, struct record *); /* its last signal went to another */

#endif
