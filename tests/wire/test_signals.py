#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""signals: what is accepted, what is a duplicate, each reject code, each bound at it and one past it, cancels."""
import msgpack

from harness import DAY, HOUR, SECOND, WireCase, Y2000_UTC, main, now_ms, pack, sig, spoil, uscc


class Accept(WireCase):
    def test_one(self):
        ack = self.c.push(sig(code=self.code))
        self.accepted(ack, 1)
        self.assertGreater(ack["seq"], 0)

    def test_an_empty_batch(self):
        self.accepted(self.c.push(), 0)

    def test_numbers_grow(self):
        first, second = self.take(sig(code=self.code)), self.take(sig(code=self.code))
        self.assertGreater(second, first)
        ack = self.c.push(*[sig(code=self.code) for _ in range(10)])
        self.accepted(ack, 10)
        self.assertGreaterEqual(ack["seq"], second + 10)

    def test_every_key(self):
        code, at = self.code, now_ms() - DAY
        s = sig("court.wage_suit", code, id="all-keys", at=at, name="示例（全）有限公司", region="330482001", industry="C1811",
                amount=123456789, people=42, since=at - 90 * DAY, project="浙建许2026-001", role="sub",
                owner="0123456789abcdef" * 2, status="actual", ref="（2026）浙0482民初1号", note="一行\n两行",
                attrs={"court": "平湖市人民法院", "batch": 7})
        self.take(s)
        e = self.c.enterprise(code)
        self.assertEqual(e["name"], "示例(全)有限公司")
        self.assertEqual((e["uscc"], e["industry"]), (code, "C1811"))
        self.assertEqual(e["region"], "330482001")
        (one,) = e["signals"]
        self.assertEqual((one["id"], one["kind"], one["source"], one["at"], one["amount"], one["people"]),
                         ("all-keys", "court.wage_suit", "court", at, 123456789, 42))

    def test_every_kind(self):
        """Each kind of the table is taken; what `kinds` tells is the table."""
        kinds = self.c.pages("kinds", "kinds")
        self.assertGreater(len(kinds), 70)
        self.accepted(self.c.push(*[sig(k["kind"], self.code) for k in kinds]), len(kinds))

    def test_name_alone(self):
        self.take(sig(code=None, uscc=None, name="只有名字的示例公司"))
        e = self.c.enterprise(name="只有名字的示例公司")
        self.assertEqual(len(e["signals"]), 1)

    def test_text_of_any_script(self):
        for name in ("a", "𬭎鑫", "é" * 100, "e\u0301clair", "\U0001F600 公司", "‏עברית"):
            self.take(sig(code=self.code, name=name, note=name))

    def test_roles_and_statuses(self):
        for role in ("client", "general", "sub", "labour"):
            self.take(sig(code=self.code, role=role))
        for status in ("actual", "exercise", "test"):
            self.take(sig(code=self.code, status=status))


class Duplicates(WireCase):
    def test_the_same_twice(self):
        s = sig(code=self.code)
        self.accepted(self.c.push(s), 1)
        self.accepted(self.c.push(s), 0, 1)
        self.accepted(self.client().push(s), 0, 1)
        self.assertEqual(len(self.c.enterprise(self.code)["signals"]), 1)

    def test_within_a_batch(self):
        s, other = sig(code=self.code), sig(code=self.code)
        self.accepted(self.c.push(s, other, s, s), 2, 2)
        self.accepted(self.c.push(other, s), 0, 2)

    def test_in_one_flight(self):
        """The same batch sent many times before the first answer: counted once."""
        batch = [sig(code=self.code) for _ in range(20)]
        rids = [self.c.post("signals", batch=batch) for _ in range(20)]
        acks = [self.c.reply_to(rid)[1] for rid in rids]
        self.assertEqual(sum(a["accepted"] for a in acks), 20)
        self.assertEqual(sum(a["duplicates"] for a in acks), 380)

    def test_source_of_local_is_the_agency_of_the_kind(self):
        self.take(sig("tax.arrears", self.code, id="shared"))
        self.accepted(self.c.push(sig("tax.filing_missed", self.code, id="shared")), 0, 1)
        self.take(sig("court.seizure", self.code, id="shared"))
        self.take(sig("police.owner_missing", self.code, id="shared"))

    def test_whatever_the_second_says(self):
        self.take(sig(code=self.code, id="who"))
        self.accepted(self.c.push(sig(code=self.fresh(), id="who", amount=7)), 0, 1)
        self.assertEqual(len(self.c.enterprise(self.code)["signals"]), 1)

    def test_a_rejected_one_is_not_remembered(self):
        code = self.code
        self.reject("bad_uscc", sig(code=spoil(code), id="mended"))
        self.take(sig(code=code, id="mended"))

    def test_id_is_bytes(self):
        self.take(sig(code=self.code, id="Case"))
        self.take(sig(code=self.code, id="case"))
        self.take(sig(code=self.code, id="case "))


class Reject(WireCase):
    def test_one_bad_spoils_nothing(self):
        c = self.code
        ack = self.c.push(sig(code=c, id="g1"), sig(code=c, id="b1", kind="tax.nonsense"), sig(code=c, id="g2"),
                          sig(code=spoil(c), id="b2"), sig(code=c, id="g1"), {"id": "b3"}, 7,
                          sig(code=c, id="b4", amount=-1), sig(code=c, id="g3"))
        self.accepted(ack, 3, 1, [(1, "unknown_kind"), (3, "bad_uscc"), (5, "missing_field"), (6, "bad_field"),
                                  (7, "bad_field")])
        self.assertEqual([r.get("id") for r in ack["rejected"] if r["index"] != 6], ["b1", "b2", "b3", "b4"])
        self.assertEqual(sorted(s["id"] for s in self.c.enterprise(c)["signals"]), ["g1", "g2", "g3"])

    def test_all_bad(self):
        bad = [sig(code=self.code, kind="x.y") for _ in range(50)]
        self.accepted(self.c.push(*bad), 0, 0, [(i, "unknown_kind") for i in range(50)])

    def test_missing_field(self):
        for key in ("id", "kind", "at"):
            r = self.reject("missing_field", sig(code=self.code, **{key: None}))
            self.assertIn(key, r["message"])
        self.reject("missing_field", {})

    def test_no_enterprise(self):
        self.reject("no_enterprise", sig(uscc=None))

    def test_unknown_kind(self):
        for kind in ("", "tax", "tax.", ".arrears", "tax.arears", "TAX.ARREARS", "tax.arrears ", "x" * 5000, "税.欠税"):
            self.reject("unknown_kind", sig(code=self.code, kind=kind))

    def test_bad_uscc(self):
        good = self.code
        for bad in (spoil(good), good[:17], good + "0", good.lower() if good.lower() != good else "x", "", "0" * 18,
                    good[:5] + "I" + good[6:], good[:5] + " " + good[6:], " " + good[1:], good[:17] + "I", "９" + good[1:],
                    "91350100M000100Y42", "x" * 3000, "统一社会信用"):
            self.reject("bad_uscc", sig(code=bad, uscc=bad))
        self.take(sig(code="91350100M000100Y43"))

    def test_a_wrong_code_is_not_taken_by_its_name(self):
        self.reject("bad_uscc", sig(code=spoil(self.code), name="码错名在的示例公司"))
        self.c.error("no_such_enterprise", "query", what="enterprise", name="码错名在的示例公司")

    def test_bad_region(self):
        for bad in ("", "3", "33", "3304", "33048", "3304820", "33048200", "3304820010", "33048200100", "3304820010011",
                    "33048x", "330482 ", "999999", "999999001", "000000", "３３０４８２", "-30482"):
            self.reject("bad_region", sig(code=self.code, region=bad))
        for good in ("330482", "330482001", "330482001001", "330482999", "330482999999", "330402"):
            self.take(sig(code=self.code, region=good))

    def test_bad_time(self):
        far = now_ms() + DAY + 60 * SECOND
        for bad in (far, 4102444800000, 2**63 - 1, 0, 1, Y2000_UTC - 8 * HOUR - 1):
            self.reject("bad_time", sig(code=self.code, at=bad))
        for bad in (-1, -2**63):
            self.reject(("bad_time", "bad_field"), sig(code=self.code, at=bad))
        self.reject(("bad_time", "bad_field"), sig(code=self.code, at=2**64 - 1))
        for good in (Y2000_UTC, now_ms(), now_ms() + DAY - 60 * SECOND):
            self.take(sig(code=self.code, at=good))

    def test_wrong_types(self):
        texts = ("id", "kind", "uscc", "name", "region", "industry", "project", "role", "owner", "status", "ref", "note",
                 "cancels")
        for key in texts:
            for bad in (1, -1, 1.5, None, True, [], ["x"], {}, b"bytes"):
                s = sig(code=self.code)
                s[key] = bad
                r = self.reject("bad_field", s)
                self.assertIn(key, r["message"])
        for key in ("at", "amount", "people", "since"):
            for bad in ("1", 1.0, 1.5, None, True, [], {}, b"1", ""):
                s = sig(code=self.code)
                s[key] = bad
                r = self.reject("bad_field", s)
                self.assertIn(key, r["message"])
        for bad in (1, "x", None, [], [["a", 1]]):
            self.reject("bad_field", sig(code=self.code, attrs=bad) if bad is not None else dict(sig(code=self.code), attrs=None))

    def test_items_that_are_no_signals(self):
        for bad in (None, 1, "x", [], [sig()], True, 1.5, b"x"):
            self.reject(("bad_field", "missing_field"), bad)

    def test_empty_texts(self):
        for key in ("id", "name", "industry", "project", "role", "owner", "status", "cancels"):
            self.reject("bad_field", sig(code=self.code, **{key: ""}))

    def test_ill_formed_text(self):
        """Bytes that are no UTF-8: the signal is rejected, its batch is not."""
        def raw(signal, key, data):
            out = b"\xde" + (len(signal) + 1).to_bytes(2, "big")
            for k, v in signal.items():
                out += pack(k) + pack(v)
            return out + pack(key) + b"\xd9" + bytes([len(data)]) + data
        for key, codes in (("name", ("bad_field",)), ("note", ("bad_field",)), ("ref", ("bad_field",)),
                           ("project", ("bad_field",)), ("region", ("bad_region",)), ("industry", ("bad_field",)),
                           ("id", ("bad_field",)), ("kind", ("unknown_kind",)), ("uscc", ("bad_uscc",))):
            for data in (b"\xff\xfe", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok\x80"):
                s = sig(code=self.code)
                s.pop(key, None)
                good = sig(code=self.code)
                body = b"\x82" + pack("rid") + pack(1) + pack("batch") + b"\x92" + raw(s, key, data) + pack(good)
                self.c.raw(b"signals", body)
                verb, ack = self.c.receive()
                self.assertEqual(verb, "ack", (key, data, ack))
                self.assertEqual(ack["accepted"], 1, (key, data, ack))
                self.assertEqual([r["index"] for r in ack["rejected"]], [0])
                self.assertIn(ack["rejected"][0]["code"], codes, (key, data))

    def test_nul_in_a_text(self):
        for key in ("id", "name", "note", "ref", "project"):
            ack = self.c.push(sig(code=self.code, **{key: "a\0b"}))
            self.assertIn((ack["accepted"], [r["code"] for r in ack["rejected"]]), ((1, []), (0, ["bad_field"])))

    def test_negative_numbers(self):
        for key in ("amount", "people"):
            for bad in (-1, -2**31, -2**63):
                self.reject("bad_field", sig(code=self.code, **{key: bad}))
            for good in (0, 1, 2**31, 2**53):
                self.take(sig(code=self.code, **{key: good}))
            self.reject(("bad_field", "too_large"), sig(code=self.code, **{key: 2**64 - 1}))

    def test_words(self):
        for key, bad in (("role", "boss"), ("role", "General"), ("role", "none"), ("status", "real"), ("status", "Actual"),
                         ("status", "test ")):
            self.reject("bad_field", sig(code=self.code, **{key: bad}))

    def test_owner(self):
        for bad in ("0" * 31, "g" * 32, "0" * 16 + " " * 16, "张三"):
            self.reject("bad_field", sig(code=self.code, owner=bad))
        self.reject(("bad_field", "too_large"), sig(code=self.code, owner="0" * 33))
        self.take(sig(code=self.code, owner="0123456789abcdef0123456789abcdef"))

    def test_industry(self):
        for good in ("C", "C18", "E47", "C181", "C1811", "S96"):
            self.take(sig(code=self.code, industry=good))
        for bad in ("C1", "18", "1811", "CC18", "C18x", "制造", "C-18"):
            self.reject("bad_field", sig(code=self.code, industry=bad))
        self.reject(("bad_field", "too_large"), sig(code=self.code, industry="C18111"))

    def test_a_key_twice(self):
        s = sig(code=self.code)
        for key, value in (("id", "another"), ("id", s["id"]), ("amount", 1)):
            again = dict(s)
            again.setdefault(key, 2)
            again["id"] = s["id"]
            raw = b"\xde" + (len(again) + 1).to_bytes(2, "big")
            raw += b"".join(pack(k) + pack(v) for k, v in again.items()) + pack(key) + pack(value)
            body = b"\x82" + pack("rid") + pack(1) + pack("batch") + b"\x92" + pack(sig(code=self.code)) + raw
            self.c.raw(b"signals", body)
            verb, ack = self.c.receive()
            self.assertEqual(verb, "ack")
            self.accepted(ack, 1, 0, [(1, "bad_field")])
        self.take(s)

    def test_bad_message_inside_a_signal(self):
        """msgpack that is malformed anywhere spoils the whole message: there is no telling where it goes on."""
        good = pack(sig(code=self.code, id="in-bad-message"))
        head = b"\x82" + pack("rid") + pack(1) + pack("batch")
        for tail in (b"\x92" + good, b"\x92" + good + b"\xc1", b"\x92" + good + b"\x81\xa2id", b"\x91" + good + b"\x00",
                     b"\x92" + good + b"\x81\xa2id\xd9\xffx"):
            self.c.raw(b"signals", head + tail)
            verb, reply = self.c.receive()
            self.assertEqual((verb, reply["code"]), ("error", "bad_message"))
        self.take(sig(code=self.code, id="in-bad-message"))


class Bounds(WireCase):
    def test_texts(self):
        for key, most in (("id", 64), ("name", 200), ("project", 64), ("ref", 128), ("note", 1024)):
            at, over = "x" * most, "x" * (most + 1)
            self.take(sig(code=self.code, **{key: at}))
            self.reject("too_large", sig(code=self.code, **{key: over}))
            wide = "薪" * (most // 3)
            self.take(sig(code=self.code, **{key: wide}))
            self.reject("too_large", sig(code=self.code, **{key: wide + "薪"}))
            self.reject("too_large", sig(code=self.code, **{key: "x" * 100000}))

    def test_cancels(self):
        self.reject("too_large", sig(code=self.code, cancels="x" * 65))
        self.reject("unknown_cancel", sig(code=self.code, cancels="x" * 64))

    def test_attrs(self):
        self.take(sig(code=self.code, attrs={}))
        self.take(sig(code=self.code, attrs={"k%d" % i: i for i in range(16)}))
        self.reject("too_large", sig(code=self.code, attrs={"k%d" % i: i for i in range(17)}))
        self.reject("too_large", sig(code=self.code, attrs={"k%d" % i: "v" for i in range(1000)}))
        self.take(sig(code=self.code, attrs={"a": "text", "b": 5, "c": 0}))
        for bad in (1.5, None, True, [], {}, b"x"):
            self.reject("bad_field", sig(code=self.code, attrs={"a": bad}))
        for bad in ({1: 2}, {b"k": 1}, {None: 1}):
            ack = self.c.ask("signals", batch=[sig(code=self.code, attrs=bad)])
            self.assertIn(ack[0], ("ack", "error"))
            if ack[0] == "ack":
                self.accepted(ack[1], 0, 0, [(0, "bad_field")])

    def test_max_batch(self):
        limit = self.c.hello()["max_batch"]
        batch = [sig("registry.profile", self.code) for _ in range(limit)]
        self.accepted(self.c.push(*batch), limit)
        over = [sig("registry.profile", self.code, id="over%d" % i) for i in range(limit + 1)]
        self.c.error("too_large", "signals", batch=over)
        ack = self.c.push(over[0], over[limit])
        self.accepted(ack, 2)  # nothing of the other batch was stored

    def test_the_largest_signal(self):
        biggest = sig("court.wage_suit", self.code, id="b" * 64, name="薪" * 66, region="330482001001", industry="C1811",
                      amount=2**53, people=2**31, since=now_ms(), project="p" * 64, role="general", owner="f" * 32,
                      status="actual", ref="r" * 128, note="n" * 1024,
                      attrs={"k%02d" % i: "v" * 60 for i in range(16)})
        self.take(biggest)
        many = [dict(biggest, id="%064d" % i) for i in range(200)]
        self.accepted(self.c.push(*many), 200)


class Cancels(WireCase):
    def score(self):
        return self.c.enterprise(self.code)["score"]

    def test_as_if_it_had_never_come(self):
        self.take(sig("court.seizure", self.code))
        before = self.score()
        self.take(sig("police.owner_missing", self.code, id="o1"))
        self.assertGreater(self.score(), before + 1000)
        self.take(sig("police.owner_missing", self.code, cancels="o1"))
        self.assertAlmostEqual(self.score(), before, delta=2)
        flags = {s["kind"]: s["cancelled"] for s in self.c.enterprise(self.code)["signals"]}
        self.assertEqual(flags, {"court.seizure": False, "police.owner_missing": True})

    def test_twice_does_nothing_more(self):
        self.take(sig("court.seizure", self.code, id="c2"))
        self.take(sig("court.seizure", self.code, cancels="c2"))
        self.take(sig("court.seizure", self.code, cancels="c2"))
        self.assertEqual(self.score(), 0)

    def test_what_it_may_not_name(self):
        other = self.fresh()
        self.take(sig("tax.arrears", self.code, id="k1"))
        self.reject("unknown_cancel", sig("tax.arrears", self.code, cancels="never-sent"))
        self.reject("unknown_cancel", sig("tax.filing_missed", self.code, cancels="k1"))  # another kind
        self.reject("unknown_cancel", sig("court.seizure", self.code, cancels="k1"))      # another source
        self.reject("unknown_cancel", sig("tax.arrears", other, cancels="k1"))            # another enterprise
        self.take(sig("tax.arrears", self.code, cancels="k1"))
        self.assertEqual(self.score(), 0)

    def test_a_cancel_cannot_be_cancelled(self):
        self.take(sig("tax.arrears", self.code, id="a1"))
        self.take(sig("tax.arrears", self.code, id="a2", cancels="a1"))
        self.reject("unknown_cancel", sig("tax.arrears", self.code, cancels="a2"))

    def test_itself(self):
        self.reject("unknown_cancel", sig("tax.arrears", self.code, id="self", cancels="self"))
        self.take(sig("tax.arrears", self.code, id="self"))

    def test_within_its_batch(self):
        ack = self.c.push(sig("tax.arrears", self.code, id="w1"), sig("tax.arrears", self.code, id="w2", cancels="w1"),
                          sig("tax.arrears", self.code, id="w3", cancels="w4"), sig("tax.arrears", self.code, id="w4"))
        self.accepted(ack, 3, 0, [(2, "unknown_cancel")])
        self.assertEqual(self.score(), self.score_of_one())

    def score_of_one(self):
        other = self.fresh()
        self.take(sig("tax.arrears", other))
        return self.c.enterprise(other)["score"]

    def test_the_id_stays_taken(self):
        self.take(sig("tax.arrears", self.code, id="t1"))
        self.take(sig("tax.arrears", self.code, id="t2", cancels="t1"))
        self.accepted(self.c.push(sig("tax.arrears", self.code, id="t1")), 0, 1)
        self.accepted(self.c.push(sig("tax.arrears", self.code, id="t2", cancels="t1")), 0, 1)
        self.assertEqual(self.score(), 0)

    def test_repeats_are_ranked_again(self):
        """A, then a repeat B; with A cancelled B counts in full."""
        now = now_ms()
        self.take(sig("subdistrict.shutdown", self.code, id="r1", at=now - 2 * DAY))
        self.take(sig("subdistrict.shutdown", self.code, id="r2", at=now))
        self.take(sig("subdistrict.shutdown", self.code, id="r3", cancels="r1"))
        other = self.fresh()
        self.take(sig("subdistrict.shutdown", other, at=now))
        self.assertAlmostEqual(self.score(), self.c.enterprise(other)["score"], delta=1)

    def test_a_cancelled_clearing_clears_nothing(self):
        at = now_ms() - DAY
        self.take(sig("tax.arrears", self.code, at=at))
        before = self.score()
        self.take(sig("tax.settled", self.code, id="z1", at=at + HOUR))
        self.assertEqual(self.score(), 0)
        self.take(sig("tax.settled", self.code, cancels="z1", at=at + 2 * HOUR))
        self.assertAlmostEqual(self.score(), before, delta=1)


class Replies(WireCase):
    def test_ack_has_the_keys_of_the_protocol(self):
        ack = self.c.push(sig(code=self.code), sig(code=self.code, kind="no.kind", id="idd"))
        self.assertEqual(set(ack) - {"rid"}, {"accepted", "duplicates", "seq", "rejected"})
        self.assertEqual(set(ack["rejected"][0]), {"index", "id", "code", "message"})
        self.assertEqual(ack["rejected"][0]["id"], "idd")

    def test_integers_in_every_width(self):
        """A client's encoder may use wider forms than needed."""
        s = sig(code=self.code)
        raw = b"\xdf" + (len(s) + 2).to_bytes(4, "big")
        for k, v in s.items():
            raw += b"\xda" + len(k).to_bytes(2, "big") + k.encode()
            raw += b"\xd3" + v.to_bytes(8, "big", signed=True) if isinstance(v, int) else \
                b"\xdb" + len(v.encode()).to_bytes(4, "big") + v.encode()
        raw += pack("people") + b"\xd2\x00\x00\x00\x05" + pack("amount") + b"\xcf" + (500).to_bytes(8, "big")
        self.c.raw(b"signals", b"\xde\x00\x02" + pack("batch") + b"\xdd\x00\x00\x00\x01" + raw + pack("rid") + b"\xcd\x00\x07")
        verb, ack = self.c.receive()
        self.assertEqual((verb, ack["rid"], ack["accepted"]), ("ack", 7, 1), ack)
        (one,) = self.c.enterprise(self.code)["signals"]
        self.assertEqual((one["people"], one["amount"]), (5, 500))

    def test_rid_after_the_batch(self):
        body = msgpack.packb({"batch": [sig(code=self.code)], "rid": 31})
        self.c.raw(b"signals", body)
        self.assertEqual(self.c.receive()[1]["rid"], 31)

    def test_other_codes(self):
        for n in range(50):
            self.take(sig(code=uscc(500000 + n, "110105")))


if __name__ == "__main__":
    main()
