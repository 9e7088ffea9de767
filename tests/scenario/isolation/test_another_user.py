"""The same for an OS that is not root: there the kernel's limit of processes and the modes of files bind too."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.isolation.test_descendants import FORKS

ROOT = Path(__file__).parents[3]
NOBODY = 65534
ROWS = {
    "a loop": ("while event.data: pass\nreturn 'done'", ', timeout="300ms"', "did not end within 0.3 s"),
    "memory": ("return len(bytearray(2_000_000_000 if event.data else 1))", ', memory="100MB"', "its limit of 100MB"),
    "a crash": (
        "import faulthandler\nif event.data: faulthandler._sigsegv()\nreturn 'done'",
        "",
        "was killed by SIGSEGV",
    ),
    "processes": (
        FORKS.replace('event.data["count"]', "200 if event.data else 0").replace('event.data["end"]', "'returns'")
        + "\nif event.data:\n    while True: pass",
        ", processes=4",
        "more processes than its limit of 4",
    ),
    "the parent": (
        "import os\nif event.data: open(f'/proc/{os.getppid()}/environ').read()\nreturn 'done'",
        "",
        "may not read /proc/",
    ),
    "a signal": (
        "import os\nif event.data: os.kill(os.getppid(), 9)\nreturn 'done'",
        "",
        "may not send a signal to another process",
    ),
    "threads": (
        (
            "import threading, time\nfor n in range(600 if event.data else 1):\n"
            "    threading.Thread(target=time.sleep, args=(0.5,), daemon=True).start()\nreturn 'done'"
        ),
        "",
        "more threads and processes than the limit of 256",
    ),
    "garbage": (
        (
            "import os, contextlib\nfor n in range(3, 64) if event.data else ():\n"
            "    with contextlib.suppress(OSError): os.write(n, b'\\xff' * 64)\nreturn 'done'"
        ),
        "",
        "wrote a frame of 4294967295 bytes",
    ),
}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("name", ROWS)
async def test_limits_hold_for_a_user_who_is_not_root(name: str) -> None:
    body, options, message = ROWS[name]
    # Not below pytest's own folder, which is closed to others.
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, NOBODY, NOBODY)
        found = await as_nobody(folder, body, options)
    assert found["uid"] == NOBODY
    assert found["first"]["state"] == "dead"
    assert message in found["first"]["error"]["message"]
    assert (found["second"]["state"], found["second"]["output"] in ("done", 1)) == ("done", True)


async def as_nobody(folder: str, body: str, options: str) -> Any:
    """Return what the OS says that runs as that user."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.nobody_child", folder, str(NOBODY),
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await child.communicate(json.dumps({"body": body, "options": options}).encode())
    assert child.returncode == 0, err.decode()
    return json.loads(out)
