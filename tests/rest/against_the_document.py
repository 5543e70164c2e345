"""Runs schemathesis against a throw-away server: against_the_document.py PROGRAM VENV."""

import json
import os
import subprocess
import sys
import urllib.request

# Nothing that is made up is likely to be called so; were it changed or deleted, all after that would be refused.
ADMIN = "keeper-of-the-token-4711@localhost"
# What would end the run or write outside of the data folder; they are asked for elsewhere.
LEFT_OUT = ["events", "upload", "server.stop", "server.restart"]


def main() -> int:
    program, venv = (os.path.abspath(path) for path in sys.argv[1:3])
    server = subprocess.Popen(
        [program, "dev", "--backend", "memory", "--admin", ADMIN],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = json.loads(server.stdout.readline())
        token = make_token(program, line["admin_socket"])
        return hold_against(venv, line, token)
    finally:
        # Its parent's hand opens.
        server.stdin.close()
        server.wait(timeout=30)


def make_token(program: str, socket: str) -> str:
    command = [program, "--socket", socket, "--json", "token", "create",
               "--account", ADMIN, "--name", "schemathesis", "*"]
    return json.loads(subprocess.check_output(command))["token"]


def hold_against(venv: str, line: dict, token: str) -> int:
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
    ]
    for name in LEFT_OUT:
        command += ["--exclude-operation-id", name]
    # A browser's: they want cookies and take turns. `console_sign_in` and `console_front` are their tests.
    command += ["--exclude-tag", "sign-in"]
    # What it keeps for the next time lies beside its virtual environment, not among the sources.
    return subprocess.call(command, cwd=venv, env={**os.environ, "REQUESTS_CA_BUNDLE": line["certificate"]})


if __name__ == "__main__":
    sys.exit(main())
