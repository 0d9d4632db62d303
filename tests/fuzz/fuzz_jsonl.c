/* SPDX-License-Identifier: Apache-2.0 */
/* Exports as JSON lines. */
#include "source_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct source_form form = {.format = FORMAT_JSONL};
    kit_column(&form, "a", true);
    kit_column(&form, "b.c", false);
    kit_column(&form, "d.0.e", false);
    kit_bytes(p, n, &form);
    return 0;
}
