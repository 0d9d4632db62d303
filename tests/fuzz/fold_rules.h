/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds and the rules files that fuzz_fold folds under: short windows and half-lives, every operator somewhere. */
#ifndef TESTS_FOLD_RULES_H
#define TESTS_FOLD_RULES_H

static const char *const fold_kind_names[] = {
    "hotline.complaint", "tax.arrears", "subdistrict.wage_delay", "court.seizure", "tax.filing_missed",
    "police.owner_missing", "utility.bill_overdue", "hotline.resolved", "tax.settled", "court.released",
    "registry.profile", "hotline.complaint", "tax.arrears", "registry.succession",
};

static const char fold_kinds[] =
    "kind,agency,zh,en,weight,half_life_days,repeat_window_days,clears,clue_of\n"
    "hotline.complaint,hotline,a,a,0.29,15,0,,arrears under way\n"
    "hotline.resolved,hotline,b,b,0,0,0,hotline.complaint,\n"
    "tax.arrears,tax,c,c,0.13,20,10,,cash shortage\n"
    "tax.filing_missed,tax,d,d,0.07,31,5,,disorder\n"
    "tax.settled,tax,e,e,0,0,0,tax.arrears tax.filing_missed,\n"
    "court.seizure,court,f,f,0.37,40,7,,cannot pay\n"
    "court.released,court,g,g,0,0,0,court.seizure,\n"
    "subdistrict.wage_delay,subdistrict,h,h,0.53,10,7,,arrears under way\n"
    "police.owner_missing,police,i,i,0.71,60,0,,owner fled\n"
    "utility.bill_overdue,utility,j,j,0.17,45,25,,cash shortage\n"
    "labour.order_disobeyed,labour,k,k,0.6,180,0,,arrears under way\n"
    "subdistrict.gathering,subdistrict,l,l,0.5,45,3,,arrears under way\n"
    "registry.profile,registry,m,m,0,0,0,,\n"
    "registry.succession,registry,n,n,0,0,0,,\n";

static const char fold_rules_head[] = "version: 1\n";

#define SCORE_HEAD "score:\n  levels: {general: 38, major: 62, critical: 84}\n  hysteresis: 9\n"
#define FACTORS \
    "  one_agency_at_most: general\n  others_at_least: 7\n  factors:\n" \
    "    industry: {E: 1.3, C18: 1.2, C: 0.9}\n    credit: {A: 0.7, B: 1.0, C: 1.4}\n" \
    "    season: {spring_festival: {before: 20d, factor: 1.25}}\n"
#define RULE(id, when, then) "  - id: " id "\n    title: {zh: x, en: x}\n    when: " when "\n    then: " then "\n"
#define BY_SCORE RULE("score", "{score: follow}", "{raise: by_score}")

static const char *const fold_rules[] = {
    SCORE_HEAD FACTORS "rules:\n" BY_SCORE,
    SCORE_HEAD "rules:\n" BY_SCORE
    RULE("three", "{agencies: {of: any, at_least: 3, within: 10d}}", "{raise: major}"),
    SCORE_HEAD "rules:\n"
    RULE("often", "{count: {of: {kind: hotline.complaint, cleared: too}, at_least: 3, within: 7d}}", "{raise: major}")
    RULE("much", "{sum: {of: {clue: arrears under way}, field: amount, at_least: 10000 yuan, within: 5d}}", "{raise: general}")
    RULE("many", "{sum: {of: any, field: people, at_least: 50, within: 10d}}", "{raise: critical}"),
    SCORE_HEAD "rules:\n"
    RULE("downhill", "{sequence: {steps: [tax.arrears, {agency: court}, hotline.complaint], within: 10d}}", "{raise: major}")
    RULE("twice", "{sequence: {steps: [hotline.complaint, hotline.complaint], within: 3d}}", "{raise: general}"),
    SCORE_HEAD "rules:\n"
    RULE("unanswered", "{absent: {expected: hotline.resolved, after: hotline.complaint, within: 2d}}", "{raise: general}")
    RULE("unpaid", "{absent: {expected: tax.settled, after: {kind: tax.arrears, where: {amount: {at_least: 5000 yuan}}}, within: 5d}}",
         "{raise: major}"),
    SCORE_HEAD "rules:\n"
    RULE("who", "{all: [{enterprise: {industry: [E, C18], region: [\"3304\"]}}, {signal: any, within: 10d}]}", "{raise: general}")
    RULE("graded", "{all: [{enterprise: {credit: [C]}}, {signal: tax.arrears, within: 30d}]}", "{raise: major}")
    RULE("guarded", "{enterprise: {tag: guarded}}", "{at_most: general}"),
    SCORE_HEAD "rules:\n"
    RULE("new-year", "{all: [{season: {festival: spring_festival, before: 20d}}, {signal: any, within: 10d}]}", "{raise: general}")
    RULE("late-season", "{all: [{season: {festival: spring_festival, before: 3d}}, {any: [{signal: court.seizure, within: 30d}, {signal: hotline.complaint, within: 2d}]}]}",
         "{raise: critical}"),
    SCORE_HEAD FACTORS "rules:\n" BY_SCORE
    RULE("unfounded", "{finding: {is: unfounded, within: 5d}}", "{suppress: [score, three]}")
    RULE("confirmed", "{finding: {is: confirmed, within: 10d}}", "{raise: major}")
    RULE("three", "{agencies: {of: any, at_least: 3, within: 10d}}", "{raise: major}"),
    SCORE_HEAD "rules:\n"
    RULE("no-seizure", "{all: [{signal: {clue: cash shortage}, within: 10d}, {not: {signal: court.seizure, within: 5d}}]}", "{raise: general}")
    RULE("both", "{all: [{signal: {clue: cash shortage}, within: 10d}, {signal: court.seizure, within: 5d}]}", "{raise: critical, suppress: [no-seizure]}")
    RULE("calm", "{signal: hotline.resolved, within: 2d}", "{at_most: major}"),
    SCORE_HEAD "selectors:\n"
    "  big: {kind: [hotline.complaint, court.seizure], where: {people: {at_least: 10, at_most: 30}}}\n"
    "  local: {kind: tax.arrears, cleared: too, where: {region: [\"330482\"], source: tax}}\n"
    "rules:\n"
    RULE("big", "{signal: big, within: 10d}", "{raise: major, tag: x}")
    RULE("local", "{count: {of: local, at_least: 2, within: 30d}}", "{raise: general}")
    RULE("neither", "{all: [{signal: any, within: 3d}, {not: {any: [{signal: big, within: 10d}, {signal: local, within: 10d}]}}]}", "{raise: general}"),
    "score:\n  levels: {general: 20, major: 30, critical: 41}\n  hysteresis: 3\n  one_agency_at_most: major\n  others_at_least: 12\n"
    "rules:\n" BY_SCORE,
    SCORE_HEAD FACTORS "rules:\n" BY_SCORE
    RULE("often", "{count: {of: any, at_least: 5, within: 10d}}", "{raise: major}")
    RULE("seq", "{sequence: {steps: [any, {agency: court}], within: 5d}}", "{raise: general, suppress: [often]}")
    RULE("absent", "{absent: {expected: court.released, after: court.seizure, within: 3d}}", "{raise: general}")
    RULE("guarded", "{enterprise: {tag: guarded}}", "{suppress: [score]}")
    RULE("false", "{finding: {is: false_claim, within: 3d}}", "{at_most: general}"),
};

/* What other enterprises do to one, which the plain fold leaves out: under these two engines are held against each
 * other only. After them come the files above. */
static const char *const fold_rules_across[] = {
    SCORE_HEAD "rules:\n" BY_SCORE
    RULE("same-owner", "{related: {by: [owner, project, parent, successor], level: general, within: 10d}}", "{raise: general}")
    RULE("their-signal", "{related: {by: [project], signal: court.seizure, within: 5d}}", "{raise: major}"),
    SCORE_HEAD "  shares: {sub: 0.5, labour: 0.8, predecessor: 0.6}\n" "rules:\n" BY_SCORE
    RULE("same-owner", "{related: {by: [owner], level: major, within: 3d}}", "{raise: general}"),
    SCORE_HEAD "rules:\n" BY_SCORE
    RULE("place", "{area: {region: 4, level: general, at_least: 2, within: 10d}}", "{raise: major}")
    RULE("trade", "{area: {industry: 1, level: general, at_least: 2, within: 3d}}", "{raise: general}"),
};

#undef SCORE_HEAD
#undef FACTORS
#undef RULE
#undef BY_SCORE

#endif
