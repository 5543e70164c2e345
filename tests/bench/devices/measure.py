#!/usr/bin/env python3
"""Server CPU for a page of the archive and for a session that is resumed, and memory of sessions that wait.

usage: measure.py PID [--host 127.0.0.1] [--port 17222] [--users u] [--password secret]

Against a running server with the accounts u0 ... u1999 of domain localhost. Only what /proc says of PID is counted.
"""

import argparse
import base64
import hashlib
import hmac
import os
import re
import resource
import socket
import ssl
import struct
import time

HEADER = b"<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
TICKS = os.sysconf("SC_CLK_TCK")
SALTED = {}


class Client:
    def __init__(self, args, user, session=None):
        self.buffer = b""
        raw = socket.create_connection((args.host, args.port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = raw
        self.open()
        self.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        self.until(b"<proceed")
        self.socket = args.tls.wrap_socket(raw, server_hostname="localhost", session=session)
        self.open()
        self.login(user, args.password)
        self.open()

    def open(self):
        self.buffer = b""
        self.socket.sendall(HEADER)
        self.until(b"</stream:features>")

    def send(self, text):
        self.socket.sendall(text.encode())

    def until(self, end):
        """What comes up to and including the tag that begins with `end`."""
        searched = 0
        while True:
            at = self.buffer.find(end, max(0, searched - len(end)))
            if at >= 0:
                close = self.buffer.find(b">", at)
                if close >= 0:
                    found, self.buffer = self.buffer[: close + 1], self.buffer[close + 1 :]
                    return found
            else:
                searched = len(self.buffer)
            more = self.socket.recv(1 << 18)
            if not more:
                raise ConnectionError(self.buffer)
            self.buffer += more

    def login(self, user, password):
        nonce = base64.b64encode(os.urandom(12)).decode()
        bare = f"n={user},r={nonce}"
        first = base64.b64encode(("n,," + bare).encode()).decode()
        self.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>{first}</auth>")
        challenge = re.search(rb">([^<]+)</challenge>", self.until(b"</challenge")).group(1)
        server = base64.b64decode(challenge).decode()
        parts = dict(part.split("=", 1) for part in server.split(","))
        salt = base64.b64decode(parts["s"])
        if (user, salt) not in SALTED:
            SALTED[user, salt] = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, int(parts["i"]))
        key = hmac.digest(SALTED[user, salt], b"Client Key", "sha1")
        final = f"c=biws,r={parts['r']}"
        signed = ",".join([bare, server, final]).encode()
        signature = hmac.digest(hashlib.sha1(key).digest(), signed, "sha1")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
        response = base64.b64encode(f"{final},p={proof}".encode()).decode()
        self.send(f"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{response}</response>")
        self.until(b"<success")
        self.until(b"</success")

    def bind(self, resource_name):
        self.send(f"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource_name}</resource></bind></iq>")
        self.until(b"</iq")

    def enable(self):
        self.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        return re.search(rb" id='([^']+)'", self.until(b"<enabled ")).group(1).decode()

    def cut(self):
        """The connection is lost, without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def cpu(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def pages(args, count):
    writer, reader = Client(args, args.users + "0"), Client(args, args.users + "1")
    writer.bind("w")
    reader.bind("r")
    for number in range(400):
        writer.send(f"<message to='{args.users}1@localhost' type='chat' id='{number}'><body>{'x' * 100}</body></message>")
    writer.send("<iq type='get' id='s'><ping xmlns='urn:xmpp:ping'/></iq>")
    writer.until(b"id='s'")
    time.sleep(0.5)
    found = {}
    for name, form, page in [
        ("last page", "", "<before/>"),
        ("last page of a contact", f"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field><field var='with'><value>{args.users}0@localhost</value></field></x>", "<before/>"),
        ("first page", "", ""),
    ]:
        def ask(number):
            reader.send(f"<iq type='set' id='p{number}'><query xmlns='urn:xmpp:mam:2'>{form}<set xmlns='http://jabber.org/protocol/rsm'><max>50</max>{page}</set></query></iq>")
            return reader.until(b"</fin>").count(b"<forwarded")
        assert ask(0) == 50
        begin = cpu(args.pid)
        for number in range(count):
            ask(number)
        found[name] = (cpu(args.pid) - begin) / count * 1e6
    for name, cost in found.items():
        print(f"archive, {name} of 50: {cost:.0f} us")


def resumptions(args, count):
    user = args.users + "2"
    for name, ticket in [("whole TLS handshake", False), ("TLS resumed", True)]:
        client = Client(args, user)
        client.bind("d")
        previous = client.enable()
        session = client.socket.session
        plain = resumed = 0
        for number in range(2 * count):
            client.cut()
            if number == count:
                plain = cpu(args.pid)
            elif number == 0:
                begin = cpu(args.pid)
            client = Client(args, user, session if ticket else None)
            session = client.socket.session or session
            client.send(f"<resume xmlns='urn:xmpp:sm:3' previd='{previous}' h='0'/>")
            client.until(b"<resumed ")
        resumed = cpu(args.pid)
        client.cut()
        print(f"session resumed, connection, {name} and SCRAM included: {(resumed - begin) / (2 * count) * 1e6:.0f} us")
        # The same way up to the features, without a session.
        begin = cpu(args.pid)
        for _ in range(count):
            client = Client(args, user, session if ticket else None)
            session = client.socket.session or session
            client.cut()
        print(f"  of which up to there: {(cpu(args.pid) - begin) / count * 1e6:.0f} us")


def hibernated(args, count):
    sizes = []
    for batch in range(0, count, 250):
        clients = []
        for number in range(batch, batch + 250):
            client = Client(args, f"{args.users}{number}")
            client.bind("h")
            client.enable()
            client.send("<presence/>")
            clients.append(client)
        time.sleep(1)
        for client in clients:
            client.cut()
        time.sleep(2)
        sizes.append((batch + 250, rss(args.pid)))
    half = len(sizes) // 2
    (first, small), (last, big) = sizes[half - 1], sizes[-1]
    print(f"hibernated session: {(big - small) / (last - first):.1f} KiB (from {first} to {last}; RSS {small} to {big} KiB)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pid", type=int)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=17222)
    parser.add_argument("--users", default="u")
    parser.add_argument("--password", default="secret")
    args = parser.parse_args()
    args.tls = ssl.create_default_context()
    args.tls.check_hostname = False
    args.tls.verify_mode = ssl.CERT_NONE
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    pages(args, 1000)
    resumptions(args, 200)
    hibernated(args, 2000)


main()
