"""What a process takes away: secrets, the network, files, programs. A refusal says what was refused and what to do."""

import os
from pathlib import Path

import pytest

from tests.support.isolated import RETRY_NONE, a_driver, an_os_of
from vextir_os.events.event import Event

NETWORK, PROCESS, WITHIN = "use the network", "start a process", "reach into the interpreter"
HINT = 'under isolation "process". Run it isolation="thread" or "inline" if it needs that'
REFUSED = {
    "connect": ("import socket\nsocket.create_connection(('127.0.0.1', 1))", NETWORK),
    "name": ("import socket\nsocket.getaddrinfo('example.com', 80)", NETWORK),
    "udp": ("import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM)", NETWORK),
    "unix": ("import socket\nsocket.socket(socket.AF_UNIX).connect('/var/run/x')", NETWORK),
    "socket-of-c": ("import _socket\n_socket.socket(2)", NETWORK),
    "http": ("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9')", NETWORK),
    "syslog": ("import syslog\nsyslog.syslog('x')", NETWORK),
    "file": ("open('/etc/passwd').read()", "read /etc/passwd"),
    "file-io": ("import io\nio.FileIO('/etc/passwd').read()", "read /etc/passwd"),
    "descriptor": ("import os\nos.open('/etc/passwd', 0)", "read /etc/passwd"),
    "pathlib": ("from pathlib import Path\nPath(b'/etc/passwd'.decode()).read_text()", "read /etc/passwd"),
    "bytes": ("open(b'/etc/passwd')", "read /etc/passwd"),
    "dots": ("open('../../../../../../../../etc/passwd')", "read /etc/passwd"),
    "symlink": ("import os\nos.symlink('/etc/passwd', 'mine')\nopen('mine')", "read /etc/passwd"),
    "linked-folder": ("import os\nos.symlink('/etc', 'folder')\nopen('folder/passwd')", "read /etc/passwd"),
    "hard-link": ("import os\nos.link('/etc/passwd', 'hard')", "link to /etc/passwd"),
    "descriptor-of-a-folder": ("import os\nos.open('/', os.O_RDONLY)", "read /"),
    "folder-of-python": ("import os, sys\nos.open(os.path.dirname(os.__file__), os.O_RDONLY)", "open the folder"),
    "listing": ("import os\nos.listdir('/etc')", "list /etc"),
    "chdir": ("import os\nos.chdir('/etc')", "list /etc"),
    "environment-of-the-parent": ("import os\nopen(f'/proc/{os.getppid()}/environ')", "read /proc/"),
    "own-memory": ("open('/proc/self/mem', 'rb')", "read /proc/"),
    "python-itself": ("import os\nopen(os.__file__, 'a')", "write "),
    "own-source": ("open(__file__, 'a')", "write "),
    "removal": ("import os\nos.remove(__file__)", "change "),
    "renaming": ("import os\nos.rename(__file__, 'mine')", "move "),
    "folder": ("import os\nos.mkdir('/tmp/evil')", "change /tmp/evil"),
    "mode": ("import os\nos.chmod(__file__, 0o777)", "change "),
    "sqlite": ("import sqlite3\nsqlite3.connect('/etc/passwd')", "open as a database /etc/passwd"),
    "subprocess": ("import subprocess\nsubprocess.run(['true'])", PROCESS),
    "fork": ("import os\nos.fork()", PROCESS),
    "system": ("import os\nos.system('true')", PROCESS),
    "exec": ("import os\nos.execv('/bin/true', ['true'])", PROCESS),
    "posix-spawn": ("import os\nos.posix_spawn('/bin/true', ['true'], {})", PROCESS),
    "pty": ("import pty\npty.spawn(['true'])", PROCESS),
    "mp": ("import multiprocessing as m\nm.get_context('fork').Process(target=print).start()", PROCESS),
    "kill": ("import os\nos.kill(os.getppid(), 9)", "send a signal to another process"),
    "kill-all": ("import os\nos.kill(-1, 9)", "send a signal to another process"),
    "kill-group": ("import os\nos.killpg(0, 9)", "send signals to a group of processes"),
    "limits": ("import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))", "change its limits"),
    "objects": ("import gc\ngc.get_objects()", WITHIN),
}


async def test_it_is_refused_and_says_so(tmp_path: Path) -> None:
    a_driver(tmp_path, 'exec(event.data, {"__file__": __file__})', options=RETRY_NONE)
    async with an_os_of(tmp_path) as os_:
        events = [Event(id=name, type="bad.wanted", data=body) for name, (body, _) in REFUSED.items()]
        records = await os_.run(*events)
    errors = [record["runs"]["bad"]["error"] for record in records]
    wrong = {
        name: error
        for (name, (_, what)), error in zip(REFUSED.items(), errors, strict=True)
        if (error or {}).get("code") != "VX433"
        or error["kind"] != "permission"
        or not error["message"].startswith(f"driver bad may not {what}")
        or not error["message"].endswith(
            'under isolation "process". Run it isolation="thread" or "inline" if it needs that'
        )
    }
    assert wrong == {}


NATIVE = {name: f"import {name}" for name in ("ctypes", "_ctypes", "cffi", "_cffi_backend")}


async def test_what_calls_native_code_by_name_is_missing(tmp_path: Path) -> None:
    a_driver(tmp_path, 'exec(event.data, {"__file__": __file__})', options=RETRY_NONE)
    guarded = "try:\n    import ctypes\nexcept ImportError:\n    pass"
    async with an_os_of(tmp_path) as os_:
        events = [Event(id=name, type="bad.wanted", data=body) for name, body in NATIVE.items()]
        errors = [record["runs"]["bad"]["error"] for record in await os_.run(*events)]
        assert (await os_.event("bad.wanted", guarded, "guarded"))["runs"]["bad"]["state"] == "done"
    expected = [f"driver bad may not import {name} {HINT}" for name in NATIVE]
    assert [error["message"] for error in errors] == expected
    assert {(error["code"], error["kind"]) for error in errors} == {("VX434", "permission")}


ALLOWED = {
    "temporary file": "import tempfile\nwith tempfile.TemporaryFile() as file:\n    file.write(b'x')",
    "temporary folder": "import tempfile\nwith tempfile.TemporaryDirectory() as name:\n    open(name + '/x', 'w')",
    "relative path": "with open('mine', 'w') as file:\n    file.write('x')\nassert open('mine').read() == 'x'",
    "own folder": "assert open(__file__).read()",
    "time zone": "import zoneinfo\nzoneinfo.ZoneInfo('Europe/Berlin')",
    "random": "import os, random, uuid\nos.urandom(4), random.SystemRandom().random(), uuid.uuid4()",
    "standard library": "import csv, decimal, email, html, json, xml.etree.ElementTree, zipfile",
    "installed packages": "import orjson, pydantic, yaml\npydantic.TypeAdapter(int).validate_python('1')",
    "database in memory": "import sqlite3\nsqlite3.connect(':memory:').execute('select 1').fetchone()",
    "own database": "import sqlite3\nsqlite3.connect('mine.db').execute('create table a (b)')",
    "threads": "import threading\nthread = threading.Thread(target=print)\nthread.start()\nthread.join()",
    "event loop": "import asyncio\nasyncio.run(asyncio.sleep(0))",
    "null device": "open('/dev/null', 'w').write('x')",
    "own signal": "import os, signal\nsignal.signal(10, signal.SIG_IGN)\nos.kill(os.getpid(), 10)",
}


async def test_what_drivers_do_every_day_is_not_refused(tmp_path: Path) -> None:
    a_driver(tmp_path, 'exec(event.data, {"__file__": __file__})', options=RETRY_NONE, form="")
    async with an_os_of(tmp_path) as os_:
        events = [Event(id=name.replace(" ", "-"), type="bad.wanted", data=body) for name, body in ALLOWED.items()]
        records = await os_.run(*events)
    errors = {name: record["runs"]["bad"]["error"] for name, record in zip(ALLOWED, records, strict=True)}
    assert {name: error for name, error in errors.items() if error is not None} == {}


async def test_its_environment_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VEXTIR_API_KEY", "AZURE_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "REGION", "OTHER"):
        monkeypatch.setenv(name, "s3cret")
    body = """
import os
def is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
mask = os.umask(0o077)
return [dict(os.environ), [number for number in range(256) if is_open(number)], os.getcwd(), mask, os.getsid(0)]
""".strip()
    a_driver(tmp_path, body, options=', env=["REGION"]')
    async with an_os_of(tmp_path) as os_:
        given, descriptors, folder, mask, session = (await os_.event("bad.wanted"))["runs"]["bad"]["output"]
    assert given.pop("REGION") == "s3cret"
    assert "s3cret" not in str(given)
    assert given["HOME"] == given["TMPDIR"] == folder
    assert given.keys() <= {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "HOME", "TMPDIR"}
    # Input, output, errors; the channel; the three that its event loop makes for itself.
    assert descriptors[:3] == [0, 1, 2]
    assert len(descriptors) <= 3 + 1 + 3
    assert mask == 0o077
    assert session != os.getsid(0)


async def test_the_data_of_the_os_cannot_be_read_though_modules_are_looked_for_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path / "data"))
    a_driver(tmp_path, "import sys\nsys.path.append(event.data)\nreturn open(event.data + '/signing.key').read()")
    async with an_os_of(tmp_path) as os_:
        (key,) = [path for path in (tmp_path / "data").iterdir() if "key" in path.name]
        error = (await os_.event("bad.wanted", str(key.parent)))["runs"]["bad"]["error"]
    assert error["message"].startswith(f"driver bad may not read {tmp_path}/data/")
