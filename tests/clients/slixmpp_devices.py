"""Two devices of one account and a friend, with slixmpp: carbons, a connection that breaks and is resumed, the archive."""

import asyncio
from pathlib import Path

from slixmpp import ClientXMPP

import steps
from steps import JULIET, PASSWORD, ROMEO, step


class Device(ClientXMPP):
    def __init__(self, address):
        super().__init__(address, PASSWORD)
        self.ca_certs = Path(steps.CERTIFICATE)
        self.enable_direct_tls = False
        for plugin in ("xep_0280", "xep_0297", "xep_0313"):
            self.register_plugin(plugin)
        self.register_plugin("xep_0198", {"window": 1})
        self.inbox, self.copies = asyncio.Queue(), asyncio.Queue()
        self.managed, self.resumed = asyncio.Event(), asyncio.Event()
        self.add_event_handler("sm_enabled", lambda _: self.managed.set())
        self.add_event_handler("session_resumed", lambda _: self.resumed.set())
        self.add_event_handler("message", self.on_message)
        self.add_event_handler("carbon_received", lambda m: self.copies.put_nowait(("in", m["carbon_received"])))
        self.add_event_handler("carbon_sent", lambda m: self.copies.put_nowait(("out", m["carbon_sent"])))

    def on_message(self, message):
        if message["body"]:
            self.inbox.put_nowait(message["body"])

    async def come_online(self):
        self.connect(steps.HOST, steps.PORT)
        await self.managed.wait()
        await self.get_roster()
        await self.plugin["xep_0280"].enable()
        self.send_presence()

    def say(self, to, text):
        self.send_message(mto=to, mbody=text, mtype="chat")

    async def copy(self, direction, text):
        got, message = await self.copies.get()
        assert (got, message["body"]) == (direction, text), (got, message)

    async def hear(self, *texts):
        for text in texts:
            heard = await self.inbox.get()
            assert heard == text, (heard, text)

    async def archived(self):
        bodies = []
        async for message in self.plugin["xep_0313"].iterate(rsm={"max": 2}):
            forwarded = message["mam_result"]["forwarded"]
            bodies.append(forwarded["stanza"]["body"])
            assert forwarded["delay"]["stamp"], message
        return bodies


async def story():
    phone, laptop, juliet = Device(f"{ROMEO}/phone"), Device(f"{ROMEO}/laptop"), Device(f"{JULIET}/balcony")
    for device in (phone, laptop, juliet):
        await step("come online", device.come_online())
    laptop.say(JULIET, "one")
    await step("talk", juliet.hear("one"))
    await step("copy of what was sent", phone.copy("out", "one"))
    juliet.say(laptop.boundjid.full, "two")
    await step("answer", laptop.hear("two"))
    await step("copy of what was received", phone.copy("in", "two"))
    phone.transport.abort()  # nobody says goodbye
    juliet.say(phone.boundjid.full, "three")
    juliet.say(phone.boundjid.full, "four")
    await step("copy of what waits", laptop.copy("in", "three"))
    phone.connect(steps.HOST, steps.PORT)
    await step("resume", phone.resumed.wait())
    await step("hear what waited", phone.hear("three", "four"))
    archived = await step("read the archive", phone.archived())
    assert archived == ["one", "two", "three", "four"], archived
    assert phone.inbox.empty() and phone.copies.empty(), "something came twice"
    for device in (phone, laptop, juliet):
        await device.disconnect()


steps.play(story)
