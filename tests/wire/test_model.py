#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random histories, out of order, repeated, cancelled, cleared, from several sources: the daemon and the plain model of
model.py must agree: levels and the events on the way equal, scores within 0.1, shares within 1 %."""
import datetime
import os
import random
import unittest

import model
from harness import CONFIG, DAY, Client, Daemon, HOUR, LEVELS, main, now_ms, uscc

SEED = int(os.environ.get("WAGEWARN_SEED", "1"))
KINDS = model.load_kinds(os.path.join(CONFIG, "kinds.csv"))
FESTIVALS = model.load_festivals(os.path.join(CONFIG, "spring_festival.csv"))

# Kinds that clear, are cleared, repeat and do not, over several agencies: few enough to meet each other.
POOLS = [
    ["tax.arrears", "tax.settled", "tax.filing_missed", "court.seizure", "court.released", "subdistrict.rent_overdue"],
    ["subdistrict.shutdown", "subdistrict.resumed", "subdistrict.wage_delay", "subdistrict.wages_paid", "hotline.complaint",
     "hotline.resolved", "utility.bill_overdue", "utility.bill_paid"],
    ["market.chattel_mortgage", "market.abnormal_list", "market.restored", "tax.filing_missed", "utility.property_fee_overdue",
     "housing.no_wage_officer", "registry.profile"],
    ["housing.account_short", "bank.wage_account_unfunded", "bank.wage_account_funded", "housing.paid_out", "tax.arrears",
     "registry.profile"],
    sorted(KINDS),
]

RULES = [
    ("score", {"score": "follow"}, "by_score"),
    ("three-agencies", {"agencies": {"of": "any", "at_least": 3, "within": "45d"}}, "major"),
    ("repeat-complaints", {"count": {"of": {"kind": "hotline.complaint", "cleared": "too"}, "at_least": 4, "within": "60d"}},
     "major"),
    ("late-and-gone", {"all": [{"signal": "owner_gone", "within": "30d"}, {"signal": "wages_late", "within": "45d"}]}, "critical"),
    ("either", {"any": [{"signal": "tax.invoice_stopped", "within": "20d"},
                        {"all": [{"signal": "court.seizure", "within": "15d"}, {"signal": "cash_short", "within": "90d"}]}]},
     "general"),
    ("two-taxes", {"count": {"of": {"agency": "tax"}, "at_least": 2, "within": "25d"}}, "general"),
]
# Tried on their own: together with the score some would never be seen to matter.
MORE_RULES = [
    ("many-people", {"sum": {"of": "any", "field": "people", "at_least": 60, "within": "30d"}}, "critical"),
    ("downhill", {"sequence": {"steps": ["tax.arrears", {"agency": "court"}, "tax.filing_missed"], "within": "90d"}}, "major"),
    ("not-topped-up", {"absent": {"expected": "housing.paid_out", "after": "housing.account_short", "within": "20d"}}, "major"),
    ("graded", {"all": [{"enterprise": {"credit": ["C"], "industry": ["C18", "E"]}}, {"signal": "any", "within": "25d"}]},
     "general"),
    ("no-seizure", {"all": [{"signal": "cash_short", "within": "15d"}, {"enterprise": {"region": ["330482"]}},
                            {"not": {"signal": "court.seizure", "within": "45d"}}]}, "general"),
    ("new-year", {"all": [{"season": {"festival": "spring_festival", "before": "200d"}}, {"signal": "utility.bill_overdue",
                                                                                        "within": "60d"}]}, "general"),
]
SELECTORS = {
    "wages_late": {"clue": "arrears under way"},
    "owner_gone": {"clue": ["operator gone", "owner fled", "nobody to pay"]},
    "cash_short": {"clue": ["cash shortage", "cannot pay", "creditors at the door"]},
}
WINDOWS = sorted({int(w) * DAY for w in (15, 20, 25, 30, 45, 60, 90)})


def random_at(rng, now, earlier):
    """Anywhere in two years, mostly near, sometimes exactly a window away from another; never on a rule's own edge."""
    how = rng.randrange(10)
    if how < 4:
        at = now - int(rng.uniform(0, 40) * DAY)
    elif how < 6:
        at = now - int(rng.uniform(0, 200) * DAY)
    elif how == 6:
        at = now - int(rng.uniform(0, 730) * DAY)
    elif how == 7:
        at = now + int(rng.uniform(0, 20) * HOUR)
    elif earlier:
        other = rng.choice(earlier)
        at = other["at"] + rng.choice((0, 0, 1, -1, 1, -1)) * max(KINDS[other["kind"]].window, rng.choice((0, 1)))
        at += rng.choice((0, 0, 1, -1))
    else:
        at = now - DAY
    at = min(at, now + 20 * HOUR)
    while any(abs(now - at - w) < 5 * 60 * 1000 for w in WINDOWS) or abs(now - at) < 5 * 60 * 1000:
        at -= 17 * 60 * 1000
    return at


def random_history(rng, code, now, prefix, sources):
    """[(source, signal)]: 20 to 60 signals, in order of arrival. A cancel comes after what it names."""
    pool = rng.choice(POOLS)
    out, wires = [], []
    for n in range(rng.randint(20, 60)):
        cancellable = [(src, w) for src, w in out if "cancels" not in w]
        if cancellable and rng.random() < 0.12:
            source, target = rng.choice(cancellable)
            w = {"id": "%s-%d" % (prefix, n), "kind": target["kind"], "at": random_at(rng, now, wires), "uscc": code,
                 "cancels": target["id"]}
        else:
            source = rng.choice(sources)
            w = {"id": "%s-%d" % (prefix, n), "kind": rng.choice(pool), "at": random_at(rng, now, wires), "uscc": code}
            if rng.random() < 0.3:
                w["industry"] = rng.choice(("C18", "C1811", "E47", "E", "H62", "F51", "C"))
            if rng.random() < 0.2:
                w["region"] = rng.choice(("330482", "330482001", "330402"))
            if rng.random() < 0.4:
                w["people"] = rng.randint(0, 25)
            if w["kind"] == "registry.profile" and rng.random() < 0.7:
                w["attrs"] = {"credit": rng.choice("ABC")}
        out.append((source, w))
        wires.append(w)
    return out


def another_order(rng, history):
    """The same signals in a random order of arrival, but nothing is cancelled before it came."""
    shuffled = list(history)
    rng.shuffle(shuffled)
    out, came, waiting = [], set(), []
    for source, w in shuffled:
        if "cancels" in w and w["cancels"] not in came:
            waiting.append((source, w))
            continue
        out.append((source, w))
        came.add(w["id"])
        for late in [p for p in waiting if p[1]["cancels"] == w["id"]]:
            out.append(late)
            waiting.remove(late)
    assert not waiting and len(out) == len(history)
    return out


class Model(unittest.TestCase):
    """Each test is a daemon under other settings, fed with histories of many enterprises, interleaved."""

    SOURCES = ("local", "hall-a", "hall-b")

    def world(self, settings, firms, seed, orders=1):
        """Makes, feeds and compares; returns how many judgements were too near a threshold to be compared."""
        rng = random.Random("%d/%d" % (SEED, seed))
        now = now_ms()
        firms = [(n, uscc(7000 + n * 10 + o), o) for n in range(firms) for o in range(orders)]
        histories = {}
        for n, code, o in firms:
            if o == 0:
                base = random_history(rng, code, now, "f%d" % n, self.SOURCES)
                mine = base
            else:
                mine = [(s, dict(w, uscc=code)) for s, w in another_order(rng, base)]
            renamed = [(s, dict(w, id="%s.%d" % (w["id"], o), **({"cancels": "%s.%d" % (w["cancels"], o)} if "cancels" in w else {})))
                       for s, w in mine]
            histories[code] = renamed
        with Daemon(rules=settings.yaml()) as d:
            named = {s: "ipc://%s" % os.path.join(d.dir, s) for s in self.SOURCES[1:]}
            d.listen = [] if not named else ["{endpoint: \"%s\", principal: %s}" % (e, s) for s, e in named.items()]
            d.write_config()
            d.start()
            clients = {"local": d.client(), **{s: Client(e) for s, e in named.items()}}
            firms_model = self.feed(rng, settings, histories, clients)
            near = sum(self.compare(clients["local"], code, firms_model[code]) for code in histories)
            if orders > 1:
                self.same_scores(clients["local"], [[c for m, c, _ in firms if m == n] for n in {m for m, _, _ in firms}])
            self.events(clients["local"], firms_model)
            for c in clients.values():
                c.close()
        # histories end now, so how many lie near a threshold differs by the day; most must be compared all the same
        self.assertLess(near, len(histories) / 2, "too many were left out of the comparison")

    def feed(self, rng, settings, histories, clients):
        """Interleaves the enterprises, in batches of one source at a time."""
        models = {code: model.Enterprise(settings) for code in histories}
        rest = {code: list(h) for code, h in histories.items()}
        count = 0
        while rest:
            batch, source, size = [], None, rng.choice((1, 1, 3, 20, 100))
            for code in rng.sample(sorted(rest), len(rest)):
                while rest[code] and len(batch) < size and source in (None, rest[code][0][0]):
                    source, w = rest[code].pop(0)
                    batch.append(w)
                    if rng.random() < 0.5:
                        break
                if not rest[code]:
                    del rest[code]
            ack = clients[source].push(*batch)
            self.assertEqual((ack["accepted"], ack["rejected"]), (len(batch), []), batch)
            now = now_ms()
            for w in batch:
                count += 1
                models[w["uscc"]].add(count, KINDS[w["kind"]].agency if source == "local" else source, w, now)
        return models

    def compare(self, c, code, m):
        e, now = c.enterprise(code), now_ms()
        self.assertAlmostEqual(e["score"] / 100, m.score(now), delta=0.1, msg=code)
        shares, standing = m.shares(now), m.standing()
        mine = {(s.source, s.id): s for s in m.signals if s.cancels is None}
        self.assertEqual({(s["source"], s["id"]) for s in e["signals"]}, set(mine), code)
        for s in e["signals"]:
            want = mine[s["source"], s["id"]]
            self.assertEqual((s["kind"], s["at"]), (want.kind, want.at))
            self.assertEqual(s["cancelled"], want.cancelled, s)
            if want in standing and KINDS[want.kind].weight > 0:
                self.assertEqual(s["cleared"], m.is_cleared(want, standing), s)
            self.assertAlmostEqual((s.get("share") or 0) / 1e6, shares.get(want.seq, 0), delta=0.01, msg=(code, s))
        if not m.near:
            self.assertEqual(e["level"], LEVELS[m.level], (code, e["score"], m.events))
        return m.near

    def events(self, c, models):
        got = {code: [] for code in models}
        for e in c.all_events():
            if e["type"] != "evidence":
                got[e["enterprise"]["uscc"]].append((e["type"], e["level"]))
        for code, m in models.items():
            if not m.near:
                self.assertEqual(got[code], m.events, code)

    def same_scores(self, c, groups):
        for codes in groups:
            scores = [c.enterprise(code)["score"] for code in codes]
            self.assertLessEqual(max(scores) - min(scores), 3, codes)

    # ---- the worlds ----
    def test_long_series(self):
        """Hundreds of signals of few kinds, so that most have left the record: late, cancelled, cleared ones among them."""
        rng = random.Random("%d/long" % SEED)
        settings = model.Settings(KINDS)
        pools = (["tax.arrears", "tax.settled"], ["hotline.complaint"], ["subdistrict.gathering", "utility.bill_overdue"],
                 ["subdistrict.wage_delay", "subdistrict.wages_paid", "housing.roster_gap"])
        with Daemon(rules=settings.yaml()) as d, d.start().client() as c:
            for n, pool in enumerate(pools):
                code, m, sent = uscc(9000 + n), model.Enterprise(settings), []
                total = rng.choice((300, 600, 900))
                while len(sent) < total:
                    batch = []
                    for _ in range(min(rng.choice((1, 10, 100)), total - len(sent) - len(batch))):
                        w = {"id": "long%d-%d" % (n, len(sent) + len(batch)), "kind": rng.choice(pool), "uscc": code,
                             "at": now_ms() - int(rng.choice((rng.uniform(0, 400), rng.uniform(0, 30))) * DAY) - HOUR}
                        if KINDS[w["kind"]].weight == 0:
                            w["at"] -= 100 * DAY  # or nothing would be left
                        target = rng.choice(sent) if sent and rng.random() < 0.1 else None
                        if target and "cancels" not in target:
                            w.update(kind=target["kind"], cancels=target["id"])
                        batch.append(w)
                    self.assertEqual(c.push(*batch)["accepted"], len(batch))
                    sent += batch
                for i, w in enumerate(sent):
                    m.add(i + 1, KINDS[w["kind"]].agency, w, now_ms(), judge=False)
                m.near = True  # levels on the way were not followed
                self.compare(c, code, m)

    def test_score_alone(self):
        self.world(model.Settings(KINDS), 50, 1)

    def test_any_order_of_arrival(self):
        self.world(model.Settings(KINDS), 12, 2, orders=5)

    def test_rules(self):
        self.world(model.Settings(KINDS, rules=RULES, selectors=SELECTORS), 60, 3)

    def test_more_rules(self):
        self.world(model.Settings(KINDS, FESTIVALS, rules=MORE_RULES, selectors=SELECTORS), 40, 7)

    def test_factors_in_season(self):
        """Season begins today at 00:00: inside."""
        self.world(self.seasonal(self.until_festival()), 40, 4)

    def test_factors_before_the_season(self):
        """Season begins tomorrow: outside."""
        self.world(self.seasonal(max(1, self.until_festival() - 1)), 40, 5)

    def test_other_thresholds(self):
        self.world(model.Settings(KINDS, levels=(20, 50, 60), hysteresis=3, at_most="general", others=30), 40, 6)

    def until_festival(self):
        today = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)).date()
        return min((f - today).days for f in FESTIVALS if f > today)

    def seasonal(self, before):
        return model.Settings(KINDS, FESTIVALS, industry={"E": 1.3, "C18": 1.2, "C": 1.05, "H62": 1.15},
                              credit={"A": 0.7, "B": 1.0, "C": 1.4}, season=(before, 1.25), rules=RULES, selectors=SELECTORS)


if __name__ == "__main__":
    main()
