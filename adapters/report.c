/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/report.h"

#include "adapters/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EVERY_MS = 200 };

bool report_in_chinese(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *v = getenv(names[i]);
        if (v && *v)
            return strncmp(v, "zh", 2) == 0;
    }
    return false;
}

struct words {
    const char *head, *dry_head, *code, *more, *none_more, *rejects, *resumed;
};

static const struct words english = {
    .head = "%s %s: %" PRIu64 " records: %" PRIu64 " accepted, %" PRIu64 " duplicates, %" PRIu64
            " ignored, %" PRIu64 " rejected",
    .dry_head = "%s %s: %" PRIu64 " records: %" PRIu64 " to send, %" PRIu64 " duplicates, %" PRIu64
                " ignored, %" PRIu64 " rejected",
    .code = "%s%s %" PRIu64,
    .more = " (",
    .none_more = ")",
    .rejects = "; see %s",
    .resumed = " [went on where it had stopped]",
};

static const struct words chinese = {
    .head = "%s %s：共 %" PRIu64 " 条：接收 %" PRIu64 "，重复 %" PRIu64 "，无关 %" PRIu64 "，退回 %" PRIu64,
    .dry_head =
        "%s %s：共 %" PRIu64 " 条：待发送 %" PRIu64 "，重复 %" PRIu64 "，无关 %" PRIu64 "，退回 %" PRIu64,
    .code = "%s%s %" PRIu64,
    .more = "（",
    .none_more = "）",
    .rejects = "；见 %s",
    .resumed = "【接上次中断处继续】",
};

static void print_text(const struct report *r, const char *input, const struct tally *t, const char *rejects,
                       bool resumed)
{
    FILE *to = r->dry ? stderr : stdout;
    const struct words *w = report_in_chinese() ? &chinese : &english;
    fprintf(to, r->dry ? w->dry_head : w->head, r->profile, input, t->records, t->accepted, t->duplicates,
            t->ignored, tally_rejects(t));
    if (t->n_rejected)
        fputs(w->more, to);
    for (size_t i = 0; i < t->n_rejected; i++)
        fprintf(to, w->code, i ? ", " : "", t->rejected[i].code, t->rejected[i].n);
    if (t->n_rejected)
        fputs(w->none_more, to);
    if (t->n_rejected && rejects)
        fprintf(to, w->rejects, rejects);
    if (resumed)
        fputs(w->resumed, to);
    fputc('\n', to);
    fflush(to);
}

static void print_json(const struct report *r, const char *input, const struct tally *t, const char *rejects)
{
    struct buf out = {0};
    struct json j = {.out = &out, .first = true};
    json_open(&j, NULL, '{');
    json_text(&j, "profile", slice_of(r->profile));
    json_text(&j, "input", slice_of(input));
    json_uint(&j, "records", t->records);
    json_uint(&j, "sent", r->dry ? 0 : t->sent);
    json_uint(&j, "accepted", t->accepted);
    json_uint(&j, "duplicates", t->duplicates);
    json_uint(&j, "ignored", t->ignored);
    json_open(&j, "rejected", '{');
    for (size_t i = 0; i < t->n_rejected; i++)
        json_uint(&j, t->rejected[i].code, t->rejected[i].n);
    json_close(&j, '}');
    if (rejects)
        json_text(&j, "rejects", slice_of(rejects));
    json_close(&j, '}');
    buf_put(&out, "\n", 1);
    fwrite(out.p, 1, out.n, stdout);
    fflush(stdout);
    buf_finish(&out);
}

void report_summary(const struct report *r, const char *input, const struct tally *t, const char *rejects,
                    bool resumed)
{
    report_progress_end(r);
    if (r->json)
        print_json(r, input, t, rejects);
    else
        print_text(r, input, t, rejects, resumed);
}

void report_progress(const struct report *r, const char *input, const struct tally *t)
{
    static int64_t last;
    struct timespec now;
    if (!r->progress)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (ms - last < EVERY_MS)
        return;
    last = ms;
    fprintf(stderr, "\r\033[K%s %s %" PRIu64, r->profile, input, t->records);
}

void report_progress_end(const struct report *r)
{
    if (r->progress)
        fputs("\r\033[K", stderr);
}
