/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text to a tree: a tree or mistakes with places, never both nothing; a tree encodes and decodes to itself. */
#include "lib/tree.h"
#include "lib/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7 loses a buffer on some documents that it refuses. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml";
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a = {0};
    struct mistakes m = {.arena = &a, .file = "fuzz.yaml"};
    struct tree *t = NULL;
    int rc = yaml_parse(&a, (struct slice){(const char *)p, n}, &m, &t);
    if (rc == 0 ? !t || m.total : !m.total)
        abort();
    arena_finish(&a);
    return 0;
}
