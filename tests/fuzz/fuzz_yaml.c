/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text to a tree: a tree or mistakes with places, never both nothing; a tree encodes and decodes to itself. */
#include "lib/tree.h"
#include "lib/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void require_same(const struct tree *t, struct arena *a)
{
    struct buf once = {0}, twice = {0};
    struct tree *again = NULL;
    tree_encode(t, &once);
    struct rd r = rd_of(once.p, once.n);
    if (tree_decode(&r, a, &again) != 0 || rd_left(&r))
        abort();
    tree_encode(again, &twice);
    if (once.n != twice.n || memcmp(once.p, twice.p, once.n) != 0)
        abort();
    buf_finish(&once);
    buf_finish(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a = {0};
    struct mistakes m = {.arena = &a, .file = "fuzz.yaml"};
    struct tree *t = NULL;
    int rc = yaml_parse(&a, (struct slice){(const char *)p, n}, &m, &t);
    if (rc == 0 ? !t || m.total : !m.total)
        abort();
    if (rc == 0)
        require_same(t, &a);
    arena_finish(&a);
    return 0;
}
