"""Two aioxmpp clients: login, roster, presence, chat, offline, blocking, password."""

import asyncio

import aioxmpp
import aioxmpp.connector
import aioxmpp.dispatcher
import aioxmpp.ibr
import aioxmpp.ping
import aiosasl

import steps
from steps import JULIET, NEW_PASSWORD, PASSWORD, ROMEO, step

DELAY = "{urn:xmpp:delay}delay"


def security(password):
    """TLS with the test's certificate as the only root, and SCRAM as the only mechanism."""

    def context():
        made = aioxmpp.security_layer.default_ssl_context()
        made.load_verify_locations(steps.CERTIFICATE)
        return made

    async def ask(jid, attempt):
        return password if attempt == 0 else None

    class ScramOnly(aioxmpp.security_layer.PasswordSASLProvider):
        def _find_supported(self, features, mechanism_classes):
            return super()._find_supported(features, [aiosasl.SCRAM])

    return aioxmpp.security_layer.make(ask, ssl_context_factory=context)._replace(
        sasl_providers=[ScramOnly(ask)]
    )


class Client:
    def __init__(self, address, password):
        self.client = aioxmpp.PresenceManagedClient(
            aioxmpp.JID.fromstr(address),
            security(password),
            override_peer=[(steps.HOST, steps.PORT, aioxmpp.connector.STARTTLSConnector())],
            max_initial_attempts=1,
        )
        self.bare = self.client.local_jid.bare()
        self.inbox = asyncio.Queue()
        self.errors = asyncio.Queue()
        self.requests = asyncio.Queue()
        self.presences = asyncio.Queue()
        self.roster = self.client.summon(aioxmpp.RosterClient)
        self.blocking = self.client.summon(aioxmpp.BlockingClient)
        self.registration = self.client.summon(aioxmpp.ibr.RegistrationService)
        self.client.summon(aioxmpp.DiscoServer)
        self.roster.on_subscribe.connect(self.on_subscribe)
        messages = self.client.summon(aioxmpp.dispatcher.SimpleMessageDispatcher)
        for kind in (aioxmpp.MessageType.CHAT, aioxmpp.MessageType.NORMAL):
            messages.register_callback(kind, None, self.inbox.put_nowait)
        messages.register_callback(aioxmpp.MessageType.ERROR, None, self.errors.put_nowait)
        watch = self.client.summon(aioxmpp.PresenceClient)
        watch.on_available.connect(self.on_available)
        watch.on_unavailable.connect(self.on_unavailable)
        self.managed = None

    def on_subscribe(self, stanza):
        self.requests.put_nowait(stanza)

    def on_available(self, jid, stanza):
        self.presences.put_nowait((jid.bare(), True))

    def on_unavailable(self, jid, stanza):
        self.presences.put_nowait((jid.bare(), False))

    async def come_online(self):
        self.managed = self.client.connected(presence=aioxmpp.PresenceState(True))
        await self.managed.__aenter__()

    async def leave(self):
        await self.managed.__aexit__(None, None, None)

    async def presence_of(self, other, available):
        while await self.presences.get() != (other, available):
            pass

    async def say(self, to, text):
        message = aioxmpp.Message(type_=aioxmpp.MessageType.CHAT, to=to)
        message.body[None] = text
        await self.client.send(message)

    async def body(self, expected, sender):
        message = await self.inbox.get()
        assert message.body.any() == expected, message.body
        assert message.from_.bare() == sender, message.from_
        return message


async def subscribe(asker, answerer):
    asker.roster.subscribe(answerer.bare)
    request = await answerer.requests.get()
    assert request.from_ == asker.bare, request
    answerer.roster.approve(request.from_)


async def subscription(one, other, state):
    while one.roster.items.get(other) is None or one.roster.items[other].subscription != state:
        await asyncio.sleep(0.02)


async def offline(romeo, juliet):
    await juliet.leave()
    await romeo.presence_of(juliet.bare, False)
    await romeo.say(juliet.bare, "Are you asleep?")
    await aioxmpp.ping.ping(romeo.client, romeo.client.local_jid.replace(localpart=None, resource=None))
    juliet = Client(f"{JULIET}/again", PASSWORD)
    await juliet.come_online()
    message = await juliet.body("Are you asleep?", romeo.bare)
    assert message.xep0203_delay, "no delay stamp"
    await romeo.presence_of(juliet.bare, True)
    return juliet


async def block(romeo, juliet):
    await juliet.blocking.block_jids([romeo.bare])
    while romeo.bare not in juliet.blocking.blocklist:
        await asyncio.sleep(0.02)  # the push
    await romeo.presence_of(juliet.bare, False)
    await romeo.say(juliet.bare, "Hear me!")
    error = await romeo.errors.get()
    assert error.error.condition == aioxmpp.ErrorCondition.SERVICE_UNAVAILABLE, error.error
    await juliet.blocking.unblock_jids([romeo.bare])
    await romeo.presence_of(juliet.bare, True)
    await romeo.say(juliet.bare, "At last")
    await juliet.body("At last", romeo.bare)


async def change_password(juliet):
    await juliet.registration.change_pass(NEW_PASSWORD)
    renewed = Client(f"{JULIET}/renewed", NEW_PASSWORD)
    await renewed.come_online()
    await renewed.leave()
    try:
        await Client(f"{JULIET}/old", PASSWORD).come_online()
    except (aiosasl.AuthenticationFailure, aioxmpp.errors.MultiOSError) as error:
        print(f"the old one is refused: {type(error).__name__}")
    else:
        raise AssertionError("the old password still holds")


async def story():
    romeo = Client(f"{ROMEO}/orchard", PASSWORD)
    juliet = Client(f"{JULIET}/balcony", PASSWORD)
    await step("log in over TLS with SCRAM", asyncio.gather(romeo.come_online(), juliet.come_online()))
    await step(
        "add to the roster",
        romeo.roster.set_entry(juliet.bare, name="Juliet", add_to_groups={"Lovers"}),
    )
    await step("subscribe", subscribe(romeo, juliet))
    await step("subscribe back", subscribe(juliet, romeo))
    await step("roster of the one", subscription(romeo, juliet.bare, "both"))
    await step("roster of the other", subscription(juliet, romeo.bare, "both"))
    assert romeo.roster.items[juliet.bare].name == "Juliet"
    await step("see presence", romeo.presence_of(juliet.bare, True))
    await step("see presence back", juliet.presence_of(romeo.bare, True))
    await romeo.say(juliet.bare, "She speaks!")
    await step("chat", juliet.body("She speaks!", romeo.bare))
    await juliet.say(romeo.client.local_jid, "Ay me & <you>")
    await step("chat back", romeo.body("Ay me & <you>", juliet.bare))
    juliet = await step("offline message", offline(romeo, juliet))
    await step("block and unblock", block(romeo, juliet))
    await step("change the password", change_password(juliet))
    await juliet.leave()
    await romeo.leave()


steps.play(story)
