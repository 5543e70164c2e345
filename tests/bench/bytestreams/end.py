"""One end of a transfer, as cheap as Python can make it.

    end.py send|receive PORT LABEL BYTES

Shakes hands, says so, waits for a line on standard input, then sends or receives so many
bytes and prints the seconds that it took.
"""

import socket
import sys
import time

CHUNK = 1 << 20


def main():
    role, port, label, left = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), int(sys.argv[4])
    tcp = socket.create_connection(("127.0.0.1", port))
    tcp.sendall(b"\5\1\0")
    assert tcp.recv(2) == b"\5\0"
    tcp.sendall(b"\5\1\0\3" + bytes([len(label)]) + label + b"\0\0")
    answer = tcp.recv(64)
    assert answer[1] == 0 and len(answer) == 7 + len(label), answer
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.monotonic()
    buffer = memoryview(bytearray(CHUNK))
    if role == "send":
        while left:
            left -= tcp.send(buffer[: min(CHUNK, left)])
        tcp.shutdown(socket.SHUT_WR)
        assert tcp.recv(1) == b"", "nobody sends anything back"
    else:
        while got := tcp.recv_into(buffer):
            left -= got
        assert left == 0, f"{left} bytes are missing"
    print(time.monotonic() - begun, flush=True)


main()
