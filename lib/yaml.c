/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the way from YAML text to struct tree: the only door to libfyaml. Walks the parser's events instead of
 * its documents, so that what a configuration may not hold (alias, anchor, tag, second document) is refused
 * where it stands, with line and column, before anything is expanded. Any thread. What a tree means is its
 * reader's business. */
#include "lib/yaml.h"

#include "lib/name.h"

#include <libfyaml.h>

struct level {
    struct tree *node;
    struct tree *key; /* of a map: waits for its value */
};

struct reader {
    struct arena *arena;
    struct mistakes *mistakes;
    struct fy_parser *parser;
    struct level stack[TREE_DEPTH_MAX];
    size_t depth;
    size_t documents;
    struct tree *root;
    bool stop; /* what follows could not be placed */
};

/* ---- the text itself ---- */

/* YAML allows these; all other control characters are somebody's accident or trick. */
static bool is_stray(uint8_t c)
{
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

/* Bytes of the character that a lead byte announces. */
static size_t announced(uint8_t lead)
{
    return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Column (in characters) of what spoils a line, with the reason; 0 when nothing does. */
static uint32_t spoiled_at(struct slice line, bool *utf8)
{
    uint32_t column = 1;
    for (size_t i = 0; i < line.n; column++) {
        size_t n = announced((uint8_t)line.p[i]);
        if (n > line.n - i)
            n = line.n - i;
        *utf8 = utf8_valid((struct slice){line.p + i, n});
        if (!*utf8 || is_stray((uint8_t)line.p[i]))
            return column;
        i += n;
    }
    return 0;
}

static bool check_text(struct slice text, struct mistakes *m)
{
    const char *p = text.p, *end = p + text.n;
    size_t before = m->total;
    for (uint32_t line = 1; p < end; line++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        struct slice s = {p, (size_t)((nl ? nl : end) - p)};
        bool utf8 = true;
        uint32_t column = spoiled_at(s, &utf8);
        if (column && utf8)
            mistake_put(m, line, column, "retype the line", "a control character stands here");
        else if (column)
            mistake_put(m, line, column, "save the file as UTF-8", "this is not UTF-8");
        p = nl ? nl + 1 : end;
    }
    return m->total == before;
}

/* ---- events to nodes ---- */

static void place_of(const struct fy_mark *mark, uint32_t *line, uint32_t *column)
{
    *line = mark && mark->line >= 0 ? (uint32_t)mark->line + 1 : 0;
    *column = mark && mark->column >= 0 ? (uint32_t)mark->column + 1 : 0;
}

/* Hangs a node where it belongs: below the list or map that is open, or as a key, or as the root. */
static void attach(struct reader *r, struct tree *node)
{
    if (r->depth == 0) {
        r->root = node;
        return;
    }
    struct level *top = &r->stack[r->depth - 1];
    if (top->node->type == TREE_LIST) {
        tree_append(r->arena, top->node, node);
    } else if (top->key) {
        tree_pair(r->arena, top->node, top->key, node);
        top->key = NULL;
    } else if (node->type == TREE_SCALAR) {
        top->key = node;
    } else {
        mistake_at(r->mistakes, node, NULL, "a list or map cannot be a key");
        r->stop = true;
    }
}

/* behind: characters before the mark that belong to it too, as the & of an anchor. */
static void refuse(struct reader *r, struct fy_token *token, uint32_t behind, const char *hint,
                   const char *sentence)
{
    uint32_t line, column;
    if (!token)
        return;
    place_of(fy_token_start_mark(token), &line, &column);
    mistake_put(r->mistakes, line, column > behind ? column - behind : column, hint, "%s", sentence);
}

static void place_of_parent(const struct reader *r, struct tree *t)
{
    if (r->depth == 0)
        return;
    const struct level *top = &r->stack[r->depth - 1];
    const struct tree *near = top->key ? top->key : top->node;
    t->line = near->line;
    t->column = near->column;
}

static struct tree *node_of(struct reader *r, struct fy_event *event, enum tree_type type)
{
    struct tree *t = tree_new(r->arena, type);
    place_of(fy_event_start_mark(event), &t->line, &t->column);
    if (t->line == 0) /* a value left out: it stands where its key does */
        place_of_parent(r, t);
    refuse(r, fy_event_get_anchor_token(event), 1, "write the value out in each place",
           "anchors are not used here");
    refuse(r, fy_event_get_tag_token(event), 0, "put text that looks like something else in quotes",
           "tags are not used here");
    return t;
}

static void on_open(struct reader *r, struct fy_event *event, enum tree_type type)
{
    struct tree *t = node_of(r, event, type);
    attach(r, t);
    if (!r->stop && r->depth == TREE_DEPTH_MAX) {
        mistake_at(r->mistakes, t, NULL, "more than %d levels within each other", TREE_DEPTH_MAX);
        r->stop = true;
    }
    if (!r->stop)
        r->stack[r->depth++] = (struct level){t, NULL};
}

static void on_close(struct reader *r)
{
    struct tree_twin twins[ARRAY_LEN(r->mistakes->list)];
    assert(r->depth > 0);
    struct tree *t = r->stack[--r->depth].node;
    size_t n = tree_twice(t, twins, ARRAY_LEN(twins));
    for (size_t i = 0; i < n && i < ARRAY_LEN(twins); i++)
        mistake_at(r->mistakes, twins[i].again, NULL,
                   "key \"%.*s\" stands here a second time; the first is in line %u",
                   SLICE_ARG(twins[i].again->text), twins[i].first->line);
}

static void on_scalar(struct reader *r, struct fy_event *event)
{
    struct tree *t = node_of(r, event, TREE_SCALAR);
    struct fy_token *token = event->scalar.value;
    enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
    size_t n = 0;
    const char *p = token ? fy_token_get_text(token, &n) : NULL;
    struct slice text = {p, p ? n : 0};
    t->quoted = style != FYSS_PLAIN;
    /* libfyaml's mark stands behind the quote */
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && t->column > 1)
        t->column--;
    if (text.n && (memchr(p, 0, n) || !utf8_valid(text))) {
        mistake_at(r->mistakes, t, NULL, "an escape stands for no character that text may hold");
        text.n = 0;
    }
    t->text = arena_slice(r->arena, text);
    attach(r, t);
}

static void on_alias(struct reader *r, struct fy_event *event)
{
    struct tree *t = tree_new(r->arena, TREE_SCALAR);
    place_of(fy_event_start_mark(event), &t->line, &t->column);
    if (t->column > 1)
        t->column--; /* the mark stands behind the * */
    mistake_at(r->mistakes, t, "write the value out in each place; put text that begins with * in quotes",
               "aliases are not used here");
    attach(r, t);
}

static void on_document(struct reader *r, struct fy_event *event)
{
    uint32_t line, column;
    place_of(fy_event_start_mark(event), &line, &column);
    if (r->documents++ > 0) {
        mistake_put(r->mistakes, line, column, NULL, "a second document begins here; a file has one");
        r->stop = true;
        return;
    }
    struct fy_document_state *state = event->document_start.document_state;
    if (state && (fy_document_state_version_explicit(state) || fy_document_state_tags_explicit(state)))
        mistake_put(r->mistakes, line, column, NULL, "directives (%%YAML, %%TAG) are not used here");
}

static void on_event(struct reader *r, struct fy_event *event)
{
    switch (event->type) {
    case FYET_DOCUMENT_START:
        on_document(r, event);
        break;
    case FYET_MAPPING_START:
        on_open(r, event, TREE_MAP);
        break;
    case FYET_SEQUENCE_START:
        on_open(r, event, TREE_LIST);
        break;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        on_close(r);
        break;
    case FYET_SCALAR:
        on_scalar(r, event);
        break;
    case FYET_ALIAS:
        on_alias(r, event);
        break;
    default:
        break;
    }
}

/* What libfyaml itself found wrong. */
static void take_errors(struct reader *r, struct fy_diag *diag)
{
    void *iter = NULL;
    const struct fy_diag_error *e;
    while ((e = fy_diag_errors_iterate(diag, &iter)) != NULL) {
        if (e->type != FYET_ERROR)
            continue;
        const char *text = e->msg ? e->msg : "this is not YAML";
        mistake_put(r->mistakes, e->line > 0 ? (uint32_t)e->line : 0, e->column > 0 ? (uint32_t)e->column : 0,
                    NULL, "%.*s", (int)strcspn(text, "\r\n"), text);
    }
}

static void swallow(struct fy_diag *diag, void *user, const char *text, size_t n)
{
    (void)diag, (void)user, (void)text, (void)n;
}

static void run(struct reader *r, struct slice text)
{
    struct fy_diag_cfg quiet;
    fy_diag_cfg_default(&quiet);
    quiet.fp = NULL;
    quiet.output_fn = swallow;
    quiet.colorize = false;
    struct fy_diag *diag = fy_diag_create(&quiet);
    assert(diag);
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_MMAP_OPT,
                               .diag = diag};
    r->parser = fy_parser_create(&cfg);
    assert(r->parser);
    size_t before = r->mistakes->total;
    if (fy_parser_set_string(r->parser, text.p, text.n) == 0) {
        struct fy_event *event;
        while (!r->stop && (event = fy_parser_parse(r->parser)) != NULL) {
            on_event(r, event);
            fy_parser_event_free(r->parser, event);
        }
    }
    bool failed = fy_parser_get_stream_error(r->parser);
    take_errors(r, diag);
    if (failed && r->mistakes->total == before)
        mistake_put(r->mistakes, 1, 1, NULL, "this is not YAML");
    fy_parser_destroy(r->parser);
    fy_diag_destroy(diag);
}

int yaml_parse(struct arena *arena, struct slice text, struct mistakes *mistakes, struct tree **out)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct reader r = {.arena = arena, .mistakes = mistakes};
    size_t before = mistakes->total;
    if (text.n >= 3 && memcmp(text.p, bom, 3) == 0)
        text = (struct slice){text.p + 3, text.n - 3};
    *out = NULL;
    if (text.n && check_text(text, mistakes))
        run(&r, text);
    if (mistakes->total != before)
        return WW_ECONFIG;
    bool empty = !r.root || (r.root->type == TREE_SCALAR && r.root->text.n == 0 && !r.root->quoted);
    *out = empty ? tree_new(arena, TREE_MAP) : r.root;
    return 0;
}
