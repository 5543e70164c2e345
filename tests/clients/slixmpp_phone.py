"""A phone: slixmpp with stream management (XEP-0198), told by its standard input what happens to it.

It prints `online`, `message TEXT` and `resumed`. It is told `say TEXT`, and `moved` when its address has
changed: it then gives up its connection without a word and makes a new one.
"""

import asyncio
import sys
from pathlib import Path

from slixmpp import ClientXMPP

import steps
from steps import JULIET, PASSWORD, ROMEO


def tell(line):
    print(line, flush=True)


class Phone(ClientXMPP):
    def __init__(self):
        super().__init__(f"{JULIET}/phone", PASSWORD)
        self.ca_certs = Path(steps.CERTIFICATE)
        self.enable_direct_tls = False
        self.register_plugin("xep_0198", {"window": 1})
        self.add_event_handler("sm_enabled", self.on_enabled)
        self.add_event_handler("session_resumed", lambda _: tell("resumed"))
        self.add_event_handler("message", self.on_message)

    async def on_enabled(self, _):
        await self.get_roster()
        self.send_presence()
        tell("online")

    def on_message(self, message):
        if message["body"]:
            tell(f"message {message['body']}")

    def move(self):
        """Nobody says goodbye: the socket is gone, the stream is not."""
        self.transport.abort()
        self.connect(steps.HOST, steps.PORT)


async def story():
    phone = Phone()
    phone.connect(steps.HOST, steps.PORT)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin
    )
    while line := (await commands.readline()).decode().strip():
        match line.split(" ", 1):
            case ["say", text]:
                phone.send_message(mto=ROMEO, mbody=text, mtype="chat")
            case ["moved"]:
                phone.move()
            case other:
                sys.exit(f"what is {other}?")
    phone.abort()


asyncio.run(story())
