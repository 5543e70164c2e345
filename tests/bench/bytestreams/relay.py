"""The least that any proxy can cost: answers two SOCKS5 handshakes, whatever they say, and
relays between them with splice(2), one thread and one pipe for each direction.

    relay.py        (loopback; prints its port and serves pair after pair)
"""

import fcntl
import os
import socket
import threading

CHUNK = 1 << 20
# Constants of fcntl(2) that Python names from 3.10 on only on some systems.
F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", 1031)


def exactly(tcp, count):
    got = b""
    while len(got) < count:
        piece = tcp.recv(count - len(got))
        if not piece:
            raise EOFError
        got += piece
    return got


def shake(tcp):
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    exactly(tcp, exactly(tcp, 2)[1])
    tcp.sendall(b"\5\0")
    head = exactly(tcp, 5)
    name = exactly(tcp, head[4] + 2)
    tcp.sendall(b"\5\0\0" + head[3:] + name)


def flow(source, sink):
    reader, writer = os.pipe()
    try:
        fcntl.fcntl(writer, F_SETPIPE_SZ, CHUNK)
    except OSError:
        pass
    try:
        while taken := os.splice(source.fileno(), writer, CHUNK):
            while taken:
                taken -= os.splice(reader, sink.fileno(), taken)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    os.close(reader)
    os.close(writer)


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        pair = []
        while len(pair) < 2:
            pair.append(listener.accept()[0])
            shake(pair[-1])
        ways = [threading.Thread(target=flow, args=way) for way in (pair, pair[::-1])]
        for way in ways:
            way.start()
        for way in ways:
            way.join()
        for tcp in pair:
            tcp.close()


main()
