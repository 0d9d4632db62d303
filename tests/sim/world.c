/* SPDX-License-Identifier: Apache-2.0 */
/* What may happen out there: firms, agencies, signals. Owns the list of all signals that ever were. */
#include "tests/sim/sim.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum { KINDS_MOST = 12, DAYS_LATE = 20 };

const char *const world_sources[SOURCES] = {"tax", "court", "towns", "hall"};

static const char *const kinds[SOURCES][KINDS_MOST] = {
    {"tax.arrears", "tax.abnormal_household", "tax.invoice_stopped", "tax.sales_plunge", "tax.settled",
     "social.contribution_arrears", "social.headcount_plunge", "social.contribution_paid"},
    {"court.enforcement", "court.seizure", "court.wage_suit", "court.released", "police.owner_missing",
     "police.owner_found", "police.wage_dispute_call"},
    {"subdistrict.shutdown", "subdistrict.wage_delay", "subdistrict.gathering", "subdistrict.rent_overdue",
     "subdistrict.resumed", "subdistrict.wages_paid", "market.address_lost", "market.restored",
     "utility.power_plunge", "utility.bill_overdue", "labour.notice", "labour.order_disobeyed"},
    {"housing.wages_not_paid_out", "housing.site_stopped", "housing.account_short", "housing.paid_out",
     "hotline.complaint", "hotline.group_complaint", "hotline.media", "hotline.resolved", "petition.visit",
     "petition.settled", "bank.account_frozen", "bank.loan_overdue"},
};
static const char *const places[] = {"330482001001", "330482001", "330482002", "330482100", "330482101", "330482"};
static const char *const industries[] = {"C1811", "E4710", "H6210", "C3011", "I6510"};

struct sim_signal *world_signals;
size_t world_n;

static struct sim_firm firms[FIRMS];

/* GB 32100-2015: the last character checks the others. */
static void put_code(char out[19], unsigned number)
{
    static const char letters[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    char text[24];
    int sum = 0, weight = 1;
    snprintf(text, sizeof text, "91330482MA2%06u", number % 1000000);
    memcpy(out, text, 17);
    for (int i = 0; i < 17; i++, weight = weight * 3 % 31)
        sum += weight * (int)(strchr(letters, out[i]) - letters);
    out[17] = letters[(31 - sum % 31) % 31];
    out[18] = 0;
}

void world_make_firms(void)
{
    world_signals = mem_zalloc(SIGNALS_MAX * sizeof *world_signals);
    for (int i = 0; i < FIRMS; i++) {
        struct sim_firm *f = &firms[i];
        put_code(f->uscc, 1000 + (unsigned)i * 7);
        snprintf(f->name, sizeof f->name, "平湖第%d厂", i / 2); /* two of each name: who is who is not always known */
        snprintf(f->region, sizeof f->region, "%s", places[sim_draw(ARRAY_LEN(places))]);
        snprintf(f->industry, sizeof f->industry, "%s", industries[sim_draw(ARRAY_LEN(industries))]);
    }
}

const struct sim_firm *world_firm(int i)
{
    return &firms[i];
}

static const char *some_kind(int source)
{
    unsigned n = 0;
    while (n < KINDS_MOST && kinds[source][n])
        n++;
    return kinds[source][sim_draw(n)];
}

/* One that was acknowledged is taken back. */
static void withdraw(struct sim_signal *s)
{
    for (int i = 0; i < 20; i++) {
        size_t other = sim_draw(world_n);
        const struct sim_signal *o = &world_signals[other];
        if (o->source != s->source || !o->acked || o->cancels || o->by_name)
            continue;
        s->cancels = other + 1;
        s->firm = o->firm;
        s->exercise = o->exercise;
        memcpy(s->kind, o->kind, sizeof s->kind);
        return;
    }
}

size_t world_happen(int source)
{
    assert(world_n < SIGNALS_MAX);
    struct sim_signal *s = &world_signals[world_n];
    *s = (struct sim_signal){.source = source, .people = NO_INT, .amount = NO_INT};
    s->firm = (int)(sim_chance(600) ? sim_draw(6) : sim_draw(FIRMS)); /* a few are in the news */
    snprintf(s->id, sizeof s->id, "%s-%zu", world_sources[source], world_n);
    snprintf(s->kind, sizeof s->kind, "%s", some_kind(source));
    s->at = sim_true_ms() - sim_between(0, sim_chance(700) ? DAY_MS : DAYS_LATE * DAY_MS);
    s->exercise = sim_chance(30);
    s->by_name = sim_chance(60);
    if (sim_chance(300))
        s->people = sim_between(0, 90);
    if (sim_chance(300))
        s->amount = sim_between(0, 900000000);
    if (sim_chance(50) && world_n)
        withdraw(s);
    s->by_name = s->by_name && !s->cancels;
    return world_n++;
}
