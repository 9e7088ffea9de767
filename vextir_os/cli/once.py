"""`vextir dev --once`: publishes the events of files, runs until nothing is left to do, shows what became of each."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit, error_lines, exit_code, warn
from vextir_os.cli.files import read_paths
from vextir_os.cli.outcome import at_rest, exit_of
from vextir_os.cli.patience import patiently
from vextir_os.cli.project import SOURCE
from vextir_os.cli.text import counted, duration
from vextir_os.cli.trace import write_traces
from vextir_os.cli.tree import every_record, is_echo
from vextir_os.errors import VextirError, WaitTimeoutError
from vextir_os.events import ids
from vextir_os.events.event import Event
from vextir_os.kernel import Kernel, operator
from vextir_os.local.runner import Runner
from vextir_os.local.watch import Watch
from vextir_os.runs import reading
from vextir_os.runs.record import status

_LOOK_S = 0.5
_PATIENCE_S = 60.0


@dataclass(kw_only=True)
class _Went:
    """What a run came to."""

    published: list[Event] = field(default_factory=list)
    problems: list[VextirError] = field(default_factory=list)
    traces: list[reading.Trace] = field(default_factory=list)
    late: bool = False


async def run_once(kernel: Kernel, paths: Sequence[Path], timeout_s: float) -> int:
    """Publish the events, wait until they and all that they caused are over, print a tree for each.

    What cannot be read or published is said at the end; the rest goes on.

    Returns:
        The exit code: 0, 1 when something failed or could not be read, 4 when something was denied, 6 when the time
        was over first.
    """
    events, problems = read_paths(paths)
    went = _Went(problems=problems)
    watch = Watch()
    kernel.observers.add(watch)
    began = time.perf_counter()
    async with Runner(kernel):
        await _publish(kernel, watch, events, went)
        try:
            async with asyncio.timeout(timeout_s):
                await _settled(kernel, watch, went.published)
        except TimeoutError:
            went.late = True
    seconds = time.perf_counter() - began
    for event in went.published:
        found = await reading.trace(kernel.store, kernel.settings.tenant, event.id)
        if found is not None:
            went.traces.append(found)
    write_traces(screen.stdout(), "table", went.traces)
    return _conclude(went, watch, seconds, timeout_s)


async def _publish(kernel: Kernel, watch: Watch, events: Sequence[Event], went: _Went) -> None:
    who = operator(kernel.settings)
    for event in events:
        named = event if event.id else event.but(id=ids.mint())
        watch.expect(named.id)
        try:
            went.published += await patiently(
                partial(kernel.intake.publish, [named], who, source=SOURCE),
                patience_s=_PATIENCE_S,
                tell=partial(warn, screen.stderr()),
            )
        except VextirError as error:
            error.where = error.where or f"event {named.type}"
            went.problems.append(error)
            watch.forget(named.id)


async def _settled(kernel: Kernel, watch: Watch, published: Sequence[Event]) -> None:
    """Wait until nothing is left to do.

    The watch hears of what this process does. An event that was sent before, or that another process on the same data
    takes, is over without it: then two looks at the store that find the same events, all at rest, have to do.
    """
    before: object = None
    while True:
        try:
            async with asyncio.timeout(_LOOK_S):
                await watch.idle()
                return
        except TimeoutError:
            seen = await _at_rest(kernel, published)
        if seen is not None and seen == before:
            return
        before = seen


async def _at_rest(kernel: Kernel, published: Sequence[Event]) -> list[str] | None:
    """Return the ids of all records there are, or None when one is missing or not at rest."""
    found: list[str] = []
    for event in published:
        trace = await reading.trace(kernel.store, kernel.settings.tenant, event.id)
        if trace is None:
            return None
        for record in every_record(trace):
            if not at_rest(record):
                return None
            found.append(record["id"])
    return found


def _conclude(went: _Went, watch: Watch, seconds: float, timeout_s: float) -> int:
    hints = screen.stderr()
    records = [record for trace in went.traces for record in every_record(trace) if not is_echo(record)]
    words = [status(record) for record in records]
    if went.published:
        hints.write("", _summary(hints, len(went.published), words, seconds))
        hints.write(f"next: vextir trace {_telling(went).record['event_id']}" if went.traces else "next: vextir events")
    problems = [*went.problems]
    if watch.failed_to_read:
        problems += [VextirError(f"a message could not be read: {said}") for said in watch.failed_to_read]
    for problem in problems:
        hints.write(*error_lines(hints, problem))
    codes = {exit_of(words), *(exit_code(problem) for problem in problems)}
    if went.late:
        left = len(watch.open)
        error = WaitTimeoutError(
            f"{counted(left, 'event')} did not end within {timeout_s:g} s",
            hint="They are kept and go on with: vextir dev. More time: --timeout 5m",
        )
        hints.write(*error_lines(hints, error))
        codes.add(Exit.TIMEOUT)
    return next((code for code in (Exit.FAILED, Exit.USAGE, Exit.DENIED, Exit.TIMEOUT, Exit.WAITS) if code in codes), 0)


def _summary(hints: screen.Screen, published: int, words: Sequence[str], seconds: float) -> str:
    from vextir_os.cli.tree import STYLES

    caused = len(words) - published
    counts = ", ".join(
        hints.paint(f"{words.count(word):,} {word}", STYLES.get(word, "plain")) for word in dict.fromkeys(words)
    )
    also = f" and {caused:,} that followed" if caused > 0 else ""
    return f"{counted(published, 'event')}{also}: {counts or 'nothing recorded'}; {duration(seconds)}"


def _telling(went: _Went) -> reading.Trace:
    """Return the trace to look at next: the first with something wrong in it, else the first with the most in it."""
    for trace in went.traces:
        if any(status(record) in ("failed", "denied") for record in every_record(trace)):
            return trace
    return max(went.traces, key=lambda trace: sum(1 for _ in every_record(trace)))
