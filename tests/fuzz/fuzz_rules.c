/* SPDX-License-Identifier: Apache-2.0 */
/* A rules file: compiled whole, or refused with mistakes that have places. The kinds are a handful of fixed ones. */
#include "engine/settings.h"
#include "lib/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define KIND(name, clue) "- {kind: " name ", zh: z, en: e, weight_ppm: 300000, half_life_days: 60, " \
                         "repeat_window_days: 7, clears: '', clue: " clue "}\n"
static const char base_text[] =
    "timezone_ms: 28800000\n"
    "kinds:\n"
    KIND("tax.arrears", "cash shortage") KIND("court.seizure", "cannot pay") KIND("hotline.complaint", "arrears under way")
    KIND("police.owner_missing", "owner fled") KIND("subdistrict.relocation", "business leaving")
    KIND("petition.visit", "arrears under way")
    "festivals: [{festival: spring_festival, day: 2026-02-17}]\n";

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a = {0};
    struct mistakes m = {.arena = &a, .file = "fuzz.yaml"};
    struct tree *base = NULL, *rules = NULL;
    struct settings *s = NULL;
    if (yaml_parse(&a, slice_of(base_text), &m, &base) != 0)
        abort();
    if (yaml_parse(&a, (struct slice){(const char *)p, n}, &m, &rules) == 0) {
        tree_set(&a, base, SLICE("rules"), rules);
        int rc = settings_compile(base, &m, &s);
        if (rc == 0 ? !s || m.total : s || !m.total)
            abort();
        settings_destroy(s);
    }
    arena_finish(&a);
    return 0;
}
