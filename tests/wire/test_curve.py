#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who comes in: CURVE keys, the ZAP handler, routing ids; and what a reload takes away from those who are in."""
import os
import signal
import unittest

import zmq
from zmq.utils.monitor import recv_monitor_message

from harness import Client, Daemon, free_port, main, sig, uscc

REFUSED = (zmq.EVENT_HANDSHAKE_FAILED_AUTH, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL, zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
           zmq.EVENT_DISCONNECTED)


class KeyClient(Client):
    """A DEALER with options set before it connects; handshake() says how that went."""

    def __init__(self, endpoint, **options):
        super().__init__("inproc://nowhere-%d" % id(self))
        self.sock.close()
        self.sock = zmq.Context.instance().socket(zmq.DEALER)
        self.sock.setsockopt(zmq.LINGER, 0)
        for name, value in options.items():
            self.sock.setsockopt(getattr(zmq, name), value)
        self.monitor = self.sock.get_monitor_socket()
        self.sock.connect(endpoint)

    def handshake(self):
        while self.monitor.poll(self.patience * 1000):
            event = recv_monitor_message(self.monitor)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                return True
            if event in REFUSED:
                return False
        raise AssertionError("neither in nor refused")

    def close(self):
        self.sock.disable_monitor()
        self.monitor.close()
        self.sock.close()


class Curve(unittest.TestCase):
    def setUp(self):
        self.d = Daemon()
        self.addCleanup(self.d.close)
        self.public, secret = zmq.curve_keypair()
        self.keys = {name: zmq.curve_keypair() for name in ("tax", "pinghu", "stranger")}
        self.secret_file = os.path.join(self.d.dir, "server.key")
        with open(self.secret_file, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(secret.decode() + "\n")
        self.endpoint = "tcp://127.0.0.1:%d" % free_port()
        self.d.listen = ["{endpoint: \"%s\", curve: server.key}" % self.endpoint]
        self.d.extra = "principals: principals.yaml\n"
        self.write(tax="role: feeder, agencies: [tax]", pinghu="role: inspector, regions: [\"330482\"]")
        self.d.write_config()

    def write(self, **principals):
        with open(os.path.join(self.d.dir, "principals.yaml"), "w") as f:
            f.write("principals:\n")
            for name, rest in principals.items():
                f.write("  - {name: %s, key: \"%s\", %s}\n" % (name, self.keys[name][0].decode(), rest))

    def client(self, name, **options):
        public, secret = self.keys[name]
        c = KeyClient(self.endpoint, CURVE_SERVERKEY=self.public, CURVE_PUBLICKEY=public, CURVE_SECRETKEY=secret, **options)
        self.addCleanup(c.close)
        return c

    def reload(self):
        mark = self.d.log.mark()
        self.d.proc.send_signal(signal.SIGHUP)
        self.d.log.wait(r"^(<5>)?reloaded", mark)

    def test_the_key_says_who(self):
        self.d.start()
        for name in ("tax", "pinghu"):
            c = self.client(name)
            self.assertTrue(c.handshake())
            self.assertEqual(c.hello()["principal"], name)
        ack = self.client("tax").push(sig("tax.arrears", uscc(1)), sig("court.seizure", uscc(1)))
        self.assertEqual((ack["accepted"], ack["rejected"][0]["code"]), (1, "kind_not_allowed"))
        self.client("pinghu").error("denied", "signals", batch=[])

    def test_who_is_not_let_in(self):
        self.d.start()
        self.assertFalse(self.client("stranger").handshake())  # a key that nobody has
        for options in ({}, {"PLAIN_USERNAME": b"tax", "PLAIN_PASSWORD": b"x"}):
            c = KeyClient(self.endpoint, **options)
            self.addCleanup(c.close)
            self.assertFalse(c.handshake())
        wrong = KeyClient(self.endpoint, CURVE_SERVERKEY=self.keys["tax"][0], CURVE_PUBLICKEY=self.keys["tax"][0],
                          CURVE_SECRETKEY=self.keys["tax"][1])  # another server's key
        self.addCleanup(wrong.close)
        self.assertFalse(wrong.handshake())
        self.assertEqual(self.client("tax").hello()["principal"], "tax")  # and it goes on

    def test_revoked_while_connected(self):
        self.d.start()
        tax, pinghu = self.client("tax"), self.client("pinghu")
        tax.push(sig("tax.arrears", uscc(1)))
        sub = pinghu.subscribe(**{"from": -1, "credit": 10})
        self.write(pinghu="role: inspector, regions: [\"110101\"]")
        self.reload()
        tax.error("denied", "signals", batch=[sig("tax.arrears", uscc(2))])
        self.assertFalse(self.client("tax").handshake())
        pinghu.error("denied", "subscribe", regions=["330482"])
        self.assertEqual(pinghu.hello()["regions"], ["110101"])
        with self.d.client() as local:
            local.push(sig("court.enforcement", uscc(3), region="330482"), sig("court.seizure", uscc(3)),
                       sig("police.owner_missing", uscc(3)))
        last, head = pinghu.next(sub["session"])[1], sub["head"]
        while last["upto"] <= head:  # what was pushed has been examined, and not shown
            verb, last = pinghu.next(sub["session"])
            self.assertEqual(verb, "heartbeat")
        self.write(tax="role: feeder, agencies: [tax]")
        self.reload()
        verb, body = pinghu.receive()
        while verb == "heartbeat":
            verb, body = pinghu.receive()
        self.assertEqual((verb, body["code"], body["session"]), ("error", "denied", sub["session"]))
        self.assertEqual(tax.push(sig("tax.arrears", uscc(2)))["accepted"], 1)  # in again, on the same connection

    def test_routing_ids(self):
        self.d.start()
        for own in (b"tax-bureau", b"abcde", b"x"):  # chosen by the client: no identity
            c = self.client("tax", ROUTING_ID=own)
            c.send("hello", {"rid": 1})
            verb, body = c.receive()
            self.assertEqual((verb, body["code"]), ("error", "denied"))

    def test_keys_that_are_none(self):
        os.chmod(self.secret_file, 0o604)
        self.d.launch()
        self.assertEqual(self.d.ended(), 78)
        self.assertRegex(self.d.old_logs[-1], r"wagewarnd: .*server\.key: anybody may read")
        with open(self.secret_file, "w") as f:
            f.write("no key\n")
        os.chmod(self.secret_file, 0o600)
        self.d.launch()
        self.assertEqual(self.d.ended(), 78)
        self.assertRegex(self.d.old_logs[-1], r"wagewarnd: .*server\.key: no secret key")


if __name__ == "__main__":
    main()
