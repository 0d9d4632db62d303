/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the text of a report. Main thread. */
#include "daemon/report.h"

#include "lib/log.h"

#include <stdio.h>

void report_finish(struct report *r)
{
    buf_finish(&r->text);
    *r = (struct report){0};
}

static struct report_line *add_line(struct report *r)
{
    r->errors++;
    if (!r->code)
        r->code = WW_ECONFIG;
    return r->n < REPORT_LINES ? &r->lines[r->n++] : NULL;
}

void report_mistakes(struct report *r, const struct mistakes *m, struct slice source)
{
    if (!m->total)
        return;
    mistakes_print(m, source, &r->text);
    for (size_t i = 0; i < m->n; i++) {
        struct report_line *l = add_line(r);
        if (!l)
            continue;
        snprintf(l->file, sizeof l->file, "%s", mistake_file(m, &m->list[i]));
        snprintf(l->sentence, sizeof l->sentence, "%s", m->list[i].sentence);
        l->line = m->list[i].line;
        l->column = m->list[i].column;
    }
    r->errors += m->total - m->n;
}

void report_err(struct report *r, const struct err *err)
{
    buf_put(&r->text, err->msg, strlen(err->msg));
    buf_put(&r->text, "\n", 1);
    struct report_line *l = add_line(r);
    if (l)
        snprintf(l->sentence, sizeof l->sentence, "%s", err->msg);
    if (err->code != WW_ECONFIG)
        r->code = err->code;
}

void report_print(const struct report *r, const char *last)
{
    fwrite(r->text.p, 1, r->text.n, stderr);
    fprintf(stderr, "%zu error%s; %s\n", r->errors, r->errors == 1 ? "" : "s", last);
}

void report_log(const struct report *r, const char *sentence)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct report_line *l = &r->lines[i];
        char file[200], reason[640];
        log_quote(reason, sizeof reason, slice_of(l->sentence));
        if (*l->file && !l->line)
            log_line(LOG_L_ERROR, sentence, "file=%s reason=%s",
                     log_quote(file, sizeof file, slice_of(l->file)), reason);
        else if (*l->file)
            log_line(LOG_L_ERROR, sentence, "file=%s line=%u column=%u reason=%s",
                     log_quote(file, sizeof file, slice_of(l->file)), l->line, l->column, reason);
        else
            log_line(LOG_L_ERROR, sentence, "reason=%s", reason);
    }
}
