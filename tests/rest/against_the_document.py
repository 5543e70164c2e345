"""Runs schemathesis against a throw-away server: against_the_document.py PROGRAM VENV."""

import json
import os
import subprocess
import sys

# Nothing that is made up is likely to be called so; were it changed or deleted, all after that would be refused.
ADMIN = "keeper-of-the-token-4711@localhost"
# What would end the run or write outside of the data folder; they are asked for elsewhere.
LEFT_OUT = ["events", "upload", "server.stop", "server.restart"]
# These can take the token from us, for schemathesis asks again with what it has read in answers. So they have a
# server of their own, or all that comes after them would be refused.
TAKE_AWAY = ["user.delete", "user.disable", "user.role", "user.password", "user.reset", "token.revoke"]
# Something to be found: of the rest there is nothing on a new server.
THERE = [
    ["room.create", "room=lobby@conference.localhost", f"owner={ADMIN}"],
    ["announce.send", "domain=localhost", "text=The library closes at six.", "to=all"],
    ["motd.set", "domain=localhost", "text=Good morning."],
    ["welcome.set", "domain=localhost", "text=Welcome."],
]


def main() -> int:
    program, venv = (os.path.abspath(path) for path in sys.argv[1:3])
    without = [argument for name in LEFT_OUT + TAKE_AWAY for argument in ("--exclude-operation-id", name)]
    # A browser's: they want cookies and take turns. `console_sign_in` and `console_front` are their tests.
    without += ["--exclude-tag", "sign-in"]
    only = [argument for name in TAKE_AWAY for argument in ("--include-operation-id", name)]
    return against_a_new_server(program, venv, without) or against_a_new_server(program, venv, only)


def against_a_new_server(program: str, venv: str, which: list[str]) -> int:
    server = subprocess.Popen(
        [program, "dev", "--backend", "memory", "--admin", ADMIN],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = json.loads(server.stdout.readline())
        token = make_token(program, line["admin_socket"])
        for operation in THERE:
            ask(program, line["admin_socket"], ["op", *operation])
        return hold_against(venv, line, token, which)
    finally:
        # Its parent's hand opens.
        server.stdin.close()
        server.wait(timeout=30)


def make_token(program: str, socket: str) -> str:
    command = ["token", "create", "--account", ADMIN, "--name", "schemathesis", "*"]
    return json.loads(ask(program, socket, command))["token"]


def ask(program: str, socket: str, command: list[str]) -> bytes:
    return subprocess.check_output([program, "--socket", socket, "--json", *command])


def hold_against(venv: str, line: dict, token: str, which: list[str]) -> int:
    command = [
        f"{venv}/bin/schemathesis", "run", f"{line['console']}/api/v1/openapi.json",
        "--header", f"Authorization: Bearer {token}",
        "--max-examples", os.environ.get("EXAMPLES", "20"),
        "--phases", "examples,coverage,fuzzing",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--request-timeout", "20",
        "--seed", os.environ.get("SEED", "1"),
        "--no-color",
        "--tls-verify", line["certificate"],
        *which,
    ]
    # What it keeps for the next time lies beside its virtual environment, not among the sources.
    return subprocess.call(command, cwd=venv, env={**os.environ, "REQUESTS_CA_BUNDLE": line["certificate"]})


if __name__ == "__main__":
    sys.exit(main())
