"""attack.py PORT USER PASSWORD WHAT SECONDS: asks the plugin beside this file, a hundred times a
second, to loop, crash, eat or flood; says how the server answered. Loopback only."""

import base64
import socket
import ssl
import sys
import time

port, user, password, what, seconds = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], float(sys.argv[5])
HEADER = (
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='localhost' version='1.0'>"
)
stream = socket.create_connection(("127.0.0.1", port))


def until(*ends):
    heard = ""
    while not any(end in heard for end in ends):
        more = stream.recv(65536)
        if not more:
            sys.exit(f"closed: {heard[-200:]}")
        heard += more.decode()
    return heard


def send(text):
    stream.sendall(text.encode())


send(HEADER)
until("</stream:features>")
send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
until("<proceed")
# The server is our own, on loopback, with a certificate made for this run.
stream = ssl._create_unverified_context().wrap_socket(stream)
send(HEADER)
until("</stream:features>")
plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>")
if "<success" not in until("<success", "</failure>"):
    sys.exit("login failed")
send(HEADER)
until("</stream:features>")
send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
until("</iq>")

answers = {}
end = time.time() + seconds
number = 0
while time.time() < end:
    number += 1
    send(f"<iq type='get' id='q{number}'><{what} xmlns='urn:bad'/></iq>")
    answer = until(f"id='q{number}'")
    known = ("service-unavailable", "internal-server-error")
    kind = next((condition for condition in known if condition in answer), "other")
    answers[kind] = answers.get(kind, 0) + 1
    time.sleep(0.01)
print(what, answers)
