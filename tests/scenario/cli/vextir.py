"""The real command line in processes of its own, on a project of its own."""

import contextlib
import json
import os
import pty
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

LIMIT_S = 30

DRIVER = """
from vextir_os import Event, InvalidError, Result, ThrottledError, driver

@driver("hello", capabilities=["hello.*"], permissions=["emit:note.*", "emit:locked.*"])
async def hello(event: Event) -> Result:
    '''Say what came in, and pass it on.'''
    name = event.type.partition(".")[2]
    if name == "quiet":
        return Result(output={"said": event.data})
    child = "locked.note" if name == "forbidden" else "note.made"
    return Result(output={"said": event.data}, events=[Event(type=child, data=event.data)])

@driver("keeper", kind="io", capabilities=["note.*"])
async def keeper(event: Event) -> dict:
    return {"kept": event.data}

@driver("broken", capabilities=["broken.*"])
async def broken(event: Event) -> None:
    raise InvalidError(f"cannot do {event.data!r}\\x1b[31m")

@driver("later", capabilities=["later.*"])
async def later(event: Event) -> None:
    raise ThrottledError("come back", retry_after_s=3600)
"""

POLICIES = """
policies:
  - id: allow-all
    effect: allow
    match: {action: ["publish:**", "process:**", "emit:**", "admin:*"]}
    priority: 1
  - id: no-secrets
    effect: deny
    match: {action: ["publish:secret.**", "process:locked.**"]}
    priority: 900
    reason: nobody may
"""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project folder, and its command line."""

    root: Path

    def run(self, *arguments: str, stdin: bytes = b"", **environ: str) -> Ended:
        """Run a command to its end."""
        done = subprocess.run(
            command(*arguments),
            cwd=self.root,
            env=environment(**environ),
            input=stdin,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
        return Ended(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())

    def once(self, *events: dict[str, Any], arguments: tuple[str, ...] = ()) -> Ended:
        """Publish events from a file and run them."""
        file = self.root / "events.json"
        file.write_text(json.dumps(events))
        return self.run("dev", "--once", str(file), *arguments)

    @contextlib.contextmanager
    def running(self, *arguments: str, **environ: str) -> Iterator["Running"]:
        """Start a command that goes on; it is killed at the end if it still runs."""
        process = subprocess.Popen(
            command(*arguments),
            cwd=self.root,
            env=environment(**environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield Running(process)
        finally:
            process.kill()
            process.communicate()

    def terminal(self, *arguments: str, columns: int = 100, environ: Mapping[str, str] | None = None) -> str:
        """Run a command on a terminal and return what it shows there."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            command(*arguments),
            cwd=self.root,
            env=environment(**{"COLUMNS": str(columns), "TERM": "xterm", **(environ or {})}),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        # Linux says EIO when the other side of a terminal is closed.
        with contextlib.suppress(OSError):
            while block := os.read(ours, 65_536):
                shown += block
        os.close(ours)
        process.wait(LIMIT_S)
        return shown.decode().replace("\r\n", "\n")


class Running:
    """A process that goes on; what it writes is read as it comes."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.seen: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        for stream in (process.stdout, process.stderr):
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def line(self, *holding: str) -> str:
        """Wait for a line that holds all these texts, and return it."""
        while True:
            try:
                line = self._lines.get(timeout=LIMIT_S)
            except queue.Empty:
                raise AssertionError(f"no line with {holding} among {self.seen}") from None
            self.seen.append(line)
            if all(text in line for text in holding):
                return line

    def stop(self, number: int) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)

    def rest(self) -> str:
        """Return what was written and not asked for yet; once the process has ended."""
        self.process.wait(LIMIT_S)
        for thread in threading.enumerate():
            if thread.name == f"reads-{self.process.pid}":
                thread.join(LIMIT_S)
        left = []
        while not self._lines.empty():
            left.append(self._lines.get())
        return "\n".join(left)

    def _read(self, stream: IO[bytes]) -> None:
        threading.current_thread().name = f"reads-{self.process.pid}"
        for line in stream:
            self._lines.put(line.decode().rstrip("\n"))


def make_project(root: Path) -> Project:
    """Return a project with four drivers, one policy that allows and one that denies."""
    (root / "drivers/hello").mkdir(parents=True)
    (root / "drivers/hello/driver.py").write_text(DRIVER)
    (root / "policies").mkdir()
    (root / "policies/all.yaml").write_text(POLICIES)
    return Project(root=root)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "vextir_os.cli", *arguments]


def environment(**more: str) -> dict[str, str]:
    """Return an environment without settings of ours, and with a time zone that is everywhere the same."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VEXTIR_", "NO_COLOR", "COV"))}
    return kept | {"TZ": "UTC", **more}
