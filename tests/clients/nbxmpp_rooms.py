"""Two clients of nbxmpp, the library of Gajim, in a room: enter, configure, talk, administrate.

It speaks through GLib's main loop, so a step is a condition for which that loop is run.
"""

import sys
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402
from nbxmpp.client import Client as Connection  # noqa: E402
from nbxmpp.const import ConnectionProtocol, ConnectionType  # noqa: E402
from nbxmpp.protocol import JID, Message, Presence  # noqa: E402
from nbxmpp.structs import StanzaHandler  # noqa: E402

import steps  # noqa: E402
from steps import JULIET, PASSWORD, ROMEO  # noqa: E402

ROOM = JID.from_string(ROMEO.replace("@", "@conference."))


def until(name, condition):
    """Runs the loop until the condition gives something true, and gives that."""
    context, deadline = GLib.MainContext.default(), time.monotonic() + steps.STEP
    GLib.timeout_add(50, lambda: True)  # so that no iteration waits for ever
    while not (found := condition()):
        if time.monotonic() > deadline:
            sys.exit(f"failed: {name}: nothing in {steps.STEP} s")
        context.iteration(True)
    print(f"done: {name}", flush=True)
    return found


class Client:
    def __init__(self, address):
        local, domain = address.split("@")
        self.logged_in = False
        self.messages, self.presences = [], []
        self.connection = Connection()
        self.connection.set_domain(domain)
        self.connection.set_username(local)
        self.connection.set_password(PASSWORD)
        self.connection.set_resource("gajim")
        self.connection.set_custom_host(
            f"{steps.HOST}:{steps.PORT}", ConnectionProtocol.TCP, ConnectionType.START_TLS
        )
        self.connection.set_accepted_certificates(Gio.TlsCertificate.list_new_from_file(steps.CERTIFICATE))
        self.connection.subscribe("connected", self.on_login)
        for name, into in (("message", self.messages), ("presence", self.presences)):
            self.connection.register_handler(
                StanzaHandler(
                    name=name,
                    priority=60,
                    callback=lambda _client, _stanza, properties, into=into: into.append(properties),
                )
            )
        self.muc = self.connection.get_module("MUC")

    def on_login(self, _connection, _signal):
        self.logged_in = True
        self.connection.send_stanza(Presence())

    def come_online(self):
        self.connection.connect()

    def enter(self, nick):
        presence = Presence(to=f"{ROOM}/{nick}")
        presence.setTag("x", namespace="http://jabber.org/protocol/muc")
        self.connection.send_stanza(presence)

    def say(self, text):
        self.connection.send_stanza(Message(to=ROOM, typ="groupchat", body=text))

    def heard(self, text, nick):
        return lambda: next((m for m in self.messages if m.body == text and m.muc_nickname == nick), None)

    def saw(self, nick, *codes):
        """The latest presence of an occupant, if it has these status codes."""

        def look():
            of_nick = [p for p in self.presences if p.muc_nickname == nick]
            found = of_nick[-1] if of_nick else None
            told = {code.value for code in (found.muc_status_codes or ())} if found else set()
            return found if found and set(codes) <= told else None

        return look

    def saw_role(self, nick, role):
        """The latest presence of an occupant, if it says this role."""

        def look():
            found = self.saw(nick)()
            return found if found and found.muc_user and found.muc_user.role.value == role else None

        return look

    def ask(self, task):
        """Runs a request to its end; an error answer is raised."""
        answer = []
        task.add_done_callback(lambda done: answer.append(done.get_result()), weak=False)
        until("get an answer", lambda: answer)
        if isinstance(answer[0], Exception):
            raise answer[0]
        return answer[0]


def configure(romeo):
    form = romeo.ask(romeo.muc.request_config(ROOM)).form
    form["muc#roomconfig_roomname"].value = "The garden"
    form["muc#roomconfig_persistentroom"].value = True
    form.type_ = "submit"
    romeo.ask(romeo.muc.set_config(ROOM, form))
    info = romeo.ask(romeo.connection.get_module("Discovery").disco_info(ROOM))
    assert info.muc_name == "The garden", info
    assert info.muc_is_persistent, info.features


def administrate(romeo, juliet):
    romeo.ask(romeo.muc.set_role(ROOM, "Juliet", "moderator"))
    until("be made moderator", juliet.saw_role("Juliet", "moderator"))
    romeo.ask(romeo.muc.set_affiliation(ROOM, {JID.from_string(JULIET): {"affiliation": "outcast"}}))
    until("be banned", juliet.saw("Juliet", "301"))
    banned = romeo.ask(romeo.muc.get_affiliation(ROOM, "outcast"))
    assert JID.from_string(JULIET) in banned.users, banned
    romeo.ask(romeo.muc.set_affiliation(ROOM, {JID.from_string(JULIET): {"affiliation": "member"}}))


def story():
    romeo, juliet = Client(ROMEO), Client(JULIET)
    romeo.come_online()
    juliet.come_online()
    until("log in", lambda: romeo.logged_in and juliet.logged_in)
    romeo.enter("Romeo")
    until("create a room", romeo.saw("Romeo", "110", "201"))
    configure(romeo)
    juliet.enter("Juliet")
    until("enter", juliet.saw("Juliet", "110"))
    until("see her enter", romeo.saw("Juliet"))
    romeo.say("She speaks!")
    message = until("talk", juliet.heard("She speaks!", "Romeo"))
    assert message.from_muc and message.occupant_id, message
    assert any(str(stanza_id.by) == str(ROOM) for stanza_id in message.stanza_ids), message.stanza_ids
    romeo.muc.set_subject(ROOM, "Of roses")
    until("subject", lambda: any(m.muc_subject and m.muc_subject.text == "Of roses" for m in juliet.messages))
    administrate(romeo, juliet)
    juliet.enter("Rosaline")
    until("return", juliet.saw("Rosaline", "110"))
    romeo.ask(romeo.muc.destroy(ROOM, reason="Night falls"))
    until("see the room destroyed", lambda: any(p.muc_destroyed for p in juliet.presences))
    romeo.connection.disconnect()
    juliet.connection.disconnect()


story()
print("all steps done", flush=True)
