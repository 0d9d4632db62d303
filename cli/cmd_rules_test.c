/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn rules test: rules tried on cases, as code is. One line a case; of a failed one what was expected,
 * and what came with its reasons. Reading and folding are cases' business. */
#include "cli/cases.h"
#include "cli/output.h"
#include "cli/text.h"

#include <stdio.h>

struct tally {
    size_t cases, failed;
    bool mistaken;              /* a file could not be tried */
    int status;                 /* of what went wrong there */
    struct document_list files; /* json */
};

/* ---- words ---- */

static const char *rules_words(struct arena *a, const struct expected *x)
{
    const char *all = "";
    for (uint32_t i = 0; i < x->n_rules; i++)
        all = arena_printf(a, "%s%s%.*s", all, i ? ", " : "", SLICE_ARG(x->rules[i]));
    return text_safe(a, all);
}

static void print_expected(struct arena *a, const struct expected *x)
{
    printf("    %s %s", x->at == NO_INT ? "*" : cases_time(a, x->at), text_event(event_wire(x->type)));
    if (x->level >= 0)
        printf(" %s", text_level(level_wire((unsigned)x->level)));
    if (x->score != NO_INT)
        printf(" %s", text_score(a, x->score));
    if (x->has_rules)
        printf(" [%s]", rules_words(a, x));
    if (x->status >= 0)
        printf(" %s", status_wire((unsigned)x->status));
    if (x->uscc.n || x->name.n)
        printf(" %s", text_safe(a, arena_slice(a, x->uscc.n ? x->uscc : x->name).p));
    printf("\n");
}

static void print_reason(struct arena *a, const struct happened_reason *r)
{
    printf("      %s (%s)", text_safe(a, r->rule), text_safe(a, r->title));
    if (r->level)
        printf(" -> %s", text_level(level_wire(r->level)));
    for (uint32_t i = 0; i < r->n; i++)
        printf("%s%s", i ? ", " : ": ", text_safe(a, r->signals[i]));
    printf("\n");
}

static void print_happened(struct arena *a, const struct happened *h)
{
    printf("    %s %s %s %s", cases_time(a, h->at), text_event(event_wire(h->type)),
           text_level(level_wire(h->level)), text_score(a, h->score));
    if (h->status != STATUS_ACTUAL)
        printf(" %s", status_wire(h->status));
    printf(" %s\n", text_safe(a, h->uscc.n ? h->uscc.p : h->name.p));
    for (uint32_t i = 0; i < h->n_reasons; i++)
        print_reason(a, &h->reasons[i]);
}

static void print_case(struct cli *cli, const struct case_file *f, const struct test_case *c,
                       const struct case_outcome *o)
{
    struct arena *a = &cli->arena;
    const char *file = cli->n_args > 1 ? arena_printf(a, "%s: ", text_safe(a, f->path)) : "";
    if (!o->difference) {
        printf("%s      %s%s\n", tr("ok", "通过"), file, text_safe(a, c->name));
        return;
    }
    printf("%s  %s%s (%s %u): %s\n", tr("FAILED", "未通过"), file, text_safe(a, c->name), tr("line", "行"),
           c->line, o->difference);
    printf("  %s\n", c->n_expected ? tr("expected:", "预期：") : tr("expected: nothing", "预期：无"));
    for (size_t i = 0; i < c->n_expected; i++)
        print_expected(a, &c->expected[i]);
    printf("  %s\n", o->n ? tr("came:", "实际：") : tr("came: nothing", "实际：无"));
    for (size_t i = 0; i < o->n; i++)
        print_happened(a, &o->events[i]);
}

/* ---- documents: all in the arena of the command ---- */

static struct document_list list_of(struct arena *a, size_t n)
{
    return (struct document_list){.items = arena_zalloc(a, (n + 1) * sizeof(struct ww_value))};
}

static struct ww_value expected_document(struct arena *a, const struct expected *x)
{
    struct document *d = arena_zalloc(a, sizeof *d);
    struct document_list rules = list_of(a, x->n_rules);
    for (uint32_t i = 0; i < x->n_rules; i++)
        rules.items[rules.n++] = document_of_text(x->rules[i].p);
    if (x->at != NO_INT)
        document_int(d, "at", x->at);
    document_text(d, "type", event_wire(x->type));
    document_text(d, "level", x->level < 0 ? NULL : level_wire((unsigned)x->level));
    if (x->score != NO_INT)
        document_int(d, "score", x->score);
    if (x->has_rules)
        document_list(d, "rules", &rules);
    document_text(d, "status", x->status < 0 ? NULL : status_wire((unsigned)x->status));
    document_text(d, "uscc", x->uscc.n ? x->uscc.p : NULL);
    document_text(d, "name", x->name.n ? arena_slice(a, x->name).p : NULL);
    return document_value(d);
}

static struct ww_value reason_document(struct arena *a, const struct happened_reason *r)
{
    struct document *d = arena_zalloc(a, sizeof *d);
    struct document_list signals = list_of(a, r->n);
    for (uint32_t i = 0; i < r->n; i++)
        signals.items[signals.n++] = document_of_text(r->signals[i]);
    document_text(d, "rule", r->rule);
    document_text(d, "title", r->title);
    document_text(d, "level", level_wire(r->level));
    document_list(d, "signals", &signals);
    return document_value(d);
}

static struct ww_value happened_document(struct arena *a, const struct happened *h)
{
    struct document *d = arena_zalloc(a, sizeof *d), *who = arena_zalloc(a, sizeof *who);
    struct document_list reasons = list_of(a, h->n_reasons);
    for (uint32_t i = 0; i < h->n_reasons; i++)
        reasons.items[reasons.n++] = reason_document(a, &h->reasons[i]);
    document_text(who, "uscc", h->uscc.n ? h->uscc.p : NULL);
    document_text(who, "name", h->name.n ? h->name.p : NULL);
    document_int(d, "at", h->at);
    document_text(d, "type", event_wire(h->type));
    document_text(d, "level", level_wire(h->level));
    document_int(d, "score", h->score);
    document_text(d, "status", h->status == STATUS_ACTUAL ? NULL : status_wire(h->status));
    document_map(d, "enterprise", who);
    document_list(d, "reasons", &reasons);
    return document_value(d);
}

static struct ww_value case_document(struct arena *a, const struct test_case *c, const struct case_outcome *o)
{
    struct document *d = arena_zalloc(a, sizeof *d);
    struct document_list expected = list_of(a, c->n_expected), came = list_of(a, o->n);
    for (size_t i = 0; i < c->n_expected; i++)
        expected.items[expected.n++] = expected_document(a, &c->expected[i]);
    for (size_t i = 0; i < o->n; i++)
        came.items[came.n++] = happened_document(a, &o->events[i]);
    document_text(d, "name", c->name);
    document_int(d, "line", c->line);
    document_bool(d, "good", !o->difference);
    document_text(d, "difference", o->difference);
    document_list(d, "expected", &expected);
    document_list(d, "actual", &came);
    return document_value(d);
}

static struct ww_value file_document(struct arena *a, const struct case_file *f,
                                     const struct document_list *cases, const char *error)
{
    struct document *d = arena_zalloc(a, sizeof *d);
    const struct mistakes *m = f->rules.m.total ? &f->rules.m : &f->m;
    struct document_list mistakes = mistakes_list(a, m);
    document_text(d, "file", f->path);
    document_text(d, "rules", f->rules.path);
    document_text(d, "error", error);
    if (m->total)
        document_text(d, "mistakes_in", m->file);
    document_int(d, "mistakes_total", (int64_t)m->total);
    document_list(d, "mistakes", &mistakes);
    document_list(d, "cases", cases);
    return document_value(d);
}

static void print_documents(struct cli *cli, const struct tally *t)
{
    struct document d = {0};
    document_bool(&d, "good", !t->mistaken && !t->failed);
    document_int(&d, "total", (int64_t)t->cases);
    document_int(&d, "failed", (int64_t)t->failed);
    document_list(&d, "files", &t->files);
    struct ww_value v = document_value(&d);
    out_document(cli, &v);
}

/* ---- files ---- */

/* All cases, even behind one that failed. */
static int try_cases(struct cli *cli, struct case_file *f, struct tally *t, struct document_list *cases,
                     struct err *err)
{
    *cases = list_of(&cli->arena, f->n_cases);
    for (size_t i = 0; i < f->n_cases; i++) {
        struct case_outcome o;
        int code = cases_run(cli, f, &f->cases[i], &o, err);
        if (code != 0)
            return code;
        t->cases++;
        t->failed += o.difference != NULL;
        if (cli->format == FORMAT_TABLE)
            print_case(cli, f, &f->cases[i], &o);
        else
            cases->items[cases->n++] = case_document(&cli->arena, &f->cases[i], &o);
    }
    return 0;
}

static void try_file(struct cli *cli, const char *path, struct tally *t)
{
    struct arena *a = &cli->arena;
    struct case_file f;
    struct err err = {0};
    struct document_list cases = {0};
    int code = cases_load(cli, path, &f, &err);
    if (code == 0)
        code = try_cases(cli, &f, t, &cases, &err);
    const struct mistakes *m = f.rules.m.total ? &f.rules.m : &f.m;
    const char *error = code != 0 && !m->total ? text_safe(a, err.msg) : NULL;
    if (code != 0) {
        t->mistaken = true;
        t->status = err_exit_status(code);
    }
    if (cli->format != FORMAT_TABLE)
        t->files.items[t->files.n++] = file_document(a, &f, &cases, error);
    else if (m->total)
        mistakes_tell(m, f.rules.m.total ? f.rules.text : f.text);
    if (error && cli->format == FORMAT_TABLE)
        cli_say("%s", error);
    cases_finish(&f);
}

int cmd_rules_test(struct cli *cli)
{
    struct tally t = {.files = list_of(&cli->arena, (size_t)cli->n_args)};
    for (int i = 0; i < cli->n_args; i++)
        try_file(cli, cli->args[i], &t);
    if (cli->format != FORMAT_TABLE) {
        print_documents(cli, &t);
    } else if (t.cases || !t.mistaken) {
        fflush(stdout);
        fprintf(stderr, tr("%zu cases, %zu failed\n", "%zu 个用例，%zu 个未通过\n"), t.cases, t.failed);
    }
    return t.mistaken ? t.status : t.failed ? err_exit_status(WW_ENO) : 0;
}
