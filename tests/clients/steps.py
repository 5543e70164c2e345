"""What the Python scripts share: where the server is, and how a step is reported.

The test `clients` passes everything in the environment:
XYLEM_HOST, XYLEM_PORT, XYLEM_DOMAIN, XYLEM_CERTIFICATE, XYLEM_ROMEO, XYLEM_JULIET
(bare addresses of two fresh accounts) and XYLEM_PASSWORD (of both).
"""

import asyncio
import os
import sys

HOST = os.environ["XYLEM_HOST"]
PORT = int(os.environ["XYLEM_PORT"])
CERTIFICATE = os.environ["XYLEM_CERTIFICATE"]
ROMEO = os.environ["XYLEM_ROMEO"]
JULIET = os.environ["XYLEM_JULIET"]
PASSWORD = os.environ["XYLEM_PASSWORD"]
NEW_PASSWORD = PASSWORD + "-new"

STEP = 15  # seconds that one step may take


async def step(name, awaitable):
    """Waits for one step and says that it is done; a step that takes too long fails."""
    try:
        result = await asyncio.wait_for(awaitable, STEP)
    except asyncio.TimeoutError:
        sys.exit(f"failed: {name}: nothing in {STEP} s")
    print(f"done: {name}", flush=True)
    return result


def play(story):
    """Runs the story; the last line is what the test looks for."""
    asyncio.run(story())
    print("all steps done", flush=True)
