"""Where the kernel has Landlock, native code and other programs are refused as well: here, a shell."""

import os
from pathlib import Path

import pytest

from tests.support.isolated import RETRY_NONE, a_driver, an_os_of
from vextir_os.isolation import landlock

SHELL = """
import subprocess
done = subprocess.run(["bash", "-c", event.data], capture_output=True, text=True)
return [done.returncode, done.stdout, done.stderr]
""".strip()
REFUSED = {
    "file": ("cat /etc/passwd", "Permission denied"),
    "environment of the parent": ("cat /proc/$PPID/environ", "Permission denied"),
    "memory of the parent": ("head -c 1 /proc/$PPID/mem", "Permission denied"),
    "writing": ("echo x > /tmp/evil.$$", "Permission denied"),
    "network": ("echo x > /dev/tcp/127.0.0.1/9", "Permission denied"),
    "running what it wrote": ("cp /bin/true mine && chmod +x mine && ./mine", "Permission denied"),
}


@pytest.mark.skipif(landlock.version() < 6, reason="this kernel has no Landlock that scopes signals")
async def test_the_kernel_refuses_what_the_hook_does_not_see(tmp_path: Path) -> None:
    a_driver(tmp_path, SHELL, options=", processes=3" + RETRY_NONE)
    async with an_os_of(tmp_path) as os_:

        async def said(name: str, command: str) -> tuple[int, str, str]:
            run = (await os_.event("bad.wanted", command, name.replace(" ", "-")))["runs"]["bad"]
            code, out, err = run["output"]
            return code, out, err

        assert await said("allowed", "echo $((1 + 1)) > mine; cat mine") == (0, "2\n", "")
        answers = {name: await said(name, command) for name, (command, _) in REFUSED.items()}
        code, _, err = await said("signal", f"kill -0 1; kill -0 {os.getpid()}")
    wrong = {name: answer for name, answer in answers.items() if answer[0] == 0 or REFUSED[name][1] not in answer[2]}
    assert wrong == {}
    assert code != 0
    assert err.count("Operation not permitted") == 2
