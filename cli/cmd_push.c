/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn push: signals from JSON lines. Lines are gathered as long as more are at hand, so that a file goes
 * in full batches and a pipe that trickles is not held up. What is rejected, here or by the daemon, is told
 * with its line. */
#include "cli/json.h"
#include "cli/output.h"
#include "cli/text.h"
#include "lib/mem.h"
#include "lib/val.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    GATHER = 4000,       /* signals a call: a few batches, which ww_push sends without waiting for each */
    LINE_MOST = 1 << 20, /* bytes of one line */
    READ = 1 << 16,
};

struct rejected {
    uint64_t line;
    const char *id, *code, *message;
};

struct push {
    struct cli *cli;
    const char *file;
    int fd;
    char *bytes; /* [0, n): read and not yet taken */
    size_t n, cap;
    uint64_t line; /* of what comes next */
    bool skipping; /* the rest of a line that is too long */

    struct ww_signal signals[GATHER];
    uint64_t lines[GATHER]; /* where each came from */
    size_t gathered;
    struct arena arena; /* what they point at */

    uint64_t read, accepted, duplicates, rejected;
    struct rejected *rejects; /* of what is gathered */
    size_t n_rejects, cap_rejects;
    struct items told; /* json: the rejected ones, until the summary */
    bool progress;
};

/* ---- what is told ---- */

/* Kept until the lines around it are acknowledged, so that all are told in the order of the file. */
static void note_rejected(struct push *p, uint64_t line, const char *id, const char *code,
                          const char *message)
{
    struct arena *a = &p->arena;
    p->rejects = mem_grow(p->rejects, &p->cap_rejects, p->n_rejects + 1, sizeof *p->rejects);
    p->rejects[p->n_rejects++] =
        (struct rejected){line, text_safe(a, id), text_safe(a, code), text_safe(a, message)};
    p->rejected++;
}

static int by_line(const void *a, const void *b)
{
    uint64_t x = ((const struct rejected *)a)->line, y = ((const struct rejected *)b)->line;
    return x < y ? -1 : x > y;
}

static struct ww_value text_value(const char *s)
{
    return (struct ww_value){.type = WW_STR, .s = s, .n = (uint32_t)strlen(s)};
}

/* JSON goes to stdout, line by line or, kept, with the summary; else words to stderr. */
static void tell_rejected(struct push *p, const struct rejected *r)
{
    struct slice keys[] = {SLICE("line"), SLICE("id"), SLICE("code"), SLICE("message")};
    struct ww_value items[] = {{.type = WW_INT, .i = (int64_t)r->line},
                               text_value(r->id),
                               text_value(r->code),
                               text_value(r->message)};
    struct ww_value map = {.type = WW_MAP, .n = ARRAY_LEN(items), .items = items, .keys = keys};
    if (p->cli->format == FORMAT_JSONL) {
        out_line(&map);
    } else if (p->cli->format == FORMAT_JSON) {
        items_add_copy(&p->cli->arena, &p->told, &map);
    } else {
        if (p->progress)
            fputs("\r\033[K", stderr);
        fprintf(stderr, "%s:%" PRIu64 ": %s: %s%s%s%s\n", text_safe(&p->arena, p->file), r->line, r->code,
                r->message, *r->id ? " (id " : "", r->id, *r->id ? ")" : "");
    }
}

static void tell_all_rejected(struct push *p)
{
    if (p->n_rejects)
        qsort(p->rejects, p->n_rejects, sizeof *p->rejects, by_line);
    for (size_t i = 0; i < p->n_rejects; i++)
        tell_rejected(p, &p->rejects[i]);
    p->n_rejects = 0;
}

static void tell_progress(const struct push *p)
{
    if (p->progress)
        fprintf(stderr, tr("\r%" PRIu64 " signals, %" PRIu64 " rejected", "\r%" PRIu64 " 条，拒收 %" PRIu64),
                p->read, p->rejected);
}

static void tell_summary(struct push *p)
{
    struct cli *cli = p->cli;
    struct slice keys[] = {SLICE("read"), SLICE("accepted"), SLICE("duplicates"), SLICE("rejected_total"),
                           SLICE("rejected")};
    struct ww_value items[] = {
        {.type = WW_INT, .i = (int64_t)p->read},
        {.type = WW_INT, .i = (int64_t)p->accepted},
        {.type = WW_INT, .i = (int64_t)p->duplicates},
        {.type = WW_INT, .i = (int64_t)p->rejected},
    };
    struct ww_value map = {.type = WW_MAP, .n = ARRAY_LEN(items), .items = items, .keys = keys};
    if (p->progress)
        fputs("\r\033[K", stderr);
    if (cli->format == FORMAT_JSON)
        out_list(cli, &map, "rejected", &p->told, NULL, 0);
    else if (!out_document(cli, &map))
        printf(tr("%s accepted, %s duplicates, %s rejected\n", "接收 %s，重复 %s，拒收 %s\n"),
               text_count(&cli->arena, p->accepted), text_count(&cli->arena, p->duplicates),
               text_count(&cli->arena, p->rejected));
}

/* ---- sending ---- */

static int send_gathered(struct push *p)
{
    struct ww_pushed out = {0};
    int rc = p->gathered ? ww_push(p->cli->client, p->signals, p->gathered, &out) : 0;
    p->accepted += out.accepted;
    p->duplicates += out.duplicates;
    for (size_t i = 0; i < out.n_rejected; i++) {
        const struct ww_rejected *r = &out.rejected[i];
        note_rejected(p, p->lines[r->index], r->id, r->code, r->message);
    }
    tell_all_rejected(p);
    if (rc != 0) {
        if (p->progress)
            fputc('\n', stderr);
        cli_failed(p->cli, rc);
        cli_say(tr("lines from %" PRIu64 " on may not have been taken; pushing the file again does no harm",
                   "自第 %" PRIu64 " 行起可能未被接收；重新推送不会重复计数"),
                p->lines[0]);
        return err_exit_status(rc);
    }
    if (p->gathered)
        tell_progress(p);
    p->gathered = 0;
    arena_reset(&p->arena);
    return 0;
}

static bool is_blank(struct slice line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
            return false;
    return true;
}

static int take_line(struct push *p, struct slice line)
{
    const char *code, *sentence;
    uint64_t number = ++p->line;
    if (number == 1 && line.n >= 3 && memcmp(line.p, "\xef\xbb\xbf", 3) == 0)
        line = (struct slice){line.p + 3, line.n - 3};
    if (is_blank(line))
        return 0;
    p->read++;
    struct ww_signal *s = &p->signals[p->gathered];
    if (!json_signal(&p->arena, line, s, &code, &sentence)) {
        note_rejected(p, number, s->id ? s->id : "", code, sentence);
        return 0;
    }
    p->lines[p->gathered++] = number;
    return p->gathered == GATHER ? send_gathered(p) : 0;
}

/* ---- reading ---- */

/* Takes all whole lines of what was read; at the end of the file the last one too. */
static int take_lines(struct push *p, bool end)
{
    size_t at = 0;
    int rc = 0;
    while (rc == 0 && at < p->n) {
        char *nl = memchr(p->bytes + at, '\n', p->n - at);
        if (!nl && !end)
            break;
        size_t n = nl ? (size_t)(nl - (p->bytes + at)) : p->n - at;
        if (p->skipping)
            p->skipping = false;
        else
            rc = take_line(p, (struct slice){p->bytes + at, n});
        at += n + (nl != NULL);
    }
    memmove(p->bytes, p->bytes + at, p->n - at);
    p->n -= at;
    if (p->n > LINE_MOST && !p->skipping) {
        p->read++;
        note_rejected(p, ++p->line, "", "too_large", "the line is longer than 1 MiB");
        p->skipping = true;
    }
    if (p->skipping)
        p->n = 0;
    return rc;
}

static bool more_at_hand(const struct push *p)
{
    struct pollfd fd = {.fd = p->fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

/* A wrong name is a slip of the command line; what the disk or the system refuses is not. */
static int status_of_file(int why)
{
    static const int slips[] = {ENOENT, ENOTDIR, EISDIR, EACCES, ELOOP, ENAMETOOLONG};
    for (size_t i = 0; i < ARRAY_LEN(slips); i++)
        if (slips[i] == why)
            return err_exit_status(WW_EUSAGE);
    return err_exit_status(WW_EIO);
}

static int run(struct push *p)
{
    for (;;) {
        p->bytes = mem_grow(p->bytes, &p->cap, p->n + READ, 1);
        ssize_t n = read(p->fd, p->bytes + p->n, READ);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int why = errno;
            cli_say(tr("cannot read %s: %s", "无法读取 %s：%s"), text_safe(&p->cli->arena, p->file),
                    strerror(why));
            return status_of_file(why);
        }
        p->n += (size_t)n;
        int status = take_lines(p, n == 0);
        if (status == 0 && (n == 0 || !more_at_hand(p)))
            status = send_gathered(p);
        if (status != 0 || n == 0)
            return status;
    }
}

int cmd_push(struct cli *cli)
{
    struct push *p = mem_zalloc(sizeof *p);
    p->cli = cli;
    p->file = cli->args[0];
    p->progress = isatty(STDERR_FILENO);
    int status = 0;
    if (strcmp(p->file, "-") != 0 && (p->fd = open(p->file, O_RDONLY | O_CLOEXEC)) < 0) {
        int why = errno;
        cli_say(tr("cannot open %s: %s", "无法打开 %s：%s"), text_safe(&cli->arena, p->file), strerror(why));
        status = status_of_file(why);
    }
    if (status == 0)
        status = cli_connect_patiently(cli);
    if (status == 0) {
        status = run(p);
        tell_summary(p);
    }
    if (status == 0 && p->rejected)
        status = err_exit_status(WW_ENO);
    if (p->fd > 0)
        close(p->fd);
    free(p->bytes);
    free(p->rejects);
    arena_finish(&p->arena);
    free(p);
    return status;
}
