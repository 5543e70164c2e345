"""Two devices of one account and a friend, with nbxmpp, the library of Gajim: carbons, stream management, the archive.

It speaks through GLib's main loop, so a step is a condition for which that loop is run.
"""

import sys
import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402
from nbxmpp.client import Client as Connection  # noqa: E402
from nbxmpp.const import ConnectionProtocol, ConnectionType  # noqa: E402
from nbxmpp.protocol import Iq, JID, Message, Presence  # noqa: E402
from nbxmpp.structs import StanzaHandler  # noqa: E402

import steps  # noqa: E402
from steps import JULIET, PASSWORD, ROMEO  # noqa: E402


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


class Device:
    def __init__(self, address, resource):
        local, domain = address.split("@")
        self.logged_in = self.resumed = False
        self.messages = []
        self.connection = Connection()
        self.connection.set_domain(domain)
        self.connection.set_username(local)
        self.connection.set_password(PASSWORD)
        self.connection.set_resource(resource)
        self.connection.set_custom_host(
            f"{steps.HOST}:{steps.PORT}", ConnectionProtocol.TCP, ConnectionType.START_TLS
        )
        self.connection.set_accepted_certificates(Gio.TlsCertificate.list_new_from_file(steps.CERTIFICATE))
        self.connection.subscribe("connected", self.on_login)
        self.connection.subscribe("resume-successful", self.on_resumed)
        handler = StanzaHandler(name="message", priority=60, callback=self.on_message)
        self.connection.register_handler(handler)

    def on_login(self, _connection, _signal):
        self.logged_in = True
        enable = Iq(typ="set")
        enable.setTag("enable", namespace="urn:xmpp:carbons:2")
        self.connection.send_stanza(enable)
        self.connection.send_stanza(Presence())

    def on_resumed(self, _connection, _signal):
        self.resumed = True

    def on_message(self, _client, _stanza, properties):
        self.messages.append(properties)

    def say(self, to, text):
        self.connection.send_stanza(Message(to=to, typ="chat", body=text))

    def heard(self, text, carbon=None):
        """The message, if it has come; as the copy of one sent or received if that is asked for."""

        def kind(message):
            return message.carbon.type if message.carbon else None

        return lambda: next(
            (m for m in self.messages if m.body == text and not m.mam and kind(m) == carbon), None
        )

    def archived(self):
        answer = []
        task = self.connection.get_module("MAM").make_query(JID.from_string(ROMEO), queryid="q", max_=10)
        task.add_done_callback(lambda done: answer.append(done.get_result()), weak=False)
        until("read the archive", lambda: answer)
        if isinstance(answer[0], Exception):
            raise answer[0]
        assert answer[0].complete, answer
        return [m.body for m in self.messages if m.mam]


def story():
    phone, laptop, juliet = Device(ROMEO, "phone"), Device(ROMEO, "laptop"), Device(JULIET, "balcony")
    for device in (phone, laptop, juliet):
        device.connection.connect()
    until("log in", lambda: all(device.logged_in for device in (phone, laptop, juliet)))
    until("stream management", lambda: phone.connection.sm_supported and phone.connection.resumeable)
    laptop.say(JULIET, "one")
    until("talk", juliet.heard("one"))
    until("copy of what was sent", phone.heard("one", "sent"))
    juliet.say(f"{ROMEO}/laptop", "two")
    message = until("answer", laptop.heard("two"))
    assert any(str(stanza_id.by) == ROMEO for stanza_id in message.stanza_ids), message.stanza_ids
    until("copy of what was received", phone.heard("two", "received"))
    lost = []
    phone.connection.subscribe("disconnected", lambda *_: lost.append(True))
    phone.connection.disconnect(immediate=True)  # nobody says goodbye
    until("lose the connection", lambda: lost)
    juliet.say(f"{ROMEO}/phone", "three")
    until("copy of what waits", laptop.heard("three", "received"))
    phone.connection.connect()
    until("resume", lambda: phone.resumed)
    until("hear what waited", phone.heard("three"))
    bodies = phone.archived()
    assert bodies == ["one", "two", "three"], bodies
    assert sum(m.body == "three" and not m.mam for m in phone.messages) == 1, "it came twice"
    for device in (phone, laptop, juliet):
        device.connection.disconnect()


story()
print("all steps done", flush=True)
