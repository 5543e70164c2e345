"""Two aioxmpp clients in a room: enter, configure, talk, administrate, leave (XEP-0045)."""

import asyncio

import aioxmpp
import aioxmpp.connector
import aioxmpp.muc

import steps
from steps import JULIET, PASSWORD, ROMEO, step

ROOM = aioxmpp.JID.fromstr(ROMEO).replace(domain="conference." + aioxmpp.JID.fromstr(ROMEO).domain)


def security():
    """TLS with the test's certificate as the only root."""

    def context():
        made = aioxmpp.security_layer.default_ssl_context()
        made.load_verify_locations(steps.CERTIFICATE)
        return made

    async def password(jid, attempt):
        return PASSWORD if attempt == 0 else None

    return aioxmpp.security_layer.make(password, ssl_context_factory=context)


class Client:
    def __init__(self, address):
        self.client = aioxmpp.PresenceManagedClient(
            aioxmpp.JID.fromstr(address),
            security(),
            override_peer=[(steps.HOST, steps.PORT, aioxmpp.connector.STARTTLSConnector())],
            max_initial_attempts=1,
        )
        self.muc = self.client.summon(aioxmpp.MUCClient)
        self.disco = self.client.summon(aioxmpp.DiscoClient)
        self.events = asyncio.Queue()
        self.room = None
        self.managed = None

    async def come_online(self):
        self.managed = self.client.connected(presence=aioxmpp.PresenceState(True))
        await self.managed.__aenter__()

    async def leave(self):
        await self.managed.__aexit__(None, None, None)

    async def enter(self, nick, **options):
        self.room, entered = self.muc.join(ROOM, nick, autorejoin=False, **options)
        room, put = self.room, self.events.put_nowait
        listen = {
            room.on_message: lambda message, member, source, **_: put(
                ("said", member.nick if member else None, message.body.any() if message.body else None)
            ),
            room.on_join: lambda member, **_: put(("entered", member.nick)),
            room.on_leave: lambda member, muc_leave_mode=None, **_: put(("left", member.nick, muc_leave_mode)),
            room.on_exit: lambda muc_leave_mode=None, **_: put(("out", muc_leave_mode)),
            room.on_nick_changed: lambda member, old, new, **_: put(("renamed", old, new)),
            room.on_topic_changed: lambda member, topic, **_: put(("topic", topic.any())),
            room.on_muc_role_changed: lambda stanza, member, **_: put(("role", member.nick, member.role)),
        }
        for signal, listener in listen.items():
            signal.connect(listener)
        await entered

    async def say(self, text):
        message = aioxmpp.Message(type_=aioxmpp.MessageType.GROUPCHAT, to=ROOM)
        message.body[None] = text
        await self.room.send_message(message)

    async def event(self, *expected):
        """Waits for an event; others are passed over."""
        while (found := await self.events.get()) != expected:
            print(f"  passed over: {found}")


async def configure(romeo):
    form = await romeo.muc.get_room_config(ROOM)
    names = {field.var for field in form.fields}
    assert {"muc#roomconfig_moderatedroom", "muc#roomconfig_roomsecret"} <= names, names
    for field in form.fields:
        if field.var == "muc#roomconfig_moderatedroom":
            field.values[:] = ["1"]
    form.type_ = aioxmpp.forms.DataType.SUBMIT
    await romeo.muc.set_room_config(ROOM, form)
    info = await romeo.disco.query_info(ROOM, require_fresh=True)
    assert "muc_moderated" in info.features, info.features


async def voice(romeo, juliet):
    assert juliet.room.me.role == "visitor", juliet.room.me
    await romeo.room.muc_set_role("Juliet", "participant")
    await juliet.event("role", "Juliet", "participant")


async def administrate(romeo, juliet):
    await romeo.room.muc_set_affiliation(aioxmpp.JID.fromstr(JULIET), "admin")
    await juliet.event("role", "Capulet", "moderator")
    admins = await romeo.muc.get_affiliated(ROOM, "admin") if hasattr(romeo.muc, "get_affiliated") else None
    print(f"  admins: {admins}")


async def kick(romeo, juliet):
    await romeo.room.muc_set_affiliation(aioxmpp.JID.fromstr(JULIET), "none")
    capulet = next(member for member in romeo.room.members if member.nick == "Capulet")
    await romeo.room.kick(capulet, reason="Hush")
    await juliet.event("out", aioxmpp.muc.LeaveMode.KICKED)
    await romeo.event("left", "Capulet", aioxmpp.muc.LeaveMode.KICKED)


async def ban(romeo, juliet):
    await juliet.enter("Juliet")
    await romeo.event("entered", "Juliet")
    member = next(member for member in romeo.room.members if member.nick == "Juliet")
    await romeo.room.ban(member)
    await juliet.event("out", aioxmpp.muc.LeaveMode.BANNED)
    try:
        await juliet.enter("Juliet")
    except aioxmpp.errors.XMPPAuthError as error:
        assert error.condition == aioxmpp.ErrorCondition.FORBIDDEN, error
    else:
        raise AssertionError("a banned user entered")


async def story():
    romeo, juliet = Client(f"{ROMEO}/orchard"), Client(f"{JULIET}/balcony")
    await step("log in", asyncio.gather(romeo.come_online(), juliet.come_online()))
    await step("create a room", romeo.enter("Romeo"))
    await step("configure it", configure(romeo))
    await step("enter", juliet.enter("Juliet"))
    await step("see her enter", romeo.event("entered", "Juliet"))
    await step("give voice", voice(romeo, juliet))
    await romeo.say("She speaks!")
    await step("talk", juliet.event("said", "Romeo", "She speaks!"))
    await juliet.say("Ay me & <you>")
    await step("talk back", romeo.event("said", "Juliet", "Ay me & <you>"))
    await romeo.room.set_topic({None: "Of roses"})
    await step("subject", juliet.event("topic", "Of roses"))
    await juliet.room.set_nick("Capulet")
    await step("change the nickname", romeo.event("renamed", "Juliet", "Capulet"))
    await step("administrate", administrate(romeo, juliet))
    await step("kick", kick(romeo, juliet))
    await step("ban", ban(romeo, juliet))
    await step("leave", romeo.room.leave())
    await juliet.leave()
    await romeo.leave()


steps.play(story)
