/* SPDX-License-Identifier: Apache-2.0 */
/* Owns stdout: lists and documents in each format. The only libsmartcols.h; JSON is json's business. What is
 * asked and what it means is the commands'. */
#include "cli/output.h"

#include "cli/document.h"
#include "cli/json.h"
#include "cli/text.h"
#include "lib/mem.h"
#include "lib/val.h"

#include <errno.h>
#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- values ---- */

const struct ww_value *value_at(const struct ww_value *v, const char *path)
{
    while (v && *path) {
        char key[64];
        size_t n = strcspn(path, ".");
        if (n >= sizeof key)
            return NULL;
        memcpy(key, path, n);
        key[n] = 0;
        v = ww_get(v, key);
        path += n + (path[n] == '.');
    }
    return v;
}

static const char *plain_text(struct arena *a, const struct ww_value *v)
{
    if (!v)
        return "";
    if (v->type == DOCUMENT_DECIMAL)
        return arena_printf(a, "%.12g", (double)v->i / 1e6);
    switch (ww_type(v)) {
    case WW_STR:
        return v->s;
    case WW_BOOL:
        return v->b ? "true" : "false";
    case WW_INT:
        return arena_printf(a, "%" PRId64, v->i);
    case WW_UINT:
        return arena_printf(a, "%" PRIu64, v->u);
    default:
        return "";
    }
}

static const char *joined(struct arena *a, const struct ww_value *list)
{
    const char *all = "";
    for (size_t i = 0; i < ww_length(list); i++)
        all = arena_printf(a, "%s%s%s", all, i ? " " : "", plain_text(a, ww_at(list, i)));
    return all;
}

static const struct ww_value *column_value(const struct ww_value *item, const struct column *c)
{
    const struct ww_value *v = c->en_path && !text_zh() ? value_at(item, c->en_path) : NULL;
    return v ? v : value_at(item, c->path);
}

const char *value_text(struct arena *a, const struct ww_value *item, const struct column *c)
{
    const struct ww_value *v = column_value(item, c);
    int64_t n = ww_int(v, NO_INT);
    switch (c->kind) {
    case COLUMN_THOUSANDS:
        return v ? text_count(a, ww_uint(v, 0)) : "-";
    case COLUMN_LEVEL:
        return text_safe(a, text_level(ww_str(v, "-")));
    case COLUMN_STATE:
        return text_safe(a, text_state(ww_str(v, "-")));
    case COLUMN_EVENT:
        return text_safe(a, text_event(ww_str(v, "-")));
    case COLUMN_TIME:
        return text_time(a, n);
    case COLUMN_WHEN:
        return text_when(a, n);
    case COLUMN_DUE:
        return text_due(a, n);
    case COLUMN_AGO:
        return text_ago(a, n);
    case COLUMN_MONEY:
        return text_money(a, n);
    case COLUMN_SCORE:
        return text_score(a, n);
    case COLUMN_SHARE:
        return text_percent(a, n);
    case COLUMN_WEIGHT:
        return n < 0 ? "-" : arena_printf(a, "%.2f", (double)n / 1e6);
    case COLUMN_DAYS:
        return n <= 0 ? "-" : arena_printf(a, "%" PRId64, n);
    case COLUMN_SPAN:
        return n < 0 ? "-" : text_span(a, n);
    case COLUMN_FLAG:
        return v && v->type == WW_BOOL && v->b ? tr(c->en, c->zh) : "";
    case COLUMN_LIST:
        return text_safe(a, joined(a, v));
    default:
        return v && v->type != WW_NIL ? text_safe(a, plain_text(a, v)) : "-";
    }
}

void items_add(struct arena *a, struct items *items, const struct ww_value *v)
{
    if (items->n == items->cap) {
        size_t cap = items->cap ? items->cap * 2 : 64;
        const struct ww_value **list = arena_alloc(a, sizeof(struct ww_value *) * cap);
        if (items->n)
            memcpy(list, items->list, sizeof(struct ww_value *) * items->n);
        items->list = list;
        items->cap = cap;
    }
    items->list[items->n++] = v;
}

/* A deep copy in the arena. */
static void copy_value(struct arena *a, const struct ww_value *from, struct ww_value *to)
{
    *to = *from;
    if (from->type == WW_STR)
        to->s = arena_slice(a, (struct slice){from->s, from->n}).p;
    if (from->type != WW_LIST && from->type != WW_MAP)
        return;
    to->items = arena_alloc(a, sizeof *to->items * (from->n + 1));
    for (size_t i = 0; i < from->n; i++)
        copy_value(a, &from->items[i], &to->items[i]);
    if (from->type != WW_MAP)
        return;
    to->keys = arena_alloc(a, sizeof *to->keys * (from->n + 1));
    for (size_t i = 0; i < from->n; i++)
        to->keys[i] = arena_slice(a, from->keys[i]);
}

void items_add_copy(struct arena *a, struct items *items, const struct ww_value *v)
{
    struct ww_value *copy = arena_alloc(a, sizeof *copy);
    copy_value(a, v, copy);
    items_add(a, items, copy);
}

void items_add_list(struct arena *a, struct items *items, const struct ww_value *list)
{
    for (size_t i = 0; i < ww_length(list); i++)
        items_add_copy(a, items, ww_at(list, i));
}

/* ---- stdout ---- */

/* Pipes and sockets have a reader, who may leave. */
static bool has_reader(void)
{
    struct stat st;
    return fstat(STDOUT_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

bool out_alive(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO};
    if (ferror(stdout))
        return false;
    if (!has_reader()) /* a pipe whose reader left tells so without a write */
        return true;
    return poll(&p, 1, 0) <= 0 || !(p.revents & (POLLERR | POLLHUP | POLLNVAL));
}

static int why_not_written; /* errno of the first flush that failed */

bool out_flush(void)
{
    errno = 0;
    if (fflush(stdout) != 0 && !why_not_written)
        why_not_written = errno;
    return !ferror(stdout);
}

int out_finish(int status)
{
    if (out_flush())
        return status;
    if (why_not_written == EPIPE || (!why_not_written && has_reader())) /* who has seen enough: no failure */
        return status;
    cli_say(tr("cannot write the output: %s", "无法写出结果：%s"),
            strerror(why_not_written ? why_not_written : EIO));
    return err_exit_status(WW_EIO);
}

const char *out_level_color(const struct cli *cli, const char *wire)
{
    static const struct {
        const char *wire, *color;
    } colors[] = {{"general", "\033[33m"}, {"major", "\033[38;5;208m"}, {"critical", "\033[1;31m"}};
    for (size_t i = 0; cli->color && i < ARRAY_LEN(colors); i++)
        if (strcmp(colors[i].wire, wire) == 0)
            return colors[i].color;
    return "";
}

const char *out_plain(const struct cli *cli)
{
    return cli->color ? "\033[0m" : "";
}

const char *out_bold(const struct cli *cli)
{
    return cli->color ? "\033[1m" : "";
}

void out_line(const struct ww_value *v)
{
    char *s = json_text(v, false);
    printf("%s\n", s);
    free(s);
    out_flush();
}

/* ---- table ---- */

static bool is_right(enum column_kind kind)
{
    static const enum column_kind right[] = {COLUMN_THOUSANDS, COLUMN_NUMBER, COLUMN_MONEY, COLUMN_SCORE,
                                             COLUMN_SHARE,     COLUMN_WEIGHT, COLUMN_DAYS};
    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        if (right[i] == kind)
            return true;
    return false;
}

static struct libscols_table *new_table(const struct cli *cli, const struct column *columns, size_t n)
{
    struct libscols_table *t = scols_new_table();
    if (!t)
        return NULL;
    scols_table_enable_colors(t, cli->color);
    for (size_t i = 0; i < n; i++) {
        int flags = is_right(columns[i].kind)        ? SCOLS_FL_RIGHT
                    : columns[i].kind == COLUMN_NAME ? SCOLS_FL_TRUNC
                                                     : 0;
        if (!scols_table_new_column(t, columns[i].kind == COLUMN_FLAG ? "" : tr(columns[i].en, columns[i].zh),
                                    0, flags))
            goto broken;
    }
    return t;
broken:
    scols_unref_table(t);
    return NULL;
}

static int add_line(struct cli *cli, struct libscols_table *t, const struct ww_value *item,
                    const struct column *columns, size_t n)
{
    struct libscols_line *line = scols_table_new_line(t, NULL);
    if (!line)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (scols_line_set_data(line, i, value_text(&cli->arena, item, &columns[i])) != 0)
            return -1;
        const char *color = columns[i].kind == COLUMN_LEVEL
                                ? out_level_color(cli, ww_str(column_value(item, &columns[i]), ""))
                                : "";
        if (*color)
            scols_cell_set_color(scols_line_get_cell(line, i), color);
    }
    return 0;
}

static void print_indented(const char *text, unsigned indent)
{
    while (*text) {
        size_t line = strcspn(text, "\n"), n = line;
        while (n > 0 && text[n - 1] == ' ') /* the last column is padded, too */
            n--;
        printf("%*s%.*s\n", (int)indent, "", (int)n, text);
        text += line + (text[line] == '\n');
    }
}

void out_table(struct cli *cli, const struct items *items, const struct column *columns, size_t n,
               unsigned indent)
{
    struct libscols_table *t = new_table(cli, columns, n);
    char *text = NULL;
    int rc = t ? 0 : -1;
    for (size_t i = 0; i < items->n && rc == 0; i++)
        rc = add_line(cli, t, items->list[i], columns, n);
    if (rc == 0)
        rc = scols_print_table_to_string(t, &text);
    if (rc != 0) {
        cli_say(tr("out of memory for a table of %zu lines", "内存不足，无法排版 %zu 行"), items->n);
        abort();
    }
    print_indented(text ? text : "", indent);
    free(text);
    scols_unref_table(t);
}

/* ---- csv, keyvalue ---- */

/* Control characters do no harm in a file, but csv is shown on terminals, too. */
static void print_csv_cell(struct cli *cli, const char *s)
{
    s = text_safe(&cli->arena, s);
    if (!s[strcspn(s, ",\"\r\n")]) {
        fputs(s, stdout);
        return;
    }
    putchar('"');
    for (; *s; s++) {
        if (*s == '"')
            putchar('"');
        putchar(*s);
    }
    putchar('"');
}

static const char *raw_text(struct arena *a, const struct ww_value *item, const struct column *c)
{
    const struct ww_value *v = value_at(item, c->path);
    return c->kind == COLUMN_LIST ? joined(a, v) : plain_text(a, v);
}

static void out_csv(struct cli *cli, const struct items *items, const struct column *columns, size_t n,
                    bool head)
{
    for (size_t c = 0; c < n && head; c++)
        printf("%s%s%s", c ? "," : "", columns[c].path, c + 1 == n ? "\r\n" : "");
    for (size_t i = 0; i < items->n; i++) {
        for (size_t c = 0; c < n; c++) {
            if (c)
                putchar(',');
            print_csv_cell(cli, raw_text(&cli->arena, items->list[i], &columns[c]));
        }
        printf("\r\n");
    }
}

static void out_keyvalue(struct cli *cli, const struct items *items, const struct column *columns, size_t n,
                         bool first)
{
    for (size_t i = 0; i < items->n; i++) {
        if (i || !first)
            putchar('\n');
        for (size_t c = 0; c < n; c++)
            printf("%s=%s\n", columns[c].path,
                   text_safe(&cli->arena, raw_text(&cli->arena, items->list[i], &columns[c])));
    }
}

void out_rows(struct cli *cli, const struct items *items, const struct column *columns, size_t n, bool first)
{
    if (cli->format == FORMAT_CSV)
        out_csv(cli, items, columns, n, first);
    else
        out_keyvalue(cli, items, columns, n, first);
}

/* ---- whole documents ---- */

/* The document with its list replaced by all the pages' items, and without the mark of a next page. */
static struct ww_value *whole(struct arena *a, const struct ww_value *document, const char *key,
                              const struct items *items)
{
    static const struct ww_value empty = {.type = WW_MAP};
    if (ww_type(document) != WW_MAP)
        document = &empty;
    struct ww_value *all = arena_zalloc(a, sizeof *all);
    all->type = WW_MAP;
    all->items = arena_alloc(a, sizeof *all->items * (document->n + 1));
    all->keys = arena_alloc(a, sizeof *all->keys * (document->n + 1));
    for (size_t i = 0; i < document->n; i++) {
        if (slice_is(document->keys[i], key) || slice_is(document->keys[i], "next") ||
            slice_is(document->keys[i], "rid"))
            continue;
        all->keys[all->n] = document->keys[i];
        all->items[all->n++] = document->items[i];
    }
    struct ww_value *list = &all->items[all->n];
    all->keys[all->n++] = slice_of(key);
    *list = (struct ww_value){.type = WW_LIST, .n = (uint32_t)items->n};
    list->items = arena_alloc(a, sizeof *list->items * (items->n + 1));
    for (size_t i = 0; i < items->n; i++)
        list->items[i] = *items->list[i];
    return all;
}

void out_list(struct cli *cli, const struct ww_value *document, const char *key, const struct items *items,
              const struct column *columns, size_t n)
{
    switch (cli->format) {
    case FORMAT_JSON:
        out_document(cli, whole(&cli->arena, document, key, items));
        break;
    case FORMAT_JSONL:
        for (size_t i = 0; i < items->n; i++)
            out_line(items->list[i]);
        break;
    case FORMAT_CSV:
    case FORMAT_KEYVALUE:
        out_rows(cli, items, columns, n, true);
        break;
    default:
        out_table(cli, items, columns, n, 0);
    }
}

/* path=value for each leaf; lists count from 0. */
static void print_leaves(struct cli *cli, const struct ww_value *v, const char *path)
{
    bool csv = cli->format == FORMAT_CSV;
    if (ww_type(v) == WW_LIST || ww_type(v) == WW_MAP) {
        for (size_t i = 0; i < v->n; i++) {
            const char *dot = *path ? "." : "";
            print_leaves(cli, &v->items[i],
                         v->type == WW_MAP ? arena_printf(&cli->arena, "%s%s%s", path, dot, v->keys[i].p)
                                           : arena_printf(&cli->arena, "%s%s%zu", path, dot, i));
        }
        return;
    }
    const char *text = plain_text(&cli->arena, v);
    if (!csv) {
        printf("%s=%s\n", text_safe(&cli->arena, path), text_safe(&cli->arena, text));
        return;
    }
    print_csv_cell(cli, path);
    putchar(',');
    print_csv_cell(cli, text);
    printf("\r\n");
}

/* The answer without the number that paired it with its question. */
static const struct ww_value *without_rid(struct arena *a, const struct ww_value *v)
{
    struct ww_value *out = arena_alloc(a, sizeof *out);
    if (ww_type(v) != WW_MAP || !ww_get(v, "rid"))
        return v;
    *out = *v;
    out->n = 0;
    out->items = arena_alloc(a, sizeof *out->items * v->n);
    out->keys = arena_alloc(a, sizeof *out->keys * v->n);
    for (size_t i = 0; i < v->n; i++) {
        if (slice_is(v->keys[i], "rid"))
            continue;
        out->keys[out->n] = v->keys[i];
        out->items[out->n++] = v->items[i];
    }
    return out;
}

bool out_document(struct cli *cli, const struct ww_value *v)
{
    char *s;
    if (cli->format == FORMAT_TABLE)
        return false;
    v = without_rid(&cli->arena, v);
    switch (cli->format) {
    case FORMAT_JSON:
    case FORMAT_JSONL:
        s = json_text(v, cli->format == FORMAT_JSON);
        printf("%s\n", s);
        free(s);
        break;
    case FORMAT_CSV:
        printf("path,value\r\n");
        print_leaves(cli, v, "");
        break;
    default:
        print_leaves(cli, v, "");
    }
    return true;
}
