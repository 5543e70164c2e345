"""A file from one slixmpp client to another through the server's proxy (XEP-0065 §6).

XYLEM_TRANSFER_MIB says how big it is (32). Its hash is taken on both sides.
"""

import asyncio
import hashlib
import os
import time
from pathlib import Path

from slixmpp import ClientXMPP

import steps
from steps import JULIET, PASSWORD, ROMEO, step

SIZE = int(os.environ.get("XYLEM_TRANSFER_MIB", "32")) << 20
BLOCK = 256 << 10


class Client(ClientXMPP):
    def __init__(self, address):
        super().__init__(address, PASSWORD)
        self.ca_certs = Path(steps.CERTIFICATE)
        self.enable_direct_tls = False
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0065", {"auto_accept": True})
        self.started = asyncio.Event()
        self.hash = hashlib.sha256()
        self.received = 0
        self.closed = asyncio.Event()
        self.add_event_handler("session_start", lambda _: self.started.set())
        self.add_event_handler("socks5_data", self.on_data)
        self.add_event_handler("socks5_closed", lambda _: self.closed.set())

    async def log_in(self):
        self.connect(steps.HOST, steps.PORT)
        await self.started.wait()
        self.send_presence()

    def on_data(self, data):
        self.received += len(data)
        self.hash.update(data)


async def send(stream):
    """Random bytes, so that what is lost, doubled or out of place is noticed."""
    digest = hashlib.sha256()
    block = os.urandom(BLOCK)
    for number in range(SIZE // BLOCK):
        piece = number.to_bytes(8, "big") + block[8:]
        digest.update(piece)
        await stream.write(piece)
    stream.transport.write_eof()
    return digest


async def transfer(romeo, juliet, stream):
    begun = time.monotonic()
    sent = await send(stream)
    while juliet.received < SIZE:
        assert not juliet.closed.is_set(), f"closed after {juliet.received} bytes"
        await asyncio.sleep(0.01)
    took = time.monotonic() - begun
    assert juliet.received == SIZE, juliet.received
    assert juliet.hash.digest() == sent.digest(), "another file"
    print(f"{SIZE >> 20} MiB in {took:.2f} s, sha256 {sent.hexdigest()}", flush=True)


async def story():
    romeo, juliet = Client(f"{ROMEO}/orchard"), Client(f"{JULIET}/balcony")
    await step("log in", asyncio.gather(romeo.log_in(), juliet.log_in()))
    proxies = await step("find the proxy", romeo.plugin["xep_0065"].discover_proxies())
    assert f"proxy.{romeo.boundjid.domain}" in proxies, proxies
    # Looks at each: over the proxy, activated, since there is no other way between the two.
    stream = await step("negotiate and activate", romeo.plugin["xep_0065"].handshake(juliet.boundjid))
    assert stream, "no stream"
    steps.STEP = max(steps.STEP, SIZE >> 22)
    await step("transfer", transfer(romeo, juliet, stream))
    stream.transport.close()
    await step("end", asyncio.gather(romeo.disconnect(), juliet.disconnect()))


steps.play(story)
