# SPDX-License-Identifier: Apache-2.0
"""A plain, slow model of the score and of the first rules: written from the description, in floating point, sharing
nothing with the engine. All of an enterprise's signals in a list; every figure from the whole list each time.

score   hazard H = sum of -ln(1 - weight) * 2^-(age / half life) * 2^-rank, times the factors; 100 * (1 - e^-H)
level   the highest threshold reached, limited by the cap for one agency alone, with hysteresis downwards
rules   signal, all, any, not, count, agencies, sum, sequence, absent, enterprise, season, score; a window counts backwards
        from now, both ends closed
"""
import csv
import datetime
import math

DAY = 24 * 3600 * 1000
LEVELS = ["none", "general", "major", "critical"]


class Kind:
    def __init__(self, row):
        self.name, self.agency = row["kind"], row["agency"]
        self.weight = float(row["weight"])
        self.half_life = float(row["half_life_days"]) * DAY
        self.window = int(row["repeat_window_days"]) * DAY
        self.clears = set(row["clears"].split())
        self.clue = row["clue_of"]


def load_kinds(path):
    with open(path, encoding="utf-8", newline="") as f:
        return {row["kind"]: Kind(row) for row in csv.DictReader(f)}


def load_festivals(path):
    with open(path, encoding="utf-8", newline="") as f:
        return [datetime.date.fromisoformat(row["new_year_day"]) for row in csv.DictReader(f)]


class Settings:
    """What a rules file says, in Python's own words; yaml() writes the file."""

    def __init__(self, kinds, festivals=(), levels=(40, 65, 85), hysteresis=8, at_most="major", others=5,
                 industry=None, credit=None, season=None, selectors=None, rules=None, zone_ms=8 * 3600 * 1000):
        self.kinds, self.festivals = kinds, list(festivals)
        self.levels, self.hysteresis = levels, hysteresis
        self.at_most, self.others = LEVELS.index(at_most), others
        self.industry, self.credit, self.season = industry or {}, credit or {}, season  # season: (days, factor)
        self.selectors = selectors or {}
        self.rules = rules if rules is not None else [("score", {"score": "follow"}, "by_score")]
        self.zone = zone_ms

    def yaml(self):
        out = ["version: 1", "score:"]
        out.append("  levels: {general: %s, major: %s, critical: %s}" % self.levels)
        out.append("  hysteresis: %s" % self.hysteresis)
        out.append("  one_agency_at_most: %s" % LEVELS[self.at_most])
        out.append("  others_at_least: %s" % self.others)
        if self.industry or self.credit or self.season:
            out.append("  factors:")
            if self.industry:
                out.append("    industry: %s" % flow(self.industry))
            if self.credit:
                out.append("    credit: %s" % flow(self.credit))
            if self.season:
                out.append("    season: {spring_festival: {before: %dd, factor: %s}}" % self.season)
        if self.selectors:
            out.append("selectors:")
            out += ["  %s: %s" % (name, flow(sel)) for name, sel in self.selectors.items()]
        out.append("rules:")
        for name, when, then in self.rules:
            out.append("  - id: %s" % name)
            out.append("    title: {zh: 规则 %s, en: Rule %s}" % (name, name))
            out.append("    when: %s" % flow(when))
            out.append("    then: {raise: %s}" % then)
        return "\n".join(out) + "\n"

    def in_season(self, before, now):
        today = datetime.date(1970, 1, 1) + datetime.timedelta(days=(now + self.zone) // DAY)
        return any(day - datetime.timedelta(days=before) <= today < day for day in self.festivals)

    def season_factor(self, now):
        return self.season[1] if self.season and self.in_season(self.season[0], now) else 1.0


def flow(value):
    """YAML in its flow form, without quotes: all words here are plain."""
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (k, flow(v)) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return "[%s]" % ", ".join(flow(v) for v in value)
    return str(value)


def days(text):
    assert text.endswith("d")
    return int(text[:-1]) * DAY


class Signal:
    def __init__(self, seq, source, wire):
        self.seq, self.source, self.id, self.kind, self.at = seq, source, wire["id"], wire["kind"], wire["at"]
        self.industry, self.region = wire.get("industry"), wire.get("region")
        self.people = wire.get("people", 0)
        self.credit = (wire.get("attrs") or {}).get("credit")
        self.cancels = wire.get("cancels")
        self.cancelled = False


class Enterprise:
    def __init__(self, settings):
        self.set = settings
        self.signals = []
        self.score_level = 0   # level by score at the last judgement
        self.level = 0         # level of the alert, 0: none open
        self.ever = False      # an alert was there before
        self.events = []       # (type, level), `evidence` left out
        self.near = False      # some judgement was so near a threshold that rounding may decide it

    # ---- what is active ----
    def standing(self):
        """All that was not cancelled and does not cancel."""
        return [s for s in self.signals if not s.cancelled and s.cancels is None]

    def is_cleared(self, s, standing):
        return any(s.kind in self.set.kinds[c.kind].clears and s.at <= c.at for c in standing)

    def active(self):
        standing = self.standing()
        return [s for s in standing if self.set.kinds[s.kind].weight > 0 and not self.is_cleared(s, standing)]

    def ranks(self, active):
        """One more than the rank of the latest earlier one of the series that lies within the window."""
        rank = {}
        for s in sorted(active, key=lambda s: (s.at, s.seq)):
            window = self.set.kinds[s.kind].window
            earlier = [e for e in active if (e.at, e.seq) < (s.at, s.seq) and (e.kind, e.source) == (s.kind, s.source)
                       and s.at - e.at <= window] if window else []
            rank[s.seq] = 1 + rank[max(earlier, key=lambda e: (e.at, e.seq)).seq] if earlier else 0
        return rank

    # ---- figures ----
    def who(self):
        """Industry and credit grade, the latest that was told; None: never."""
        by_age = sorted(self.standing(), key=lambda s: (s.at, s.seq))
        profiles = [s for s in by_age if s.kind == "registry.profile"]
        told = [s.industry for s in profiles if s.industry] or [s.industry for s in by_age if s.industry]
        grades = [s.credit for s in profiles if s.credit]
        return told[-1] if told else None, grades[-1] if grades else None

    def factor(self, now):
        """Industry (longest prefix), credit grade, season."""
        industry, credit = self.who()
        prefixes = [p for p in self.set.industry if industry and industry.startswith(p)]
        out = self.set.season_factor(now) * self.set.credit.get(credit, 1.0)
        return out * self.set.industry[max(prefixes, key=len)] if prefixes else out

    def hazards(self, now):
        """{seq: hazard} of what is active, factors not in it."""
        active = self.active()
        rank = self.ranks(active)
        out = {}
        for s in active:
            kind = self.set.kinds[s.kind]
            age = max(0, now - s.at)
            out[s.seq] = -math.log(1 - kind.weight) * 2 ** -(age / kind.half_life) * 2.0 ** -rank[s.seq]
        return out

    def score(self, now):
        return 100 * (1 - math.exp(-self.factor(now) * sum(self.hazards(now).values())))

    def shares(self, now):
        hazards = self.hazards(now)
        total = sum(hazards.values())
        return {seq: h / total for seq, h in hazards.items()} if total else {}

    def others(self, now):
        """Score that all agencies but the largest give."""
        agency = {s.seq: self.set.kinds[s.kind].agency for s in self.signals}
        sums = {}
        for seq, h in self.hazards(now).items():
            sums[agency[seq]] = sums.get(agency[seq], 0) + h
        rest = sum(sums.values()) - max(sums.values(), default=0)
        return 100 * (1 - math.exp(-self.factor(now) * rest))

    # ---- levels ----
    def judge_score(self, now):
        score, others, eps = self.score(now), self.others(now), 0.03
        lines = list(self.set.levels) + [t - self.set.hysteresis for t in self.set.levels]
        cap = 3
        if others < self.set.others:
            cap = self.set.at_most
        if any(abs(score - t) < eps for t in lines) or (score > self.set.levels[2] - 9 and abs(others - self.set.others) < eps):
            self.near = True
        up = min(cap, sum(score >= t for t in self.set.levels))
        hold = min(cap, sum(score > t - self.set.hysteresis for t in self.set.levels))
        self.score_level = max(up, min(self.score_level, hold))
        return self.score_level

    # ---- rules ----
    def selected(self, selector, within, now):
        """Signals that match: within the window, not cancelled, not cleared unless the selector says so."""
        if isinstance(selector, str) and selector in self.set.selectors:
            selector = self.set.selectors[selector]
        if isinstance(selector, (str, list)):
            selector = {"kind": selector}
        kinds = self.set.kinds

        def words(key):
            value = selector.get(key)
            return None if value is None else [value] if isinstance(value, str) else value

        def matches(s):
            k = kinds[s.kind]
            if words("kind") == ["any"]:
                return k.weight > 0
            return ((words("kind") is None or s.kind in words("kind"))
                    and (words("agency") is None or k.agency in words("agency"))
                    and (words("clue") is None or k.clue in words("clue")))
        standing = self.standing()
        too = selector.get("cleared") == "too"
        found = [s for s in standing if matches(s) and (too or not self.is_cleared(s, standing))]
        return [s for s in found if within is None or max(0, now - s.at) <= days(within)]

    def holds(self, when, now):
        (op, arg), = when.items() if "within" not in when else [next(i for i in when.items() if i[0] != "within")]
        if op == "all":
            return all(self.holds(w, now) for w in arg)
        if op == "any":
            return any(self.holds(w, now) for w in arg)
        if op == "signal":
            return bool(self.selected(arg, when.get("within"), now))
        if op == "count":
            return len(self.selected(arg["of"], arg.get("within"), now)) >= arg["at_least"]
        if op == "agencies":
            found = self.selected(arg["of"], arg.get("within"), now)
            return len({self.set.kinds[s.kind].agency for s in found}) >= arg["at_least"]
        if op == "not":
            return not self.holds(arg, now)
        if op == "sum":
            assert arg["field"] == "people"
            return sum(s.people for s in self.selected(arg["of"], arg.get("within"), now)) >= arg["at_least"]
        if op == "sequence":
            return self.in_turn(arg["steps"], arg["within"], now)
        if op == "absent":
            came = self.selected({"kind": arg["expected"], "cleared": "too"}, None, now)
            waits = [s for s in self.selected(arg["after"], None, now) if not any(c.at >= s.at for c in came)]
            return any(now - s.at >= days(arg["within"]) for s in waits)
        if op == "enterprise":
            industry, credit = self.who()
            regions = [s.region for s in self.standing() if s.region]
            return (("industry" not in arg or any((industry or "").startswith(p) for p in arg["industry"]))
                    and ("credit" not in arg or credit in arg["credit"])
                    and ("region" not in arg or any(r.startswith(p) for r in regions for p in arg["region"])))
        if op == "season":
            return self.set.in_season(days(arg["before"]) // DAY, now)
        assert op == "score" and arg == "follow", when
        return True

    def in_turn(self, steps, within, now):
        """Each step by the first signal that can be it."""
        last = None
        for step in steps:
            fits = [(s.at, s.seq) for s in self.selected(step, within, now) if last is None or (s.at, s.seq) > last]
            if not fits:
                return False
            last = min(fits)
        return True

    def judge(self, now):
        by_score = self.judge_score(now)
        level = 0
        for _, when, then in self.set.rules:
            if self.holds(when, now):
                level = max(level, by_score if then == "by_score" else LEVELS.index(then))
        before, self.level = self.level, level
        if level > before:
            kind = "upgraded" if before else "reopened" if self.ever else "raised"
        elif level < before:
            kind = "downgraded" if level else "withdrawn"
        else:
            return
        self.ever = True
        self.events.append((kind, LEVELS[level]))

    # ---- arrival ----
    def add(self, seq, source, wire, now, judge=True):
        s = Signal(seq, source, wire)
        self.signals.append(s)
        if s.cancels is not None:
            for other in self.signals:
                if other.id == s.cancels and other.source == source and other.kind == s.kind and other.cancels is None:
                    other.cancelled = True
        if judge:
            self.judge(now)
