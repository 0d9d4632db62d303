/* SPDX-License-Identifier: Apache-2.0 */
/* The query `explain`, and the part `explanation` of an alert: an engine that only reads, over the view's moment, says why
 * and what if. It is kept between queries and renewed at each, so that settings are compiled once. Query thread. */
#include "daemon/query_answer.h"

#include "daemon/eventpack.h"
#include "daemon/members.h"
#include "engine/whatif.h"

#include <inttypes.h>

/* The engine at the moment that the reader shows. NULL: err says why not. */
static struct engine *explainer(struct answer *a)
{
    int rc = *a->explainer ? engine_reader_renew(*a->explainer, a->err)
                           : engine_create_reader(a->explainer, a->loader, a->err);
    if (rc < 0) {
        engine_destroy(*a->explainer);
        *a->explainer = NULL;
    }
    return *a->explainer;
}

static bool read_without(struct answer *a, const struct engine *e, struct slice *without)
{
    if (!param_text(a, "without", without))
        return false;
    return !without->p || whatif_agency(e, *without) ||
           param_bad(a, "without", "must be an agency: what stands before the dot of a kind");
}

static int no_such_alert(struct answer *a, uint64_t number)
{
    return answer_refuse(a, WIRE_ERROR_NO_SUCH_ALERT,
                         arena_printf(&a->q->arena, "there is no alert %" PRIu64 " in your regions", number));
}

static int no_such_enterprise(struct answer *a)
{
    return answer_refuse(a, WIRE_ERROR_NO_SUCH_ENTERPRISE,
                         "there is no such enterprise in your regions; ask by its code or its registered name");
}

/* The key of what is to be explained. 1; 0: refused; negative: failed. */
static int read_subject(struct answer *a, struct engine *e, struct ekey *key)
{
    struct alert al;
    uint64_t number = 0;
    if (!param_uint(a, "alert", &number))
        return 0;
    if (!ww_get(a->q->params, "alert")) {
        if (!param_enterprise(a, key))
            return 0;
        *key = engine_resolve(e, key);
        return 1;
    }
    int rc = whatif_alert(e, number, &a->scratch, &al, a->err);
    if (rc < 0)
        return rc;
    if (rc == 0 || !answer_sees(a, al.region, al.places, al.n_places))
        return no_such_alert(a, number);
    *key = al.key;
    return 1;
}

int answer_explain(struct answer *a)
{
    struct ekey key;
    struct explanation x;
    struct whatif_ask ask = {.at = a->q->now};
    struct engine *e = explainer(a);
    if (!e)
        return -1;
    if (!read_without(a, e, &ask.without))
        return 0;
    int rc = read_subject(a, e, &key);
    if (rc > 0)
        rc = whatif(e, &key, &ask, &a->scratch, &x, a->err);
    if (rc < 0 || a->q->error)
        return rc;
    if (rc == 0 || (!ww_get(a->q->params, "alert") && !answer_sees(a, x.region, x.places, x.n_places)))
        return no_such_enterprise(a);
    members_cut_explanation(&x, a->q->regions, a->q->n_regions, &a->scratch);
    enc_key(&a->out, "explanation");
    whatif_pack(&a->q->body, &x);
    return 0;
}

int answer_explanation(struct answer *a, struct enc_open *m, const struct ekey *key)
{
    struct explanation x;
    struct engine *e = explainer(a);
    if (!e)
        return -1;
    int rc = whatif(e, key, &(struct whatif_ask){.at = a->q->now}, &a->scratch, &x, a->err);
    if (rc <= 0)
        return rc;
    members_cut_explanation(&x, a->q->regions, a->q->n_regions, &a->scratch);
    enc_key(m, "explanation");
    whatif_pack(m->b, &x);
    return 1;
}
