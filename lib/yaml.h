/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text to a tree: the only door to libfyaml. Strict: UTF-8, one document, no alias, anchor or tag, no key twice,
 * depth at most 32. Any thread. */
#ifndef LIB_YAML_H
#define LIB_YAML_H

#include "lib/tree.h"

/* Every mistake goes to `mistakes` with line and column; returns WW_ECONFIG when there was one. An empty document is
 * an empty map. */
int yaml_parse(struct arena *, struct slice text, struct mistakes *, struct tree **out) WW_CHECK;

#endif
