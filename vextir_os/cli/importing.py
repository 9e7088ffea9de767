"""What `vextir import` does: any number of lines in bounded memory, each by itself; a wrong one is named by place."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit, error_lines, exit_code, warn
from vextir_os.cli.patience import patiently
from vextir_os.cli.project import SOURCE, open_to_send
from vextir_os.errors import StoreUnavailableError, TooLargeError, UsageError, VextirError
from vextir_os.events import jsonio
from vextir_os.events.codec import from_item
from vextir_os.events.event import Event
from vextir_os.events.limits import BLOB_BYTES
from vextir_os.kernel import Kernel, operator
from vextir_os.processor.importing import Fetch, Importer
from vextir_os.runs import history
from vextir_os.settings import Settings

SHOWN = 20
"""Lines that are wrong and said one by one; of the others, how many."""

LINE_BYTES = 3 * BLOB_BYTES
"""One line, at most: data and an output of the largest size, and room for the rest."""

_LINES = 200
_TOGETHER_BYTES = 4_000_000
_PATIENCE_S = 60.0

Numbered = tuple[int, bytes]


@dataclass(kw_only=True)
class _Done:
    """What became of the lines so far."""

    counts: Counter[str] = field(default_factory=Counter)
    codes: set[Exit] = field(default_factory=set)
    wrong: int = 0


async def bring_in(settings: Settings, file: str, fetch: Fetch, *, publish: bool) -> int:
    """Import the lines of a file, and say what became of them. Returns the exit code."""
    done, hints = _Done(), screen.stderr()
    name = "stdin" if file == "-" else file
    with _opened(file) as source:
        async with open_to_send(settings) as kernel:
            bring = _Publishing(kernel, fetch) if publish else _History(kernel, fetch)
            number = 0
            while lines := await asyncio.to_thread(read_lines, source, number):
                number = lines[-1][0]
                await _bring_in_some(bring, [line for line in lines if line[1].strip()], name, done)
    _conclude(hints, done)
    return next((code for code in (Exit.FAILED, Exit.DENIED) if code in done.codes), Exit.DONE)


def read_lines(source: BinaryIO, number: int) -> list[Numbered]:
    """Return some lines with their numbers, blank ones too; none at the end. A longer one than may be is cut.

    Args:
        source: Where they come from.
        number: Of the last line before.
    """
    lines: list[Numbered] = []
    held = 0
    while len(lines) < _LINES and held < _TOGETHER_BYTES:
        line = source.readline(LINE_BYTES + 1)
        if not line:
            break
        number += 1
        held += len(line)
        lines.append((number, line))
        while len(line) > LINE_BYTES and not line.endswith(b"\n"):
            line = source.readline(LINE_BYTES + 1)
    return lines


class _History:
    """Keeps lines as history."""

    def __init__(self, kernel: Kernel, fetch: Fetch) -> None:
        self._importer = Importer(kernel.processor.parts, fetch)
        self._who = operator(kernel.settings)

    async def take(self, lines: Sequence[Any]) -> Sequence[str | VextirError]:
        return await self._importer.take(lines, self._who)


class _Publishing:
    """Publishes the events of lines, each by itself: one that is refused keeps back no other."""

    def __init__(self, kernel: Kernel, fetch: Fetch) -> None:
        self._kernel = kernel
        self._fetch = fetch

    async def take(self, lines: Sequence[Any]) -> Sequence[str | VextirError]:
        return await asyncio.gather(*(self._publish(line) for line in lines))

    async def _publish(self, line: Any) -> str | VextirError:
        try:
            event = await _event(line, self._fetch)
            await patiently(
                partial(self._kernel.intake.publish, [event], operator(self._kernel.settings), source=SOURCE),
                patience_s=_PATIENCE_S,
                tell=partial(warn, screen.stderr()),
            )
        except StoreUnavailableError:
            raise
        except VextirError as error:
            return error
        return "published"


async def _bring_in_some(bring: _History | _Publishing, lines: Sequence[Numbered], name: str, done: _Done) -> None:
    found: list[Any] = [_loads(raw) for _, raw in lines]
    good = [one for one in found if not isinstance(one, VextirError)]
    taken = iter(await bring.take(good))
    for (number, _), one in zip(lines, found, strict=True):
        result = one if isinstance(one, VextirError) else next(taken)
        if isinstance(result, VextirError):
            result.where = f"{name}:{number}"
            _say_wrong(screen.stderr(), done, result)
        else:
            done.counts[result] += 1


def _loads(raw: bytes) -> Any:
    """Return what a line holds, or what is wrong with it."""
    try:
        if len(raw) > LINE_BYTES:
            raise TooLargeError(f"over {LINE_BYTES} bytes")
        return jsonio.loads_strict(raw)
    except VextirError as error:
        return error


async def _event(line: Any, fetch: Fetch) -> Event:
    """Return the event of a line to be published: of an export, or a plain one."""
    if type(line) is not dict or "schema" not in line:
        return from_item(line)
    event = history.event_of(history.check_line(line))
    place = history.apart(line)
    return event if place is None else event.but(data=jsonio.loads_strict(await fetch(place)))


def _say_wrong(hints: screen.Screen, done: _Done, error: VextirError) -> None:
    done.wrong += 1
    done.codes.add(Exit.DENIED if exit_code(error) is Exit.DENIED else Exit.FAILED)
    if done.wrong <= SHOWN:
        hints.write(*error_lines(hints, error))


def _conclude(hints: screen.Screen, done: _Done) -> None:
    from vextir_os.cli.text import counted

    if done.wrong > SHOWN:
        hints.write(f"and {counted(done.wrong - SHOWN, 'more line')}")
    words = {
        "imported": "imported", "published": "published", "there": "there already", "unfinished": "not over, left out",
    }  # fmt: skip
    said = [f"{done.counts[key]:,} {word}" for key, word in words.items() if done.counts[key]]
    if done.wrong:
        said.append(f"{done.wrong:,} wrong")
    hints.write(", ".join(said) or "there was nothing in it")


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None
    with source:
        yield source
