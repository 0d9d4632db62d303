#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Framing and the first words: hello, rid, pipelining, verbs and bodies that are none, bytes of any kind on any frame."""
import os
import random
import socket
import struct

import msgpack
import zmq

from harness import Client, Daemon, SCORE_ONLY, WireCase, main, now_ms, pack, sig


class Hello(WireCase):
    def test_welcome(self):
        w = self.c.hello()
        self.assertEqual(w["protocol"], 1)
        self.assertEqual(w["principal"], "local")
        for key, kind in (("server", str), ("store", str), ("role", str), ("agencies", list), ("regions", list),
                          ("max_batch", int), ("max_bytes", int)):
            self.assertIsInstance(w[key], kind, key)
        self.assertTrue(w["store"])
        self.assertGreaterEqual(w["max_batch"], 1000)

    def test_store_is_the_same_for_all_and_after_a_restart(self):
        store = self.c.hello()["store"]
        self.assertEqual(self.client().hello()["store"], store)
        self.daemon.restart()
        self.assertEqual(self.client().hello()["store"], store)

    def test_hello_is_optional(self):
        self.accepted(self.c.push(sig(code=self.code)), 1)

    def test_hello_over_tcp(self):
        with Client(self.daemon.tcp_endpoint) as c:
            self.assertEqual(c.hello()["store"], self.c.hello()["store"])
            self.accepted(c.push(sig(code=self.code)), 1)

    def test_ipc_socket_mode(self):
        path = self.daemon.endpoint[len("ipc://"):]
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o660)

    options = {"tcp": True}


class Rid(WireCase):
    def test_rid_comes_back(self):
        for rid in (0, 1, 127, 128, 255, 65536, 2**32, 2**63 - 1, 2**63, 2**64 - 1):
            for verb, body in (("hello", {"client": "t", "protocol": 1}), ("signals", {"batch": []}),
                               ("query", {"what": "status"}), ("nonsense", {}), ("query", {"what": "nonsense"})):
                self.c.send(verb, dict(body, rid=rid))
                _, reply = self.c.receive()
                self.assertEqual(reply.get("rid"), rid, (verb, reply))

    def test_without_rid_the_reply_has_none(self):
        self.c.send("hello", {"client": "t", "protocol": 1})
        verb, reply = self.c.receive()
        self.assertEqual(verb, "welcome")
        self.assertNotIn("rid", reply)

    def test_rid_of_a_wrong_type(self):
        for bad in (-1, "7", 1.5, None, [1], {}, True, b"x"):
            self.c.send("signals", {"rid": bad, "batch": [sig(code=self.code, id="rid-wrong")]})
            verb, reply = self.c.receive()
            self.assertEqual((verb, reply["code"]), ("error", "bad_field"), (bad, reply))
            self.assertIn("rid", reply["message"])
        self.accepted(self.c.push(sig(code=self.code, id="rid-wrong")), 1)

    def test_pipelining(self):
        rids = {}
        for i in range(300):
            rids[self.c.post("signals", batch=[sig(code=self.code), sig(code=self.code)])] = "ack"
            rids[self.c.post("query", what="kinds")] = "result"
            rids[self.c.post("hello", client="t", protocol=1)] = "welcome"
        for _ in range(len(rids)):
            verb, reply = self.c.receive()
            self.assertEqual(rids.pop(reply["rid"]), verb)
            if verb == "ack":
                self.accepted(reply, 2)
        self.assertEqual(rids, {})


class Framing(WireCase):
    def error(self, *frames, codes):
        self.c.raw(*frames)
        verb, reply = self.c.receive()
        self.assertEqual(verb, "error", (frames, reply))
        self.assertIn(reply["code"], codes, frames)
        self.assertTrue(reply["message"])
        return reply

    def test_req_socket(self):
        with Client(self.daemon.endpoint, kind=zmq.REQ) as c:
            for _ in range(3):
                c.send("hello", {"rid": 9, "client": "t", "protocol": 1})
                verb, reply = c.receive()
                self.assertEqual((verb, reply["rid"]), ("welcome", 9))
            c.send("nonsense", {"rid": 10})
            self.assertEqual(c.receive()[0], "error")
            c.send("signals", {"rid": 11, "batch": [sig(code=self.code)]})
            self.accepted(c.receive()[1], 1)

    def test_empty_delimiter_is_given_back(self):
        self.c.raw(b"", b"hello", pack({"rid": 4}))
        frames = self.c.frames()
        self.assertEqual((frames[0], frames[1], len(frames)), (b"", b"welcome", 3))
        self.c.raw(b"", b"nonsense", pack({"rid": 5}))
        frames = self.c.frames()
        self.assertEqual((frames[0], frames[1], len(frames)), (b"", b"error", 3))
        self.c.raw(b"hello", pack({"rid": 6}))
        self.assertEqual(len(self.c.frames()), 2)

    def test_number_of_frames(self):
        for frames in ([b"hello"], [b"hello", pack({}), b""], [b"hello", pack({}), pack({})],
                       [b"hello"] + [pack({})] * 50, [b"", b"hello", pack({}), pack({})]):
            self.c.raw(*frames)
            got = self.c.frames()
            at = got.index(b"error")
            self.assertIn(msgpack.unpackb(got[at + 1])["code"], ("bad_message",), frames)
        self.assertEqual(self.c.ask("hello")[0], "welcome")

    def test_more_frames_do_nothing_else(self):
        self.c.raw(b"signals", pack({"rid": 1, "batch": [sig(code=self.code, id="three-frames")]}), b"")
        self.assertEqual(self.c.receive()[0], "error")
        self.accepted(self.c.push(sig(code=self.code, id="three-frames")), 1)

    def test_unknown_verbs(self):
        for verb in (b"nonsense", b"HELLO", b"Signals", b"hello ", b" hello", b"hello\0", b"ack", b"event", b"welcome",
                     b"error", b"heartbeat", b"x" * 1000, b"\xff\xfe", "问好".encode()):
            self.assertEqual(self.error(verb, pack({"rid": 3}), codes=("unknown_verb",)).get("rid"), 3)

    def test_body_that_is_no_map(self):
        for body in (None, True, 1, -1, 1.5, "x", [], [{}], b"x", msgpack.ExtType(1, b"x")):
            self.error(b"hello", pack(body), codes=("bad_message",))

    def test_body_that_is_no_single_msgpack_value(self):
        good = pack({"rid": 1, "client": "t"})
        bad = [b"", good + b"\xc0", good + good, b"\xc1", b"\x81\xa1a\xc1", b"\x81", b"{}", b'{"rid": 1}']
        bad += [good[:n] for n in range(1, len(good))]
        for body in bad:
            self.error(b"hello", body, codes=("bad_message",))

    def test_keys(self):
        for body in ({1: 2}, {b"rid": 1}, {None: 1}, {True: 1}, {1.5: 1}):
            self.error(b"hello", pack(body), codes=("bad_message",))
        twice = b"\x82" + pack("rid") + pack(1) + pack("rid") + pack(2)
        self.error(b"hello", twice, codes=("bad_message",))
        self.error(b"query", b"\x82" + pack("what") + pack("status") + pack("what") + pack("kinds"),
                   codes=("bad_message",))

    def test_unknown_keys_are_ignored(self):
        odd = {"rid": 1, "client": "t", "protocol": 1, "new": {"a": [1, 2.5, None, b"\xff", {"deep": True}]}, "": 1}
        self.c.send("hello", odd)
        self.assertEqual(self.c.receive()[0], "welcome")
        ack = self.c.expect("ack", "signals", batch=[sig(code=self.code, colour="red", shape=[1, {"a": 2}])], mood=1.5)
        self.accepted(ack, 1)

    def test_known_keys_of_a_wrong_type_are_named(self):
        for verb, body, key in (("signals", {"batch": 1}, "batch"), ("signals", {"batch": {}}, "batch"),
                                ("query", {"what": 1}, "what"), ("subscribe", {"from": "x"}, "from"),
                                ("subscribe", {"regions": "3304"}, "regions"), ("subscribe", {"regions": [3304]}, "regions"),
                                ("subscribe", {"min_level": 2}, "min_level"), ("subscribe", {"credit": -1}, "credit"),
                                ("subscribe", {"store": 1}, "store"), ("query", {"what": "alert", "alert": "x"}, "alert"),
                                ("query", {"what": "enterprise", "uscc": 1}, "uscc"),
                                ("query", {"what": "alerts", "limit": "x"}, "limit")):
            reply = self.c.error("bad_field", verb, **body)
            self.assertIn(key, reply["message"])

    def test_what_must_be_there(self):
        self.c.error("missing_field", "signals")
        self.c.error("missing_field", "query")
        self.c.error("unknown_query", "query", what="nonsense")

    def test_declared_lengths_without_bytes(self):
        big = struct.pack(">I", 0xFFFFFFFF)
        heads = (b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9")
        for head in heads:
            for wrap in (b"", b"\x81\xa1x", b"\x81\xa5batch", b"\x81\xa5batch\x91", b"\x81\xa5batch\x91\x81\xa2id"):
                for verb in (b"signals", b"hello", b"query", b"nonsense"):
                    self.c.raw(verb, wrap + head + big)
                    reply = self.c.receive()
                    self.assertEqual(reply[0], "error")
        for depth in (9, 100, 10000, 200000):
            for unit in (b"\x91", b"\x81\xa1a"):
                self.error(b"signals", b"\x81\xa5batch" + unit * depth + b"\xc0", codes=("bad_message", "too_large"))
        self.assertLess(self.daemon.rss_kib(), 2 << 20)
        self.c.hello()

    def test_many_items_that_cost_a_byte_each(self):
        limit = self.c.hello()["max_bytes"]
        n = min(limit - 100, 900000)
        for item in (b"\xc0", b"\x80", b"\x90", b"\x01"):
            self.c.raw(b"signals", b"\x82\xa3rid\x01\xa5batch\xdd" + struct.pack(">I", n) + item * n)
            verb, reply = self.c.receive()
            self.assertEqual((verb, reply["code"]), ("error", "too_large"), reply)
            self.assertEqual(reply.get("rid"), 1)
        self.c.hello()


class Bytes(WireCase):
    """Whatever bytes arrive, there is an answer or an end of the connection, and the daemon goes on."""

    options = {"tcp": True}

    def test_noise_on_both_frames(self):
        rng = random.Random(11)
        for _ in range(1500):
            verb = rng.choice((b"signals", b"hello", b"query", b"subscribe", b"action", b"unsubscribe", rng.randbytes(5)))
            body = rng.randbytes(rng.choice((0, 1, 2, 5, 30, 300)))
            if body != b"\x80":  # which is a map
                self.c.raw(verb, body)
                self.assertEqual(self.c.receive()[0], "error", body)
        self.c.hello()

    def test_mutations_of_good_messages(self):
        rng = random.Random(12)
        seeds = [
            (b"signals", {"rid": 1, "batch": [sig(code=self.code, people=3, attrs={"a": 1, "b": "c"}, note="x" * 40,
                                                   name="示例", region="330482001", ref="r")] * 3}),
            (b"hello", {"rid": 1, "client": "t", "protocol": 1}),
            (b"query", {"rid": 1, "what": "alerts", "limit": 5, "state": "any"}),
            (b"query", {"rid": 1, "what": "enterprise", "uscc": self.code}),
            (b"action", {"rid": 1, "alert": 1, "do": "accept", "note": "n"}),
            (b"unsubscribe", {"rid": 1, "session": 1})]
        for _ in range(3000):
            verb, body = rng.choice(seeds)
            data = bytearray(pack(body))
            for _ in range(rng.choice((1, 1, 2, 5))):
                at = rng.randrange(len(data))
                how = rng.randrange(4)
                if how == 0:
                    data[at] ^= 1 << rng.randrange(8)
                elif how == 1:
                    data[at] = rng.randrange(256)
                elif how == 2:
                    del data[at:at + rng.randrange(1, 9)]
                else:
                    data[at:at] = rng.randbytes(rng.randrange(1, 5))
                data = data or bytearray(1)
            self.c.raw(verb, bytes(data))
            got = self.c.receive()[0]
            self.assertIn(got, ("error", "ack", "welcome", "result", "done"))
        self.c.hello()

    def test_random_frames(self):
        rng = random.Random(13)
        for _ in range(500):
            self.c.raw(*[rng.randbytes(rng.randrange(8)) for _ in range(rng.randrange(1, 6))])
        self.c.send("hello", {"rid": 77})
        while msgpack.unpackb(self.c.frames()[-1]).get("rid") != 77:
            pass

    def test_noise_below_zeromq(self):
        """Peers that do not speak ZMTP at all, or stop in the middle of its greeting or of a frame."""
        port = int(self.daemon.tcp_endpoint.rsplit(":", 1)[1])
        rng = random.Random(14)
        greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" + bytes(31)
        ready = b"\x04\x26\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x00"
        huge = b"\x02" + struct.pack(">Q", 1 << 62)
        held = []
        for text in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", rng.randbytes(200), greeting, greeting[:12], greeting + ready,
                     greeting + ready + huge, greeting + ready + b"\x02" + struct.pack(">Q", (1 << 31) - 1) + b"x",
                     greeting + ready + rng.randbytes(100), b"", bytes(100), b"\xff" * 100):
            for _ in range(5):
                s = socket.create_connection(("127.0.0.1", port))
                try:
                    s.sendall(text)
                except OSError:
                    pass
                held.append(s)
        with Client(self.daemon.tcp_endpoint) as c:
            c.hello()
            self.accepted(c.push(sig(code=self.code)), 1)
        for s in held:
            s.close()
        self.c.hello()
        self.assertLess(self.daemon.rss_kib(), 2 << 20)

    def test_clients_that_come_and_go(self):
        for _ in range(200):
            with self.daemon.client() as c:
                c.send("signals", {"batch": [sig(code=self.code)]})
                c.send("subscribe", {"credit": 10})
        self.c.hello()

    def test_message_over_max_bytes(self):
        limit = self.c.hello()["max_bytes"]
        body = {"rid": 1, "batch": [sig(code=self.code, id="over-bytes")], "pad": ""}
        body["pad"] = "x" * (limit + 1 - len(pack(body)))
        while len(pack(body)) <= limit:
            body["pad"] += "x"
        self.c.raw(b"signals", pack(body))
        verb, reply = self.c.receive()
        self.assertEqual((verb, reply["code"]), ("error", "too_large"))
        self.accepted(self.c.push(sig(code=self.code, id="over-bytes")), 1)

    def test_message_far_over_max_bytes(self):
        with self.daemon.client() as c:
            c.raw(b"signals", bytes(80 << 20))
            try:
                self.assertEqual(c.receive(5)[0], "error")
            except AssertionError:
                pass  # an end of the connection is an answer too
        self.c.hello()


class Garbage(WireCase):
    def test_fresh_daemon_meets_garbage_first(self):
        with Daemon(rules=SCORE_ONLY) as d:
            d.start()
            with d.client() as c:
                c.raw(b"\x00", b"\x00")
                self.assertEqual(c.receive()[0], "error")
                c.push(sig(at=now_ms()))


if __name__ == "__main__":
    main()
