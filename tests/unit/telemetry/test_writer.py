"""The log's thread: nobody waits for it, what it has no room for is counted, and files stay within their size."""

import logging
import os
import stat
import threading
from pathlib import Path

import pytest

from vextir_os.telemetry.writer import FileSink, Line, Writer


def line(event: str) -> Line:
    return Line(0.0, logging.INFO, event, dict, ())


def rendered(given: Line) -> bytes:
    return given.event.encode() + b"\n"


def missing(count: int) -> Line:
    return line(f"missing {count}")


class HeldSink:
    """A sink that stands still until the test lets it go on."""

    def __init__(self) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        self.data = b""
        self.fails = 0

    def write(self, data: bytes) -> None:
        self.reached.set()
        assert self.go.wait(10)
        if self.fails:
            self.fails -= 1
            raise OSError(28, "No space left on device")
        self.data += data

    def close(self) -> None:
        self.data += b"closed"


def test_lines_that_wait_are_written_when_it_closes() -> None:
    sink = HeldSink()
    sink.go.set()
    writer = Writer(sink, rendered, missing)
    for number in range(3_000):
        writer.put(line(str(number)))
    writer.close()
    assert sink.data.split() == [*(b"%d" % number for number in range(3_000)), b"closed"]


def test_a_sink_that_stands_still_holds_nobody_up_and_what_is_missing_is_said() -> None:
    sink = HeldSink()
    writer = Writer(sink, rendered, missing, waiting=5)
    writer.put(line("first"))
    assert sink.reached.wait(10)
    for number in range(12):
        writer.put(line(str(number)))
    sink.go.set()
    writer.close()
    assert sink.data.split(b"\n")[:-1] == [b"first", b"0", b"1", b"2", b"3", b"4", b"missing 7"]


def test_lines_that_the_disk_does_not_take_are_counted_as_missing() -> None:
    sink = HeldSink()
    sink.fails = 1
    writer = Writer(sink, rendered, missing)
    writer.put(line("gone"))
    assert sink.reached.wait(10)
    writer.put(line("kept"))
    sink.go.set()
    writer.close()
    assert sink.data.split(b"\n")[:-1] == [b"kept", b"missing 1"]


def test_a_full_file_is_kept_under_a_number_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "vextir.log"
    sink = FileSink(path, size_bytes=10)
    for number in range(8):
        sink.write(b"line %d--\n" % number)
    sink.close()
    kept = {file.name: file.read_text().strip() for file in path.parent.iterdir()}
    assert kept == {
        "vextir.log": "line 7--",
        "vextir.log.1": "line 6--",
        "vextir.log.2": "line 5--",
        "vextir.log.3": "line 4--",
        "vextir.log.4": "line 3--",
    }


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "vextir.log"
    FileSink(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("how", ["moved", "removed"])
def test_a_file_that_somebody_takes_away_is_begun_anew(tmp_path: Path, how: str) -> None:
    path = tmp_path / "vextir.log"
    sink = FileSink(path)
    sink.write(b"before\n")
    if how == "moved":
        os.replace(path, tmp_path / "taken")  # noqa: PTH105
    else:
        path.unlink()
    sink.write(b"after\n")
    sink.close()
    assert path.read_bytes() == b"after\n"


def test_two_that_share_a_file_rotate_it_once(tmp_path: Path) -> None:
    path = tmp_path / "vextir.log"
    one, two = FileSink(path, size_bytes=10), FileSink(path, size_bytes=10)
    one.write(b"one 1----\n")
    one.write(b"one 2----\n")
    two.write(b"two\n")
    one.close()
    two.close()
    kept = {file.name: file.read_text().split("\n")[:-1] for file in tmp_path.iterdir()}
    assert kept == {"vextir.log": ["two"], "vextir.log.1": ["one 2----"], "vextir.log.2": ["one 1----"]}
