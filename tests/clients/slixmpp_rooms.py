"""Two slixmpp clients in a room: enter, configure, talk, administrate, leave (XEP-0045)."""

import asyncio
from pathlib import Path

from slixmpp import JID, ClientXMPP
from slixmpp.exceptions import IqError, PresenceError

import steps
from steps import JULIET, PASSWORD, ROMEO, step

SERVICE = JID("conference." + JID(ROMEO).domain)
ROOM = JID(f"garden-{JID(ROMEO).node}@{SERVICE}")


class Client(ClientXMPP):
    def __init__(self, address):
        super().__init__(address, PASSWORD)
        self.ca_certs = Path(steps.CERTIFICATE)
        self.enable_direct_tls = False
        for plugin in ("xep_0030", "xep_0045", "xep_0199", "xep_0203", "xep_0249", "xep_0421"):
            self.register_plugin(plugin)
        self.muc = self.plugin["xep_0045"]
        self.said = asyncio.Queue()
        self.private = asyncio.Queue()
        self.invitations = asyncio.Queue()
        self.subjects = asyncio.Queue()
        self.presences = asyncio.Queue()
        self.started = asyncio.Event()
        self.add_event_handler("session_start", lambda _: self.started.set())
        self.add_event_handler("groupchat_message", self.said.put_nowait)
        self.add_event_handler("groupchat_subject", self.subjects.put_nowait)
        self.add_event_handler("groupchat_presence", self.presences.put_nowait)
        self.add_event_handler("groupchat_invite", self.invitations.put_nowait)
        self.add_event_handler("message", self.on_message)

    def on_message(self, message):
        if message["type"] == "chat" and message["body"]:
            self.private.put_nowait(message)

    async def come_online(self):
        self.connect(steps.HOST, steps.PORT)
        await self.started.wait()
        self.send_presence()

    async def hears(self, text, nick):
        while True:
            message = await self.said.get()
            if message["body"] == text:
                assert message["from"] == JID(f"{ROOM}/{nick}"), message
                return message

    async def sees(self, nick, **expected):
        """Waits for a presence of this occupant with these things in it."""
        while True:
            presence = await self.presences.get()
            if presence["from"].resource != nick:
                continue
            found = {
                "type": presence["type"],
                "role": presence["muc"]["role"],
                "affiliation": presence["muc"]["affiliation"],
                "codes": presence["muc"]["status_codes"],
            }
            if all(
                value <= found[name] if name == "codes" else found[name] == value
                for name, value in expected.items()
            ):
                return presence

    def say(self, text, to=ROOM, kind="groupchat"):
        self.send_message(mto=to, mbody=text, mtype=kind)


async def configure(romeo):
    form = await romeo.muc.get_room_config(ROOM)
    form["type"] = "submit"
    answers = form.get_values()
    assert "muc#roomconfig_roomname" in answers, answers
    form.set_values(
        answers
        | {
            "muc#roomconfig_roomname": "The garden",
            "muc#roomconfig_membersonly": True,
            "muc#roomconfig_whois": "anyone",
        }
    )
    await romeo.muc.set_room_config(ROOM, form)
    info = await romeo.plugin["xep_0030"].get_info(jid=ROOM)
    features = info["disco_info"]["features"]
    assert {"muc_membersonly", "muc_nonanonymous"} <= features, features
    names = {identity[3] for identity in info["disco_info"]["identities"]}
    assert "The garden" in names, names


async def discover(romeo):
    items = await romeo.plugin["xep_0030"].get_items(jid=SERVICE)
    assert str(ROOM) in {item[0] for item in items["disco_items"]["items"]}, items


async def refused(client):
    try:
        await client.muc.join_muc_wait(ROOM, "Juliet", timeout=10)
    except PresenceError as error:
        assert error.condition == "registration-required", error
    else:
        raise AssertionError("entered a members-only room")


async def invite(romeo, juliet):
    # The library tells nothing of invitations to rooms it has tried to enter.
    juliet.muc.rooms[None].pop(ROOM, None)
    romeo.muc.invite(ROOM, JULIET, "Come hither")
    invitation = await juliet.invitations.get()
    assert invitation["from"] == ROOM, invitation


async def enter(client, nick):
    return await client.muc.join_muc_wait(ROOM, nick, maxstanzas=10, timeout=10)


async def subject(romeo, juliet):
    romeo.muc.set_subject(ROOM, "Of roses")
    while (await juliet.subjects.get())["subject"] != "Of roses":
        pass


async def talk_in_private(romeo, juliet):
    romeo.say("Psst", to=JID(f"{ROOM}/Juliet"), kind="chat")
    message = await juliet.private.get()
    assert message["body"] == "Psst" and message["from"] == JID(f"{ROOM}/Romeo"), message


async def change_nick(romeo, juliet):
    assert await juliet.muc.set_self_nick(ROOM, "Capulet", timeout=10) == "Capulet"
    await romeo.sees("Juliet", type="unavailable", codes={303})


async def moderate(romeo, juliet):
    await romeo.muc.set_role(ROOM, "Capulet", "moderator")
    await juliet.sees("Capulet", role="moderator")
    assert "Capulet" in await romeo.muc.get_roles_list(ROOM, "moderator")
    try:
        await juliet.muc.set_affiliation(ROOM, "outcast", jid=ROMEO)
    except IqError as error:
        assert error.condition in ("not-allowed", "forbidden"), error
    else:
        raise AssertionError("a member banned the owner")


async def kick_and_return(romeo, juliet):
    await romeo.muc.set_role(ROOM, "Capulet", "none", reason="Hush")
    await juliet.sees("Capulet", type="unavailable", codes={110, 307})
    _, topic, _, history = await enter(juliet, "Juliet")
    assert "She speaks!" in [message["body"] for message in history], history
    assert topic["subject"] == "Of roses", topic


async def ban(romeo, juliet):
    await romeo.muc.set_affiliation(ROOM, "outcast", jid=JULIET, reason="Farewell")
    await juliet.sees("Juliet", type="unavailable", affiliation="outcast", codes={110, 301})
    assert JID(JULIET) in await romeo.muc.get_affiliation_list(ROOM, "outcast")
    try:
        await enter(juliet, "Juliet")
    except PresenceError as error:
        assert error.condition == "forbidden", error
    else:
        raise AssertionError("a banned user entered")
    await romeo.muc.set_affiliation(ROOM, "member", jid=JULIET)
    await enter(juliet, "Juliet")


async def destroy(romeo, juliet):
    await romeo.muc.destroy(ROOM, reason="Night falls")
    await juliet.sees("Juliet", type="unavailable", role="none")


async def story():
    romeo, juliet = Client(f"{ROMEO}/orchard"), Client(f"{JULIET}/balcony")
    await step("log in", asyncio.gather(romeo.come_online(), juliet.come_online()))
    presence, *_ = await step("create a room", enter(romeo, "Romeo"))
    assert 201 in presence["muc"]["status_codes"], presence
    await step("configure it", configure(romeo))
    await step("find it in the list", discover(romeo))
    await step("be refused as no member", refused(juliet))
    await step("be invited", invite(romeo, juliet))
    _, _, occupants, _ = await step("enter", enter(juliet, "Juliet"))
    assert {occupant["from"].resource for occupant in occupants} == {"Romeo", "Juliet"}, occupants
    await step("see her enter", romeo.sees("Juliet", role="participant", affiliation="member"))
    romeo.say("She speaks!")
    first = await step("talk", juliet.hears("She speaks!", "Romeo"))
    own = await step("hear oneself", romeo.hears("She speaks!", "Romeo"))
    assert own["occupant-id"]["id"] and own["occupant-id"]["id"] == first["occupant-id"]["id"], own
    await step("subject", subject(romeo, juliet))
    await step("talk in private", talk_in_private(romeo, juliet))
    await step("change the nickname", change_nick(romeo, juliet))
    await step("moderate", moderate(romeo, juliet))
    await step("kick, return, history", kick_and_return(romeo, juliet))
    await step("ban and pardon", ban(romeo, juliet))
    await step("destroy the room", destroy(romeo, juliet))
    await romeo.disconnect()
    await juliet.disconnect()


steps.play(story)
