/* SPDX-License-Identifier: Apache-2.0 */
/* What rules cost: the engine alone, in memory, folds the same signals under 10, 100 and 1,000 generated rules. One
 * thread, nothing written.
 *
 *     rules [--signals N] [--enterprises N] [--rounds N] [--only RULES] [--kinds FILE] [--out FILE]
 *
 * Prints microseconds a signal, the least of all rounds, and how often that is the figure of ten rules. */
#include "engine/engine.h"
#include "engine/entry.h"
#include "engine/settings_tree.h"
#include "lib/textfile.h"
#include "lib/yaml.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SIZES = 3 };
static const int sizes[SIZES] = {10, 100, 1000};

struct options {
    long signals, enterprises, rounds, only; /* only: so many rules and no others, for a profile; 0: all sizes */
    const char *kinds, *out;
};

struct result {
    double us;              /* a signal */
    uint64_t events;
};

static uint64_t seed;

static uint32_t below(uint32_t n)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(((z ^ z >> 31) >> 32) * n >> 32);
}

static void die(const char *what)
{
    fprintf(stderr, "rules: %s\n", what);
    exit(74);
}

/* ---- rules as a province with many of its own would have them ---- */

static const char *kind(const struct kinds *k)
{
    const struct kind *one;
    do
        one = kinds_at(k, below((uint32_t)kinds_count(k)));
    while (!one->weight_ppm);
    return one->name;
}

static const char *condition(struct arena *a, const struct kinds *k)
{
    static const char *const industries[] = {"E", "C18", "H62", "C", "G"};
    unsigned d = 15 + below(60), n = 3 + below(3);
    const char *one = kind(k), *other = kind(k);
    while (other == one)
        other = kind(k);
    switch (below(20)) {
    default:
        return arena_printf(a, "{all: [{signal: %s, within: %ud}, {signal: %s, within: %ud}]}", kind(k), d, kind(k), d);
    case 6: case 7: case 8:
        return arena_printf(a, "{count: {of: [%s, %s], at_least: %u, within: %ud}}", kind(k), kind(k), n, d);
    case 9: case 10:
        return arena_printf(a, "{agencies: {of: any, at_least: %u, within: %ud}}", n, d);
    case 11: case 12:
        return arena_printf(a, "{sum: {of: {clue: arrears under way}, field: people, at_least: %u, within: %ud}}", 100 + 40 * n, d);
    case 13: case 14:
        return arena_printf(a, "{sequence: {steps: [%s, %s, %s], within: %ud}}", kind(k), kind(k), kind(k), d);
    case 15:
        return arena_printf(a, "{all: [{count: {of: any, at_least: %u, within: %ud}}, {signal: %s, within: %ud}]}", 2 * n, d, kind(k), d);
    case 16: case 17:
        return arena_printf(a, "{all: [{enterprise: {industry: [%s]}}, {signal: %s, within: %ud}, {agencies: {of: any, at_least: 2, within: %ud}}]}",
                            industries[below(5)], kind(k), d, d);
    case 18:
        return arena_printf(a, "{all: [{signal: %s, within: %ud}, not: {signal: %s, within: %ud}, {signal: any, within: 7d}]}",
                            one, d, other, d + 90);
    case 19:
        return arena_printf(a, "{related: {by: [owner, project], level: critical, within: %ud}}", 30 + 30 * below(3));
    }
}

static struct slice invent_rules(struct arena *a, const struct kinds *k, int n)
{
    struct buf b = {0};
    const char *head = "version: 1\nscore: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8}\nrules:\n"
                       "  - {id: score, title: {zh: z, en: e}, when: {score: follow}, then: {raise: by_score}}\n";
    buf_put(&b, head, strlen(head));
    for (int i = 1; i < n; i++) {
        const char *rule = arena_printf(a, "  - {id: r%d, title: {zh: z, en: e}, when: %s, then: {raise: %s}}\n", i,
                                        condition(a, k), below(3) ? "general" : "major");
        buf_put(&b, rule, strlen(rule));
    }
    struct slice text = arena_slice(a, (struct slice){(const char *)b.p, b.n});
    buf_finish(&b);
    return text;
}

/* ---- one run ---- */

static void configure(struct engine *e, const struct options *o, int n, struct engine_out *out)
{
    struct arena a = {0};
    struct err err = {0};
    struct kinds *k = NULL;
    struct slice text;
    struct tree *rules;
    struct mistakes m = {.arena = &a, .file = "rules.yaml"};
    uint8_t hash[CHAIN_LEN] = {0};
    struct buf b = {0};
    if (textfile_read(o->kinds, &a, &text, &err) < 0 || kinds_parse(&k, o->kinds, text, &err) < 0)
        die(err.msg);
    seed = 4;
    text = invent_rules(&a, k, n);
    if (yaml_parse(&a, text, &m, &rules) < 0)
        die("the rules are no YAML");
    const struct tree *t = settings_tree_make(&a, &(struct settings_parts){
        .kinds = k, .festivals = tree_new(&a, TREE_LIST), .rules = rules, .timezone_ms = 8 * 3600 * 1000});
    entry_put_config(&b, (struct slice){(char *)hash, sizeof hash}, t);
    if (engine_apply(e, 1, 0, (struct slice){(char *)b.p, b.n}, out, &err) < 0)
        die(err.msg);
    buf_finish(&b);
    kinds_destroy(k);
    arena_finish(&a);
}

/* The code of an enterprise: its check character is not looked at by the fold. */
static void code_of(uint32_t i, char out[19])
{
    snprintf(out, 19, "91330482MA%08u", i);
}

static void fold_signals(struct engine *e, const struct options *o, const struct kinds *k, struct engine_out *out, uint64_t *events)
{
    static const uint8_t key[HASH_KEY_LEN] = {4};
    int64_t now = INT64_C(1767225600000), step = 365 * DAY_MS / o->signals;
    struct buf b = {0};
    struct err err = {0};
    seed = 7;
    for (long i = 0; i < o->signals; i++, now += step) {
        char code[19], id[24];
        uint32_t r = below(1 << 20), q = below(3) ? 1 << 20 : r; /* a third of all from a few that are far busier */
        code_of((uint32_t)((uint64_t)r * q * (uint64_t)o->enterprises >> 40), code);
        struct entry_signal s = {.sig = {.id = {id, (size_t)snprintf(id, sizeof id, "s%ld", i)}}};
        s.sig.kind = slice_of(kinds_at(k, below((uint32_t)kinds_count(k)))->name);
        s.sig.uscc = slice_of(code);
        s.sig.at = now - (int64_t)below(3) * DAY_MS;
        s.sig.amount = s.sig.since = NO_INT;
        s.sig.people = below(4) ? NO_INT : 1 + (int64_t)below(60);
        s.sig.industry = below(3) ? SLICE("C1810") : SLICE("E4710");
        s.source = (struct slice){s.sig.kind.p, strcspn(s.sig.kind.p, ".")};
        hash_pair(s.id_hash, key, s.source, s.sig.id);
        buf_reset(&b);
        entry_put_signal(&b, &s);
        if (engine_screen(e, &s, (uint64_t)i + 2) != SCREEN_NEW)
            die("a signal was not new");
        if (engine_apply(e, (uint64_t)i + 2, now, (struct slice){(char *)b.p, b.n}, out, &err) < 0)
            die(err.msg);
        *events += out->n;
        arena_reset(out->arena);
        *out = (struct engine_out){.arena = out->arena};
    }
    buf_finish(&b);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct result run(const struct options *o, int n)
{
    struct arena a = {0}, texts = {0};
    struct engine_out out = {.arena = &a};
    struct err err = {0};
    struct engine *e;
    struct kinds *k = NULL;
    struct slice text;
    struct result r = {0};
    if (engine_create(&e, NULL, 0, &err) < 0 || textfile_read(o->kinds, &texts, &text, &err) < 0 ||
        kinds_parse(&k, o->kinds, text, &err) < 0)
        die(err.msg);
    configure(e, o, n, &out);
    double began = seconds();
    fold_signals(e, o, k, &out, &r.events);
    r.us = (seconds() - began) * 1e6 / (double)o->signals;
    engine_destroy(e);
    kinds_destroy(k);
    arena_finish(&a);
    arena_finish(&texts);
    return r;
}

static void report(const struct options *o, const struct result *least)
{
    FILE *f = o->out ? fopen(o->out, "w") : NULL;
    if (o->out && !f)
        die("the file to write cannot be opened");
    printf("rules: %ld signals over %ld enterprises, the fold alone, least of %ld rounds\n", o->signals, o->enterprises, o->rounds);
    for (int i = 0; i < SIZES; i++)
        printf("       %5d rules  %6.2f us a signal  %5.2f times  %8llu events\n", sizes[i], least[i].us,
               least[i].us / least[0].us, (unsigned long long)least[i].events);
    for (int i = 0; f && i < SIZES; i++)
        fprintf(f, "%s{\"rules\": %d, \"us_per_signal\": %.3f, \"ratio\": %.3f, \"events\": %llu}%s", i ? " " : "[", sizes[i],
                least[i].us, least[i].us / least[0].us, (unsigned long long)least[i].events, i < SIZES - 1 ? ",\n" : "]\n");
    if (f)
        fclose(f);
}

int main(int argc, char **argv)
{
    struct options o = {200000, 50000, 3, 0, "config/kinds.csv", NULL};
    static const struct option longs[] = {{"signals", 1, NULL, 's'}, {"enterprises", 1, NULL, 'e'}, {"rounds", 1, NULL, 'r'},
                                          {"kinds", 1, NULL, 'k'},   {"out", 1, NULL, 'o'},         {"only", 1, NULL, 'n'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (c) {
        case 's': o.signals = atol(optarg); break;
        case 'e': o.enterprises = atol(optarg); break;
        case 'r': o.rounds = atol(optarg); break;
        case 'n': o.only = atol(optarg); break;
        case 'k': o.kinds = optarg; break;
        case 'o': o.out = optarg; break;
        default: return 2;
        }
    }
    if (o.signals < 1 || o.enterprises < 1 || o.rounds < 1 || o.only < 0 || optind != argc) {
        fprintf(stderr, "usage: rules [--signals N] [--enterprises N] [--rounds N] [--only RULES] [--kinds FILE] [--out FILE]\n");
        return 2;
    }
    if (o.only) {
        struct result r = run(&o, (int)o.only);
        printf("rules: %ld rules  %6.2f us a signal  %8llu events\n", o.only, r.us, (unsigned long long)r.events);
        return 0;
    }
    struct result least[SIZES] = {{0}};
    for (long round = 0; round < o.rounds; round++)
        for (int i = 0; i < SIZES; i++) {
            struct result r = run(&o, sizes[i]);
            if (!round || r.us < least[i].us)
                least[i] = r;
        }
    report(&o, least);
    return 0;
}
