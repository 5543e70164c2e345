"""Two slixmpp clients: login, roster, presence, chat, offline, blocking, password."""

import asyncio
from pathlib import Path

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError

import steps
from steps import JULIET, NEW_PASSWORD, PASSWORD, ROMEO, step


class Client(ClientXMPP):
    def __init__(self, address, password, mechanism=None):
        config = {"feature_mechanisms": {"use_mech": mechanism}} if mechanism else {}
        super().__init__(address, password, plugin_config=config)
        self.ca_certs = Path(steps.CERTIFICATE)
        self.enable_direct_tls = False
        self.auto_authorize = None  # the story answers requests itself
        self.auto_subscribe = False
        for plugin in ("xep_0030", "xep_0077", "xep_0191", "xep_0199", "xep_0203"):
            self.register_plugin(plugin)
        self.plugin["xep_0077"].create_account = False
        self.inbox = asyncio.Queue()
        self.presences = asyncio.Queue()
        self.requests = asyncio.Queue()
        self.errors = asyncio.Queue()
        self.started = asyncio.Event()
        self.refused = asyncio.Event()
        self.add_event_handler("session_start", lambda _: self.started.set())
        self.add_event_handler("failed_all_auth", lambda _: self.refused.set())
        self.add_event_handler("message", self.on_message)
        self.add_event_handler("message_error", self.errors.put_nowait)
        self.add_event_handler("presence_subscribe", self.requests.put_nowait)
        self.add_event_handler("presence_available", self.on_presence)
        self.add_event_handler("presence_unavailable", self.on_presence)

    def on_message(self, message):
        if message["body"] and message["type"] != "error":
            self.inbox.put_nowait(message)

    def on_presence(self, presence):
        if presence["from"].bare != self.boundjid.bare:
            self.presences.put_nowait(presence)

    async def log_in(self):
        self.connect(steps.HOST, steps.PORT)
        await self.started.wait()
        mechanism = self.plugin["feature_mechanisms"].mech.name
        assert mechanism.startswith("SCRAM-"), mechanism
        assert self.transport.get_extra_info("ssl_object"), "not inside TLS"

    async def come_online(self):
        await self.log_in()
        await self.get_roster()
        self.send_presence()

    async def presence_of(self, address, kind):
        while True:
            presence = await self.presences.get()
            if presence["from"].bare == address and presence["type"] == kind:
                return presence

    async def body(self, expected, sender):
        message = await self.inbox.get()
        assert message["body"] == expected, message
        assert message["from"].bare == sender, message
        return message

    async def leave(self):
        await self.disconnect()


async def subscribe(asker, answerer):
    asker.send_presence_subscription(pto=answerer.boundjid.bare)
    request = await answerer.requests.get()
    assert request["from"].bare == asker.boundjid.bare, request
    answerer.send_presence_subscription(pto=request["from"].bare, ptype="subscribed")


async def subscription(client, address, state):
    while client.client_roster[address]["subscription"] != state:
        await asyncio.sleep(0.02)


async def offline(romeo, juliet):
    await juliet.leave()
    await romeo.presence_of(JULIET, "unavailable")
    romeo.send_message(mto=JULIET, mbody="Are you asleep?", mtype="chat")
    await romeo.plugin["xep_0199"].ping(romeo.boundjid.domain)
    juliet = Client(f"{JULIET}/again", PASSWORD)
    await juliet.come_online()
    message = await juliet.body("Are you asleep?", ROMEO)
    assert message["delay"]["stamp"], message
    await romeo.presence_of(JULIET, "available")
    return juliet


async def block(romeo, juliet):
    assert await juliet.plugin["xep_0191"].get_blocked_jids() == set()
    await juliet.plugin["xep_0191"].block(ROMEO)
    assert await juliet.plugin["xep_0191"].get_blocked_jids() == {ROMEO}
    await romeo.presence_of(JULIET, "unavailable")
    romeo.send_message(mto=JULIET, mbody="Hear me!", mtype="chat")
    error = await romeo.errors.get()
    assert error["error"]["condition"] == "service-unavailable", error
    await juliet.plugin["xep_0191"].unblock(ROMEO)
    await romeo.presence_of(JULIET, "available")
    romeo.send_message(mto=JULIET, mbody="At last", mtype="chat")
    await juliet.body("At last", ROMEO)


async def change_password(juliet):
    await juliet.plugin["xep_0077"].change_password(
        NEW_PASSWORD, jid=juliet.boundjid.domain, ifrom=juliet.boundjid
    )
    renewed = Client(f"{JULIET}/renewed", NEW_PASSWORD)
    await renewed.come_online()
    await renewed.leave()
    old = Client(f"{JULIET}/old", PASSWORD, mechanism="SCRAM-SHA-1")
    old.connect(steps.HOST, steps.PORT)
    await old.refused.wait()
    old.abort()


async def story():
    romeo = Client(f"{ROMEO}/orchard", PASSWORD)
    juliet = Client(f"{JULIET}/balcony", PASSWORD)
    await step("log in over TLS with SCRAM", asyncio.gather(romeo.come_online(), juliet.come_online()))
    await step("add to the roster", romeo.update_roster(JULIET, name="Juliet", groups=["Lovers"]))
    await step("subscribe", subscribe(romeo, juliet))
    await step("subscribe back", subscribe(juliet, romeo))
    await step("roster of the one", subscription(romeo, JULIET, "both"))
    await step("roster of the other", subscription(juliet, ROMEO, "both"))
    assert romeo.client_roster[JULIET]["name"] == "Juliet"
    await step("see presence", romeo.presence_of(JULIET, "available"))
    await step("see presence back", juliet.presence_of(ROMEO, "available"))
    romeo.send_message(mto=JULIET, mbody="She speaks!", mtype="chat")
    await step("chat", juliet.body("She speaks!", ROMEO))
    juliet.send_message(mto=romeo.boundjid.full, mbody="Ay me & <you>", mtype="chat")
    await step("chat back", romeo.body("Ay me & <you>", JULIET))
    juliet = await step("offline message", offline(romeo, juliet))
    await step("block and unblock", block(romeo, juliet))
    await step("change the password", change_password(juliet))
    try:
        await juliet.plugin["xep_0030"].get_info(jid=romeo.boundjid.domain, node="no-such-node")
        raise AssertionError("a node that is not there was found")
    except IqError as error:
        assert error.condition == "item-not-found", error
    await romeo.leave()
    await juliet.leave()


steps.play(story)
