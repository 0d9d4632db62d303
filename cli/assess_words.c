/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the sentences about lines of the law; the figures are the daemon's. */
#include "cli/assess_words.h"

#include "cli/text.h"
#include "lib/val.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *line, *met_en, *met_zh, *en, *zh;
} lines[] = {
    {"crime", "meets the line for transfer to the police", "符合移送公安条件", "line for transfer to the police", "移送公安条件"},
    {"listing", "meets the line for the list of defaulters", "符合列入失信名单条件", "line for the list of defaulters",
     "列入失信名单条件"},
};

static bool is_set(const struct ww_value *map, const char *key)
{
    bool set = false;
    val_bool(map, key, &set);
    return set;
}

static const char *join(struct arena *a, const char *list, const char *more)
{
    return *list ? arena_printf(a, "%s%s%s", list, tr(", ", "、"), more) : more;
}

static const char *number(struct arena *a, const char *list, int64_t n, const char *one, const char *many, const char *zh)
{
    if (n <= 0)
        return list;
    const char *what = tr(n == 1 ? one : many, zh);
    return join(a, list, arena_printf(a, "%" PRId64 "%s%s", n, text_zh() ? "" : " ", what));
}

/* "2 people, 1 month, 3,000.00 yuan, an order to pay that ran out" */
static const char *lacking(struct arena *a, const struct ww_value *lacks)
{
    int64_t fen = ww_int(ww_get(lacks, "amount"), 0);
    const char *list = number(a, "", ww_int(ww_get(lacks, "people"), 0), "person", "people", "人");
    list = number(a, list, ww_int(ww_get(lacks, "months"), 0), "month", "months", "个月");
    if (fen > 0)
        list = join(a, list, arena_printf(a, tr("%s yuan", "%s元"), text_money(a, fen)));
    if (is_set(lacks, "order"))
        list = join(a, list, tr("an order to pay that ran out", "逾期未履行的支付指令"));
    return *list ? list : tr("a mass incident", "群体性事件");
}

const char *assess_words(struct arena *a, const struct ww_value *assessed)
{
    const char *line = ww_str(ww_get(assessed, "line"), "?");
    bool met = is_set(assessed, "met");
    const char *lacks = met ? "" : lacking(a, ww_get(assessed, "short"));
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (strcmp(lines[i].line, line) == 0)
            return met ? tr(lines[i].met_en, lines[i].met_zh)
                       : arena_printf(a, tr("%s: short of it by %s", "%s：尚差%s"), tr(lines[i].en, lines[i].zh), lacks);
    line = text_safe(a, line);
    return met ? arena_printf(a, tr("meets the line \"%s\"", "符合“%s”标准"), line)
               : arena_printf(a, tr("line \"%s\": short of it by %s", "“%s”标准：尚差%s"), line, lacks);
}

void assess_print(struct cli *cli, const struct ww_value *assessment, const char *indent, bool met_only)
{
    struct arena *a = &cli->arena;
    for (size_t i = 0; i < ww_length(assessment); i++) {
        const struct ww_value *x = ww_at(assessment, i);
        const char *source = ww_str(ww_get(x, "source"), "");
        if (met_only && !is_set(x, "met"))
            continue;
        printf("%s%s", indent, assess_words(a, x));
        if (*source && !met_only)
            printf("  [%s]", text_safe(a, source));
        printf("\n");
    }
}
