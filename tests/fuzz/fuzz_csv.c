/* SPDX-License-Identifier: Apache-2.0 */
/* Exports as CSV and TSV in any encoding. The first byte chooses encoding and shape. */
#include "source_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct source_form form = {.format = FORMAT_CSV};
    if (n == 0)
        return 0;
    form.encoding = (enum source_encoding)(p[0] & 3);
    form.format = p[0] & 4 ? FORMAT_TSV : FORMAT_CSV;
    form.short_rows = p[0] & 8;
    kit_column(&form, "a", true);
    kit_column(&form, "b", true);
    kit_column(&form, "c", false);
    kit_bytes(p + 1, n - 1, &form);
    return 0;
}
