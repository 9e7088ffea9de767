"""The OS as another user: `python -m tests.support.nobody_child <folder> <uid>`, with the body of a driver on stdin.

Becomes that user for good, runs a driver with the body under isolation `process`, and prints its run as JSON. Modes of
files and the limit of processes bind there as they do not bind root.
"""

import asyncio
import ctypes
import json
import os
import struct
import sys
from pathlib import Path

from tests.support.isolated import RETRY_NONE, a_driver, an_os_of, gone


async def main(folder: Path, body: str, options: str) -> None:
    """Run one event, and one more that the driver is told to be good to."""
    a_driver(folder, body, options=options + RETRY_NONE)
    async with an_os_of(folder) as os_:
        first = (await os_.event("bad.wanted", True))["runs"]["bad"]
        second = (await os_.event("bad.wanted", False, "e-2"))["runs"]["bad"]
    await gone(folder)
    print(json.dumps({"uid": os.getuid(), "first": first, "second": second}))  # noqa: T201


def become(uid: int) -> None:
    """Become another user, who may still read everything: Python itself may lie in the home of root."""
    libc, keep_caps, ambient, raise_, may_search = ctypes.CDLL(None, use_errno=True), 8, 47, 2, 2
    libc.prctl(keep_caps, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    header, caps = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *[1 << may_search] * 3, 0, 0, 0)
    if libc.capset(header, caps) or libc.prctl(ambient, raise_, may_search, 0, 0):
        raise OSError(ctypes.get_errno(), "the right to read cannot be kept")


if __name__ == "__main__":
    told = json.loads(sys.stdin.read())
    become(int(sys.argv[2]))
    asyncio.run(main(Path(sys.argv[1]), told["body"], told["options"]))
