/* SPDX-License-Identifier: Apache-2.0 */
/* Where a signal's time goes between the wire and the disk: the daemon's intake and the engine alone, on one thread and in
 * memory, over the very batches that `load ingest` sends, under the shipped configuration. No socket, no journal, no view:
 * checkpoints are taken and given back as the daemon does, and dropped.
 *
 *     fold [--signals N] [--enterprises N] [--group N] [--debt N] [--config DIR] [--out FILE]
 *
 * Prints nanoseconds of CPU time a signal for each step, the look-ups that would have gone to the disk, and the memory that
 * the engine holds afterwards. Other work on the machine shows in it less than in wall-clock time, but shows. */
#include "bench/wire.h"
#include "daemon/intake.h"
#include "lib/mem.h"

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 100, CLIENTS = 2, AHEAD_SCREEN = 8, AHEAD_FOLD = 4, KEPT_BATCHES = 8 };
enum step { INTAKE, SCREEN, FOLD, CHECKPOINT, STEPS };
static const char *const step_names[STEPS] = {"intake", "screen", "fold", "checkpoint"};

struct options {
    long signals, enterprises, group, debt;
    const char *config, *out;
};

struct bench {
    const struct options *o;
    struct catalog catalog;
    struct arena arena;          /* of the catalog */
    struct feeds feeds;
    struct intake intake;
    struct load *load[CLIENTS];
    struct batch batch;
    struct engine *engine;
    struct checkpoint *in_flight;
    int in_flight_for;           /* batches */
    uint64_t number, events, lookups[T_COUNT];
    int64_t now;
    double cpu[STEPS];
};

static void die(const char *what)
{
    fprintf(stderr, "fold: %s\n", what);
    exit(74);
}

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long rss_kib(void)
{
    long pages = 0, ignored;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%ld %ld", &ignored, &pages) != 2)
            pages = 0;
        fclose(f);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- a view that holds nothing, and counts who asks ---- */

static int get_nothing(void *ctx, enum table t, const void *key, size_t n, struct slice *value, struct err *err)
{
    struct bench *b = ctx;
    (void)key, (void)n, (void)value, (void)err;
    b->lookups[t]++;
    return 0;
}

static int scan_nothing(void *ctx, enum table t, struct slice from, bool (*each)(void *, struct slice, struct slice),
                        void *arg, struct err *err)
{
    (void)ctx, (void)t, (void)from, (void)each, (void)arg, (void)err;
    return 0;
}

/* ---- the steps ---- */

static void take_in(struct bench *b, uint64_t *next)
{
    const struct intake_from from = {1, &principal_local, &b->catalog, b->now};
    for (long i = 0; i < b->o->group; i++, ++*next) {
        struct load *l = b->load[*next % CLIENTS];
        size_t n;
        unsigned signals;
        bool has_rid;
        uint64_t rid, no = *next / CLIENTS;
        enum wire_error wire;
        struct err err;
        if (no >= load_batches(l))
            break;
        const uint8_t *body = load_body(l, no, &n, &signals);
        double began = cpu_now();
        if (intake_signals(&b->intake, &b->batch, &from, (struct slice){(const char *)body, n}, &has_rid, &rid, &wire,
                           &err) != INTAKE_WAITS)
            die("a batch was not taken in");
        b->cpu[INTAKE] += cpu_now() - began;
    }
}

static void screen(struct bench *b)
{
    const struct slot *s = b->batch.slots;
    for (size_t i = 0; i < b->batch.n_slots; i++) {
        if (i + AHEAD_SCREEN < b->batch.n_slots)
            engine_warm(b->engine, s[i + AHEAD_SCREEN].signal, 0);
        if (engine_screen(b->engine, s[i].signal, b->number + 1 + i) != SCREEN_NEW)
            die("a signal was not new");
    }
}

static void fold(struct bench *b)
{
    struct err err;
    size_t n = b->batch.n_slots;
    for (size_t i = 0; i < n; i++) {
        for (int step = 1; step <= 3; step++)
            if (i + (size_t)(4 - step) * AHEAD_FOLD < n)
                engine_warm(b->engine, b->batch.slots[i + (size_t)(4 - step) * AHEAD_FOLD].signal, step);
        if (engine_apply(b->engine, ++b->number, b->now, b->batch.slots[i].body, &b->batch.out, &err) < 0)
            die(err.msg);
    }
    b->events += b->batch.out.n;
}

static void checkpoint(struct bench *b)
{
    if (b->in_flight && ++b->in_flight_for >= KEPT_BATCHES) {
        engine_committed(b->engine, b->in_flight);
        b->in_flight = NULL;
    }
    if (!b->in_flight && engine_dirty(b->engine) >= (size_t)b->o->debt / 2) {
        b->in_flight = engine_checkpoint(b->engine);
        b->in_flight_for = 0;
    }
}

static void timed(struct bench *b, enum step step, void (*work)(struct bench *))
{
    double began = cpu_now();
    work(b);
    b->cpu[step] += cpu_now() - began;
}

static void run(struct bench *b)
{
    for (uint64_t next = 0;;) {
        batch_reset(&b->batch);
        take_in(b, &next);
        if (!b->batch.n_slots)
            return;
        timed(b, SCREEN, screen);
        timed(b, FOLD, fold);
        timed(b, CHECKPOINT, checkpoint);
    }
}

/* ---- before and after ---- */

static void configure(struct bench *b)
{
    static const uint8_t key[HASH_KEY_LEN] = {4};
    struct arena *a = &b->arena;
    struct report report = {0};
    struct err err;
#define IN(name) arena_printf(a, "%s/%s", b->o->config, name)
    const struct catalog_files files = {
        .kinds = IN("kinds.csv"), .regions = IN("regions.csv"), .rules = IN("rules.yaml"),
        .festivals = IN("spring_festival.csv"), .calendar = IN("calendar"), .thresholds = IN("thresholds.csv"),
        .deadlines = IN("deadlines.yaml"), .timezone_ms = 8 * 3600 * 1000};
#undef IN
    if (!catalog_load(&b->catalog, &files, a, &report)) {
        report_print(&report, "nothing measured");
        exit(78);
    }
    report_finish(&report);
    feeds_init(&b->feeds, b->engine);
    b->intake = (struct intake){.key = key, .max_batch = 10000, .feeds = &b->feeds};
    batch_init(&b->batch);
    intake_settings(&b->intake, &b->batch, &b->catalog);
    if (engine_apply(b->engine, ++b->number, b->now, b->batch.slots[0].body, &b->batch.out, &err) < 0)
        die(err.msg);
}

static void prepare(struct bench *b)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct load_shape shape = {.batch = BATCH, .enterprises = (uint32_t)b->o->enterprises,
                                   .signals = (uint64_t)b->o->signals / CLIENTS,
                                   .first_at = b->now - 365 * DAY_MS, .client = i, .run = 1};
        shape.step_us = 364 * DAY_MS * 1000 / (int64_t)(shape.signals + 1);
        if (!(b->load[i] = load_create(&shape)))
            die("no memory");
    }
}

static void report(const struct bench *b, long kib)
{
    double n = (double)(b->number - 1), sum = 0;
    FILE *f = b->o->out ? fopen(b->o->out, "w") : NULL;
    if (b->o->out && !f)
        die("the file to write cannot be opened");
    printf("fold: %.0f signals over %ld enterprises, %ld batches of %d together, ns of CPU a signal\n      ", n,
           b->o->enterprises, b->o->group, BATCH);
    for (int i = 0; i < STEPS; i++)
        printf(" %s %.0f", step_names[i], b->cpu[i] / n * 1e9);
    for (int i = SCREEN; i < STEPS; i++)
        sum += b->cpu[i];
    printf(", the writer's part %.0f\n       %.3f events a signal; %.0f bytes an enterprise (%ld MiB); look-ups a signal:",
           sum / n * 1e9, (double)b->events / n, (double)kib * 1024 / (double)b->o->enterprises, kib / 1024);
    for (int i = 0; i < T_COUNT; i++)
        if (b->lookups[i])
            printf(" %s %.4f", table_names[i], (double)b->lookups[i] / n);
    putchar('\n');
    if (f) {
        fputc('{', f);
        for (int i = 0; i < STEPS; i++)
            fprintf(f, "\"%s_ns\": %.1f, ", step_names[i], b->cpu[i] / n * 1e9);
        fprintf(f, "\"signals\": %.0f, \"enterprises\": %ld, \"kib\": %ld}\n", n, b->o->enterprises, kib);
        fclose(f);
    }
}

static void finish(struct bench *b)
{
    if (b->in_flight)
        engine_committed(b->engine, b->in_flight);
    for (unsigned i = 0; i < CLIENTS; i++)
        load_destroy(b->load[i]);
    intake_finish(&b->intake);
    batch_finish(&b->batch);
    feeds_finish(&b->feeds);
    engine_destroy(b->engine);
    catalog_finish(&b->catalog);
    arena_finish(&b->arena);
}

int main(int argc, char **argv)
{
    struct options o = {1000000, 250000, 64, 1200000, "config", NULL};
    static const struct option longs[] = {{"signals", 1, NULL, 's'}, {"enterprises", 1, NULL, 'e'}, {"group", 1, NULL, 'g'},
                                          {"debt", 1, NULL, 'd'},    {"config", 1, NULL, 'c'},      {"out", 1, NULL, 'o'},
                                          {0}};
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (c) {
        case 's': o.signals = atol(optarg); break;
        case 'e': o.enterprises = atol(optarg); break;
        case 'g': o.group = atol(optarg); break;
        case 'd': o.debt = atol(optarg); break;
        case 'c': o.config = optarg; break;
        case 'o': o.out = optarg; break;
        default: return 2;
        }
    }
    if (o.signals < 2 || o.enterprises < 1 || o.group < 1 || o.debt < 2 || optind != argc) {
        fprintf(stderr, "usage: fold [--signals N] [--enterprises N] [--group N] [--debt N] [--config DIR] [--out FILE]\n");
        return 2;
    }
    struct bench *b = mem_zalloc(sizeof *b);
    const struct state_loader loader = {b, get_nothing, scan_nothing};
    struct err err;
    *b = (struct bench){.o = &o, .now = (int64_t)time(NULL) * 1000};
    if (engine_create(&b->engine, &loader, SIZE_MAX, &err) < 0)
        die(err.msg);
    configure(b);
    prepare(b);
    memset(b->lookups, 0, sizeof b->lookups);
    long before = rss_kib();
    run(b);
    malloc_trim(0);
    report(b, rss_kib() - before);
    finish(b);
    free(b);
    return 0;
}
