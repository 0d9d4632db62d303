/* SPDX-License-Identifier: Apache-2.0 */
/* Owns what a configuration file says. Main thread. The tables it names are the catalog's, principals the
 * principal room's. */
#include "daemon/config.h"

#include "engine/settings.h"
#include "lib/calendar.h"
#include "lib/endpoint.h"
#include "lib/mem.h"
#include "lib/textfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* One load in progress. */
enum config_file {
    FILE_RULES,
    FILE_KINDS,
    FILE_REGIONS,
    FILE_CALENDAR,
    FILE_PRINCIPALS,
    FILE_AREAS,
    FILE_TEAMS,
    FILE_MEASURES,
    FILE_DEADLINES,
    FILE_SHADOW,
    FILE_THRESHOLDS,
    FILE_CAMPAIGNS,
    FILE_DUTIES,
    FILE_COUNT
};

struct loading {
    struct config *c;
    const struct options *options;
    struct report *report;
    struct mistakes m; /* of the configuration file itself */
    struct slice text;
    const char *dir;      /* of the file: names in it are relative to this */
    const char *files[FILE_COUNT]; /* by enum config_file */
    const struct tree *principals; /* the document; NULL: none, or not read */
    struct slice principals_text;
};

static const struct {
    const char *key, *shipped; /* NULL: there is none without the key */
} file_keys[FILE_COUNT] = {
    [FILE_RULES] = {"rules", "rules.yaml"},
    [FILE_KINDS] = {"kinds", "kinds.csv"},
    [FILE_REGIONS] = {"regions", "regions.csv"},
    [FILE_CALENDAR] = {"calendar", "spring_festival.csv"},
    [FILE_PRINCIPALS] = {"principals", NULL},
    [FILE_AREAS] = {"areas", "areas.yaml"},
    [FILE_TEAMS] = {"teams", NULL},
    [FILE_MEASURES] = {"measures", NULL},
    [FILE_DEADLINES] = {"deadlines", "deadlines.yaml"},
    [FILE_SHADOW] = {"shadow", NULL},
    [FILE_THRESHOLDS] = {"thresholds", "thresholds.csv"},
    [FILE_CAMPAIGNS] = {"campaigns", NULL},
    [FILE_DUTIES] = {"duties", NULL},
};

/* ---- helpers over the tree ---- */

typedef void on_key(struct loading *, const struct tree *value);

struct key {
    const char *name;
    on_key *set;
};

static void unknown_key(struct loading *l, const struct tree *key, const struct key *keys, size_t n,
                        const char *where)
{
    const char *names[32];
    assert(n <= ARRAY_LEN(names));
    for (size_t i = 0; i < n; i++)
        names[i] = keys[i].name;
    const char *near = nearest_word(key->text, names, n);
    mistake_at(&l->m, key, near ? arena_printf(&l->c->arena, "did you mean \"%s\"?", near) : NULL,
               "unknown key \"%.*s\"%s", SLICE_ARG(key->text), where);
}

static void each_key(struct loading *l, const struct tree *map, const struct key *keys, size_t n,
                     const char *where)
{
    for (uint32_t i = 0; i < map->n; i++) {
        size_t k = 0;
        while (k < n && !slice_is(map->keys[i]->text, keys[k].name))
            k++;
        if (k == n)
            unknown_key(l, map->keys[i], keys, n, where);
        else
            keys[k].set(l, map->items[i]);
    }
}

static bool is_text(const struct tree *t)
{
    return t->type == TREE_SCALAR && t->text.n;
}

static const char *beside(struct loading *l, const char *name)
{
    if (name[0] == '/' || !l->dir)
        return name;
    return arena_printf(&l->c->arena, "%s/%s", l->dir, name);
}

/* ---- listen ---- */

/* libzmq takes any text for a number: tcp://HOST:PORT is checked here. Port 0 or *: one that is free. */
static bool tcp_well_formed(const char *address)
{
    const char *colon = strrchr(address, ':');
    if (!colon || colon <= address + strlen("tcp://"))
        return false;
    size_t n = strspn(colon + 1, "0123456789");
    if (strcmp(colon + 1, "*") == 0)
        return true;
    return n > 0 && n <= 5 && !colon[1 + n] && strtoul(colon + 1, NULL, 10) <= 65535;
}

/* NULL, or what is wrong with it. */
static const char *endpoint_fault(const char *address)
{
    enum { PATH_MAX_BYTES = sizeof((struct sockaddr_un *)0)->sun_path - 1 };
    if (strncmp(address, "tcp://", 6) == 0)
        return tcp_well_formed(address) ? NULL : "tcp wants an address and a port";
    if (strncmp(address, "ipc://", 6) != 0 || !address[6])
        return "an endpoint is tcp://ADDRESS:PORT or ipc://FILE";
    if (address[6] == '@' || address[6] == '*')
        return "an ipc endpoint must be a file, so that its mode can protect it";
    return strlen(address + 6) > PATH_MAX_BYTES ? "the path of a socket may have 107 bytes at most" : NULL;
}

/* libzmq binds to addresses only. */
static const char *address_of(struct loading *l, const char *endpoint)
{
    static const char named[] = "tcp://localhost:";
    if (strncmp(endpoint, named, sizeof named - 1) != 0)
        return endpoint;
    return arena_printf(&l->c->arena, "tcp://127.0.0.1:%s", endpoint + sizeof named - 1);
}

/* Of port 0 each one is another. */
static bool is_listed(const struct config *c, const char *address)
{
    const char *port = strncmp(address, "tcp://", 6) == 0 ? strrchr(address, ':') : NULL;
    if (port && strtoul(port + 1, NULL, 10) == 0)
        return false;
    for (unsigned i = 0; i < c->n_listen; i++)
        if (strcmp(c->listen[i].address, address) == 0)
            return true;
    return false;
}

static void add_listen(struct loading *l, const struct tree *where, struct config_listen e)
{
    struct mistakes *m = &l->m;
    const char *fault = endpoint_fault(e.address);
    e.address = address_of(l, e.address);
    if (fault)
        mistake_at(m, where, "tcp://127.0.0.1:7410, ipc:///run/wagewarn/wagewarn.sock", "\"%s\": %s",
                   e.address, fault);
    else if (!endpoint_is_local(e.address) && !e.curve)
        mistake_at(m, where,
                   "give it a server key: {endpoint: ..., curve: FILE}; or listen on tcp://127.0.0.1",
                   "\"%s\" can be reached from other machines and has no CURVE key", e.address);
    else if (is_listed(l->c, e.address))
        mistake_at(m, where, "leave one of them out", "\"%s\" stands here twice", e.address);
    else if (l->c->n_listen == LISTEN_MAX)
        mistake_at(m, where, NULL, "more than %d endpoints", LISTEN_MAX);
    else
        l->c->listen[l->c->n_listen++] = e;
}

static void listen_item(struct loading *l, const struct tree *t)
{
    static const char *const keys[] = {"endpoint", "principal", "curve"};
    struct config_listen e = {.principal = principal_local.name};
    const char **slots[] = {&e.address, &e.principal, &e.curve};
    if (is_text(t)) {
        e.address = t->text.p;
        add_listen(l, t, e);
        return;
    }
    if (t->type != TREE_MAP || !tree_get(t, "endpoint")) {
        mistake_at(&l->m, t, "- {endpoint: \"tcp://127.0.0.1:7410\", principal: local}",
                   "an item of \"listen\" must be an endpoint, or a map with one");
        return;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        size_t k = 0;
        while (k < ARRAY_LEN(keys) && !slice_is(t->keys[i]->text, keys[k]))
            k++;
        if (k == ARRAY_LEN(keys))
            mistake_at(&l->m, t->keys[i], "keys: endpoint principal curve",
                       "unknown key \"%.*s\" of an endpoint", SLICE_ARG(t->keys[i]->text));
        else if (!is_text(t->items[i]))
            mistake_at(&l->m, t->items[i], NULL, "\"%s\" must be a text", keys[k]);
        else
            *slots[k] = t->items[i]->text.p;
    }
    if (e.curve)
        e.curve = beside(l, e.curve);
    if (e.address)
        add_listen(l, t, e);
}

static void set_listen(struct loading *l, const struct tree *t)
{
    if (t->type != TREE_LIST || !t->n)
        mistake_at(&l->m, t, "listen: [\"tcp://127.0.0.1:7410\"]", "\"listen\" must be a list of endpoints");
    else
        for (uint32_t i = 0; i < t->n; i++)
            listen_item(l, t->items[i]);
}

/* ---- plain keys ---- */

static void set_state_dir(struct loading *l, const struct tree *t)
{
    if (is_text(t))
        l->c->state_dir = beside(l, t->text.p);
    else
        mistake_at(&l->m, t, "state_dir: /var/lib/wagewarn", "\"state_dir\" must be a directory");
}

static void set_timezone(struct loading *l, const struct tree *t)
{
    if (!is_text(t) || !offset_parse(t->text, &l->c->timezone_ms))
        mistake_at(&l->m, t, "timezone: \"+08:00\"", "\"timezone\" must be a fixed offset from UTC");
}

static void set_file(struct loading *l, const struct tree *t, enum config_file which)
{
    if (is_text(t))
        l->files[which] = beside(l, t->text.p);
    else
        mistake_at(&l->m, t, NULL, "\"%s\" must be the name of a file", file_keys[which].key);
}

#define FILE_SETTER(name, which)                                                                             \
    static void name(struct loading *l, const struct tree *t)                                                \
    {                                                                                                        \
        set_file(l, t, which);                                                                               \
    }
FILE_SETTER(set_rules, FILE_RULES)
FILE_SETTER(set_kinds, FILE_KINDS)
FILE_SETTER(set_regions, FILE_REGIONS)
FILE_SETTER(set_calendar, FILE_CALENDAR)
FILE_SETTER(set_principals, FILE_PRINCIPALS)
FILE_SETTER(set_areas, FILE_AREAS)
FILE_SETTER(set_teams, FILE_TEAMS)
FILE_SETTER(set_measures, FILE_MEASURES)
FILE_SETTER(set_deadlines, FILE_DEADLINES)
FILE_SETTER(set_shadow, FILE_SHADOW)
FILE_SETTER(set_thresholds, FILE_THRESHOLDS)
FILE_SETTER(set_campaigns, FILE_CAMPAIGNS)
FILE_SETTER(set_duties, FILE_DUTIES)

static void set_audit(struct loading *l, const struct tree *t)
{
    enum { LEAST_DAYS = 183 };
    int64_t plain;
    if (tree_int(t, &plain))
        mistake_at(&l->m, t, "audit: 400d", "\"audit\" has no unit; d are days");
    else if (!tree_duration(t, &l->c->retention_audit_ms) || l->c->retention_audit_ms < LEAST_DAYS * DAY_MS)
        mistake_at(&l->m, t, "retention: {audit: 400d}", "\"audit\" must be at least six months (%dd)",
                   LEAST_DAYS);
}

static void set_retention(struct loading *l, const struct tree *t)
{
    static const struct key keys[] = {{"audit", set_audit}};
    if (t->type != TREE_MAP)
        mistake_at(&l->m, t, "retention: {audit: 400d}", "\"retention\" must be a map");
    else
        each_key(l, t, keys, ARRAY_LEN(keys), " of \"retention\"");
}

/* ---- limits ---- */

static void set_number(struct loading *l, const struct tree *t, const char *key, int64_t *out, int64_t least,
                       int64_t most)
{
    int64_t v;
    if (!tree_int(t, &v) || v < least || v > most)
        mistake_at(&l->m, t, NULL, "\"%s\" must be a number from %lld to %lld", key, (long long)least,
                   (long long)most);
    else
        *out = v;
}

static void set_size(struct loading *l, const struct tree *t, const char *key, int64_t *out, int64_t least,
                     int64_t most)
{
    int64_t v;
    if (!tree_size(t, &v) || v < least || v > most)
        mistake_at(&l->m, t, "sizes: 64KiB 1MiB 2GiB", "\"%s\" must be a size from %lldKiB to %lldKiB", key,
                   (long long)(least >> 10), (long long)(most >> 10));
    else
        *out = v;
}

static void set_max_batch(struct loading *l, const struct tree *t)
{
    set_number(l, t, "max_batch", &l->c->limits.max_batch, 1, 10000);
}

static void set_max_bytes(struct loading *l, const struct tree *t)
{
    set_size(l, t, "max_bytes", &l->c->limits.max_bytes, 64 << 10, 4 << 20);
}

static void set_cache(struct loading *l, const struct tree *t)
{
    set_size(l, t, "cache", &l->c->limits.cache, 16 << 20, INT64_C(1) << 40);
}

static void set_debt(struct loading *l, const struct tree *t)
{
    set_number(l, t, "debt", &l->c->limits.debt, 10000, 100000000);
}

static void set_disk_free(struct loading *l, const struct tree *t)
{
    int64_t v;
    if (!tree_ppm(t, &v) || v < 0 || v > 900000)
        mistake_at(&l->m, t, "disk_free: 0.05", "\"disk_free\" must be a share of the disk from 0 to 0.9");
    else
        l->c->limits.disk_free_ppm = v;
}

static void set_presence(struct loading *l, const struct tree *t)
{
    int64_t v;
    if (!tree_duration(t, &v) || v < 1000 || v > DAY_MS)
        mistake_at(&l->m, t, "presence: 1m", "\"presence\" must be a time from 1s to 1d");
    else
        l->c->limits.presence_ms = v;
}

static void set_limits(struct loading *l, const struct tree *t)
{
    static const struct key keys[] = {
        {"max_batch", set_max_batch}, {"max_bytes", set_max_bytes}, {"cache", set_cache},
        {"debt", set_debt},           {"disk_free", set_disk_free}, {"presence", set_presence},
    };
    if (t->type != TREE_MAP)
        mistake_at(&l->m, t, "limits: {max_batch: 1000}", "\"limits\" must be a map");
    else
        each_key(l, t, keys, ARRAY_LEN(keys), " of \"limits\"");
}

static const struct key top_keys[] = {
    {"listen", set_listen},     {"state_dir", set_state_dir},   {"timezone", set_timezone},
    {"rules", set_rules},       {"kinds", set_kinds},           {"regions", set_regions},
    {"areas", set_areas},       {"teams", set_teams},           {"measures", set_measures},
    {"calendar", set_calendar}, {"principals", set_principals}, {"retention", set_retention},
    {"limits", set_limits},     {"deadlines", set_deadlines},   {"shadow", set_shadow},
    {"thresholds", set_thresholds}, {"campaigns", set_campaigns}, {"duties", set_duties},
};

/* ---- loading ---- */

static void read_file(struct loading *l)
{
    const char *path = l->options->config;
    if (!path)
        return;
    l->dir = textfile_dir(&l->c->arena, path);
    const struct tree *t = catalog_read_yaml(path, &l->c->arena, &l->text, l->report);
    if (!t)
        return;
    if (t->type != TREE_MAP)
        mistake_at(&l->m, t, "state_dir: /var/lib/wagewarn", "the configuration must be a map of keys");
    else
        each_key(l, t, top_keys, ARRAY_LEN(top_keys), "");
}

static void set_defaults(struct config *c)
{
    c->timezone_ms = OFFSET_CHINA_MS;
    c->retention_audit_ms = 400 * DAY_MS;
    c->limits = (struct config_limits){
        .max_batch = 1000,
        .max_bytes = 1 << 20,
        .cache = 512 << 20,
        .debt = 1200000,
        .disk_free_ppm = 50000,
        .presence_ms = 60000,
    };
}

/* Options over file over environment over defaults. */
static void place(struct loading *l)
{
    struct config *c = l->c;
    const char *env = getenv("STATE_DIRECTORY");
    if (l->options->state_dir) {
        c->state_dir = l->options->state_dir;
        if (!*c->state_dir)
            mistake_put(&l->m, 0, 0, "--state-dir /var/lib/wagewarn", "--state-dir is empty; name a directory");
    }
    else if (!c->state_dir && env && *env)
        c->state_dir = arena_slice(&c->arena, (struct slice){env, strcspn(env, ":")}).p;
    else if (!c->state_dir)
        c->state_dir = "./wagewarn-state";
    if (l->options->n_listen)
        c->n_listen = 0;
    for (unsigned i = 0; i < l->options->n_listen; i++)
        add_listen(l, NULL, (struct config_listen){l->options->listen[i], principal_local.name, NULL});
    if (c->n_listen || l->m.total)
        return;
    add_listen(l, NULL, (struct config_listen){"tcp://127.0.0.1:7410", principal_local.name, NULL});
    add_listen(l, NULL,
               (struct config_listen){arena_printf(&c->arena, "ipc://%s/wagewarn.sock", c->state_dir),
                                      principal_local.name, NULL});
}

static void load_principals(struct loading *l)
{
    struct config *c = l->c;
    const char *file = l->files[FILE_PRINCIPALS];
    struct slice text;
    if (file) {
        const struct tree *t = catalog_read_yaml(file, &c->arena, &text, l->report);
        if (!t)
            return;
        struct mistakes m = {.arena = &c->arena, .file = file};
        principals_load(&c->principals, t, &c->arena, &m);
        report_mistakes(l->report, &m, text);
        l->principals = t;
        l->principals_text = text;
    }
    for (unsigned i = 0; i < c->n_listen; i++) {
        struct slice name = slice_of(c->listen[i].principal);
        if (c->listen[i].curve || principals_named(&c->principals, name))
            continue;
        if (c->principals.listed)
            mistake_put(&l->m, 0, 0, "name one of that file, or local",
                        "endpoint %s: no principal \"%s\" in %s", c->listen[i].address,
                        c->listen[i].principal, file);
        else
            principals_add_trusted(&c->principals, name, &c->arena);
    }
}

/* `calendar` names a folder with spring_festival.csv and the years, or the first alone: the years are beside it then, or
 * as shipped. */
static void find_calendar(struct loading *l, struct catalog_files *files, const char *calendar)
{
    struct arena *a = &l->c->arena;
    struct stat st;
    if (stat(calendar, &st) == 0 && S_ISDIR(st.st_mode)) {
        files->calendar = calendar;
        files->festivals = textfile_shipped(a, calendar, "spring_festival.csv");
        return;
    }
    files->festivals = calendar;
    files->calendar = arena_printf(a, "%s/calendar", textfile_dir(a, calendar));
    if (stat(files->calendar, &st) != 0)
        files->calendar = textfile_dir(a, textfile_shipped(a, l->dir, "calendar/2026.csv"));
}

static void load_catalog(struct loading *l)
{
    const char *paths[ARRAY_LEN(file_keys)];
    for (size_t i = 0; i < ARRAY_LEN(file_keys); i++)
        paths[i] = l->files[i] || !file_keys[i].shipped
                       ? l->files[i]
                       : textfile_shipped(&l->c->arena, l->dir, file_keys[i].shipped);
    struct catalog_files files = {
        .kinds = paths[FILE_KINDS],
        .regions = paths[FILE_REGIONS],
        .rules = paths[FILE_RULES],
        .areas = paths[FILE_AREAS],
        .shadow = paths[FILE_SHADOW],
        .thresholds = paths[FILE_THRESHOLDS],
        .teams = paths[FILE_TEAMS],
        .measures = paths[FILE_MEASURES],
        .deadlines = paths[FILE_DEADLINES],
        .campaigns = paths[FILE_CAMPAIGNS],
        .duties = paths[FILE_DUTIES],
        .timezone_ms = l->c->timezone_ms,
        .retention_ms = l->c->retention_audit_ms,
    };
    find_calendar(l, &files, paths[FILE_CALENDAR]);
    if (!catalog_load(&l->c->catalog, &files, &l->c->arena, l->report))
        assert(l->report->errors);
}

/* A principal's team is one of teams.yaml, where teams are configured. */
static void check_principals(struct loading *l)
{
    struct arena *a = &l->c->arena;
    const struct catalog *c = &l->c->catalog;
    const struct work *w = c->compiled ? c->compiled->work : NULL;
    const struct tree *list = l->principals ? tree_get(l->principals, "principals") : NULL;
    struct mistakes m = {.arena = a, .file = l->files[FILE_PRINCIPALS]};
    if (!w || !w->has_teams || !list || list->type != TREE_LIST)
        return;
    const char **names = arena_alloc(a, (w->n_teams + 1) * sizeof *names);
    for (uint32_t i = 0; i < w->n_teams; i++)
        names[i] = arena_slice(a, w->teams[i].id).p;
    for (uint32_t i = 0; i < list->n; i++) {
        const struct tree *team = list->items[i]->type == TREE_MAP ? tree_get(list->items[i], "team") : NULL;
        if (!team || team->type != TREE_SCALAR || work_team_named(w, team->text))
            continue;
        const char *near = nearest_word(team->text, names, w->n_teams);
        mistake_at(&m, team, near ? arena_printf(a, "did you mean \"%s\"?", near) : "'wagewarn routes list' names them",
                   "no team \"%.*s\" in %s", SLICE_ARG(team->text), l->files[FILE_TEAMS]);
    }
    report_mistakes(l->report, &m, l->principals_text);
}

struct config *config_load(const struct options *options, struct report *report)
{
    struct config *c = mem_zalloc(sizeof *c);
    c->holders = 1;
    c->file = options->config;
    struct loading l = {.c = c, .options = options, .report = report};
    l.m = (struct mistakes){.arena = &c->arena, .file = options->config ? options->config : "command line"};
    set_defaults(c);
    read_file(&l);
    place(&l);
    load_principals(&l);
    report_mistakes(report, &l.m, l.text);
    load_catalog(&l);
    check_principals(&l);
    if (!report->errors)
        return c;
    config_release(c);
    return NULL;
}

void config_hold(struct config *c)
{
    c->holders++;
}

void config_release(struct config *c)
{
    if (!c || --c->holders)
        return;
    catalog_finish(&c->catalog);
    arena_finish(&c->arena);
    free(c);
}

static bool same_text(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

const char *config_needs_restart(const struct config *now, const struct config *next)
{
    if (!same_text(now->state_dir, next->state_dir))
        return "state_dir";
    bool same = now->n_listen == next->n_listen;
    for (unsigned i = 0; same && i < now->n_listen; i++)
        same = same_text(now->listen[i].address, next->listen[i].address) &&
               same_text(now->listen[i].curve, next->listen[i].curve);
    if (!same)
        return "listen";
    if (now->limits.cache != next->limits.cache || now->limits.debt != next->limits.debt ||
        now->limits.disk_free_ppm != next->limits.disk_free_ppm ||
        now->limits.max_bytes != next->limits.max_bytes)
        return "limits";
    return NULL;
}
