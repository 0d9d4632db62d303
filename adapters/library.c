/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/library.h"

#include "adapters/file.h"

#include <dirent.h>
#include <stdlib.h>

enum { PROFILE_BYTES_MAX = 1024 * 1024, KINDS_BYTES_MAX = 4 * 1024 * 1024, NAMES_MAX = 64, PLACES = 4 };

/* Folders to look in, first to last; NULL: not set. */
static void profile_places(struct arena *a, const char *places[PLACES])
{
    const char *data = getenv("WAGEWARN_DATA");
    places[0] = getenv("WAGEWARN_PROFILES");
    places[1] = data ? arena_printf(a, "%s/profiles", data) : NULL;
    places[2] = WW_DATADIR "/profiles";
    places[3] = WW_SOURCE "/adapters/profiles";
}

size_t library_names(struct arena *a, const char **names, size_t most)
{
    const char *places[PLACES];
    size_t n = 0;
    profile_places(a, places);
    for (size_t i = 0; i < PLACES; i++) {
        DIR *d = places[i] ? opendir(places[i]) : NULL;
        for (const struct dirent *e; d && (e = readdir(d));) {
            size_t len = strlen(e->d_name);
            bool known = len <= 5 || strcmp(e->d_name + len - 5, ".yaml") != 0;
            struct slice name = {e->d_name, known ? 0 : len - 5};
            for (size_t k = 0; k < n; k++)
                known |= slice_is(name, names[k]);
            if (!known && n < most)
                names[n++] = arena_slice(a, name).p;
        }
        if (d)
            closedir(d);
    }
    return n;
}

static int unknown_profile(struct arena *a, const char *name, struct err *err)
{
    const char *names[NAMES_MAX];
    size_t n = library_names(a, names, NAMES_MAX);
    const char *near = nearest_word(slice_of(name), names, n);
    if (near)
        return err_set(err, WW_ECONFIG, "no profile is called \"%s\"; did you mean \"%s\"?", name, near);
    const char *list = "";
    for (size_t i = 0; i < n; i++)
        list = arena_printf(a, "%s %s", list, names[i]);
    return err_set(err, WW_ECONFIG, "no profile is called \"%s\"; there are:%s; or give a FILE.yaml", name,
                   list);
}

static bool is_file(const char *name)
{
    size_t n = strlen(name);
    return strchr(name, '/') || (n > 5 && strcmp(name + n - 5, ".yaml") == 0);
}

static char *find_profile(struct arena *a, const char *name, const char **path, size_t *n, struct err *err)
{
    const char *places[PLACES];
    char *text = NULL;
    *path = name;
    if (is_file(name))
        return file_text(name, PROFILE_BYTES_MAX, n, err);
    profile_places(a, places);
    err->code = WW_ENOTFOUND;
    for (size_t i = 0; i < PLACES && !text && err->code == WW_ENOTFOUND; i++) {
        *path = places[i] ? arena_printf(a, "%s/%s.yaml", places[i], name) : name;
        text = places[i] ? file_text(*path, PROFILE_BYTES_MAX, n, err) : NULL;
    }
    if (!text && err->code == WW_ENOTFOUND)
        unknown_profile(a, name, err);
    return text;
}

int library_profile(const char *name_or_file, struct profile **out, struct buf *said, struct err *err)
{
    struct arena a = {0};
    const char *path;
    size_t n = 0;
    *out = NULL;
    *err = (struct err){0};
    char *text = find_profile(&a, name_or_file, &path, &n, err);
    int rc = text ? profile_parse(path, (struct slice){text, n}, out, said, err) : err->code;
    free(text);
    arena_finish(&a);
    return rc == WW_ENOTFOUND ? err->code = WW_ECONFIG : rc;
}

int library_kinds(const char *file, struct kinds **out, struct err *err)
{
    struct arena a = {0};
    const char *data = getenv("WAGEWARN_DATA");
    const char *places[] = {file, !file && data ? arena_printf(&a, "%s/kinds.csv", data) : NULL,
                            file ? NULL : WW_DATADIR "/kinds.csv",
                            file ? NULL : WW_SOURCE "/config/kinds.csv"};
    char *text = NULL;
    size_t n = 0;
    int rc = WW_ENOTFOUND;
    *out = NULL;
    for (size_t i = 0; i < ARRAY_LEN(places) && !text && rc == WW_ENOTFOUND; i++) {
        if (!places[i])
            continue;
        text = file_text(places[i], KINDS_BYTES_MAX, &n, err);
        rc = text ? kinds_parse(out, places[i], (struct slice){text, n}, err) : err->code;
    }
    free(text);
    arena_finish(&a);
    return rc;
}
