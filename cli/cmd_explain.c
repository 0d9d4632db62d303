/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn explain: why this level, each signal's share, and what would change it. Asks the daemon; or, for another time or
 * other rules, folds the journal of a state directory again and asks the same of that. What it says in words is
 * explain_words'. */
#include "cli/explain_words.h"
#include "cli/output.h"
#include "cli/replay.h"
#include "cli/rules_file.h"
#include "cli/text.h"
#include "engine/whatif.h"
#include "lib/codec.h"
#include "lib/name.h"
#include "lib/uscc.h"

#include <inttypes.h>
#include <stdio.h>

/* What is asked for, in one of three ways. */
struct subject {
    uint64_t alert;    /* 0: by code or name */
    const char *uscc, *name;
    uint8_t status;
};

static bool read_subject(struct cli *cli, struct subject *s)
{
    const char *text = cli->args[0];
    const char *status = cli->values[O_STATUS];
    int64_t n;
    int word = status ? status_of(slice_of(status)) : STATUS_ACTUAL;
    *s = (struct subject){.status = (uint8_t)word};
    if (word < 0) {
        cli_say(tr("--status is actual, exercise or test", "--status 为 actual、exercise 或 test"));
        return false;
    }
    if (text_parse_int(text + (*text == '#'), &n) && strlen(text) != 18) {
        s->alert = n > 0 ? (uint64_t)n : 0;
        if (n <= 0)
            cli_say(tr("\"%s\" is no number of an alert; 'wagewarn alerts' lists them",
                       "“%s”不是预警编号；'wagewarn alerts' 列出全部"),
                    text_safe(&cli->arena, text));
        return n > 0;
    }
    if (!uscc_fault(slice_of(text)))
        s->uscc = text;
    else
        s->name = text;
    return true;
}

static void show(struct cli *cli, const struct ww_value *document)
{
    if (!out_document(cli, document))
        explain_words(cli, ww_get(document, "explanation"));
}

/* ---- of the daemon ---- */

static int ask_daemon(struct cli *cli, const struct subject *s)
{
    struct ww_param params[4];
    size_t n = 0;
    const struct ww_value *result;
    if (s->alert)
        params[n++] = (struct ww_param){.key = "alert", .number = (int64_t)s->alert};
    else
        params[n++] = (struct ww_param){.key = s->uscc ? "uscc" : "name", .text = s->uscc ? s->uscc : s->name};
    if (cli->values[O_WITHOUT])
        params[n++] = (struct ww_param){.key = "without", .text = cli->values[O_WITHOUT]};
    if (cli->values[O_STATUS])
        params[n++] = (struct ww_param){.key = "status", .text = cli->values[O_STATUS]};
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    int rc = ww_query(cli->client, "explain", params, n, &result);
    if (rc != 0 && cli->values[O_WITHOUT] && strstr(ww_message(cli->client), "(bad_field)"))
        rc = WW_EUSAGE; /* no such agency: what was typed is wrong */
    if (rc != 0)
        return cli_failed(cli, rc);
    show(cli, result);
    return 0;
}

/* ---- of the journal ---- */

/* WW_EUSAGE is told. */
static int read_time(struct cli *cli, int64_t *until)
{
    const char *text = cli->values[O_AT];
    *until = NO_INT;
    if (!text || text_parse_time(text, until) || (text_parse_int(text, until) && *until > 0))
        return 0;
    cli_say(tr("\"%s\" is no time such as 2026-03-05 or 2026-03-05T10:20:00+08:00",
               "“%s”不是时间，如 2026-03-05 或 2026-03-05T10:20:00+08:00"),
            text_safe(&cli->arena, text));
    return WW_EUSAGE;
}

/* The key of what is asked for, in the journal as it was. 1, 0: it is not there, or negative. */
static int find_key(struct cli *cli, struct engine *e, const struct subject *s, struct ekey *key, struct err *err)
{
    struct alert al;
    if (s->alert) {
        int rc = whatif_alert(e, s->alert, &cli->arena, &al, err);
        *key = rc > 0 ? al.key : (struct ekey){{0}};
        return rc;
    }
    if (s->uscc) {
        *key = ekey_of_code((enum status)s->status, slice_of(s->uscc));
        return 1;
    }
    struct slice normal = name_normalise(&cli->arena, slice_of(s->name));
    *key = ekey_of_name((enum status)s->status, normal);
    *key = engine_resolve(e, key);
    return normal.n ? 1 : 0;
}

static int not_there(struct cli *cli, const struct subject *s)
{
    if (s->alert)
        cli_say(tr("there was no alert %" PRIu64 " then", "当时没有预警 %" PRIu64), s->alert);
    else
        cli_say(tr("nothing was known of \"%s\" then", "当时没有“%s”的信息"), text_safe(&cli->arena, cli->args[0]));
    return 1;
}

/* The document that the daemon would have answered with. */
static int tell(struct cli *cli, struct replay *r, const struct ekey *key, const struct subject *s, int64_t at,
                struct err *err)
{
    struct explanation x;
    struct buf b = {0};
    const struct ww_value *document;
    const struct whatif_ask ask = {at, slice_of(cli->values[O_WITHOUT])};
    if (ask.without.n && !whatif_agency(r->engine, ask.without))
        return err_set(err, WW_EUSAGE, "\"%s\" is no agency: what stands before the dot of a kind is one",
                       cli->values[O_WITHOUT]);
    int rc = whatif(r->engine, key, &ask, &cli->arena, &x, err);
    if (rc == 0)
        return not_there(cli, s);
    if (rc < 0)
        return rc;
    enc_map(&b, 3);
    enc_str(&b, "what");
    enc_str(&b, "explain");
    enc_str(&b, "as_of");
    enc_uint(&b, r->entries);
    enc_str(&b, "explanation");
    whatif_pack(&b, &x);
    rc = codec_body((struct slice){(char *)b.p, b.n}, &cli->arena, &document, err);
    if (rc == 0)
        show(cli, document);
    buf_finish(&b);
    return rc;
}

/* The rules of a file, with mistakes told. */
static int read_rules(struct cli *cli, const char *path, struct replay_options *o, struct err *err)
{
    struct rules_file f;
    int rc = rules_file_load(cli, path, &f, err);
    if (rc == 0) {
        struct tree *map = tree_new(&cli->arena, TREE_MAP);
        tree_set(&cli->arena, map, SLICE("rules"), (struct tree *)(uintptr_t)tree_get(f.tree, "rules"));
        o->override = map;
        o->override_name = path;
    }
    if (f.m.total) {
        mistakes_tell(&f.m, f.text);
        err_set(err, WW_ECONFIG, "%s: not used", path);
    }
    rules_file_finish(&f);
    return rc;
}

/* The fold to ask, and the key. With other rules the journal is folded twice where an alert's number, which is of the rules
 * that were, says which enterprise. 1, 0: it is not there, or negative. */
static int fold_and_find(struct cli *cli, const struct subject *s, struct replay_options *o, struct replay *r,
                         struct ekey *key, struct err *err)
{
    const struct tree *override = o->override;
    bool twice = override && s->alert;
    if (twice)
        o->override = NULL;
    int rc = replay_journal(r, cli_state_dir(cli), o, err);
    if (rc == 0 && r->entries)
        rc = find_key(cli, r->engine, s, key, err);
    if (rc <= 0 || !twice)
        return rc;
    replay_finish(r);
    o->override = override;
    rc = replay_journal(r, cli_state_dir(cli), o, err);
    return rc == 0 ? 1 : rc;
}

/* The exit status, or negative. */
static int fold_and_tell(struct cli *cli, const struct subject *s, struct replay_options *o, struct err *err)
{
    struct replay r = {.time = NO_INT};
    struct ekey key;
    const char *rules = cli->values[O_WITH_RULES];
    int rc = rules ? read_rules(cli, rules, o, err) : 0;
    if (rc == 0)
        rc = fold_and_find(cli, s, o, &r, &key, err);
    if (rc == 0)
        rc = not_there(cli, s);
    else if (rc > 0)
        rc = tell(cli, &r, &key, s, o->until == NO_INT ? r.time : o->until, err);
    replay_finish(&r);
    return rc;
}

static int ask_journal(struct cli *cli, const struct subject *s)
{
    struct replay_options o = {0};
    struct err err = {0};
    int rc = read_time(cli, &o.until);
    if (rc != 0)
        return err_exit_status(rc);
    rc = fold_and_tell(cli, s, &o, &err);
    if (rc >= 0)
        return rc;
    cli_say("%s", text_safe(&cli->arena, err.msg));
    return err_exit_status(rc);
}

int cmd_explain(struct cli *cli)
{
    struct subject s;
    if (!read_subject(cli, &s))
        return err_exit_status(WW_EUSAGE);
    bool journal = cli->values[O_AT] || cli->values[O_WITH_RULES] || cli->values[O_STATE_DIR];
    return journal ? ask_journal(cli, &s) : ask_daemon(cli, &s);
}
