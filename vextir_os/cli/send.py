"""`vextir send`: publishes events, and waits for what becomes of them when it is asked to.

With TYPE, what `--data`, `--file` or `--stdin` gives is the data of an event of this type. Without, it is whole events.
"""

import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit, warn
from vextir_os.cli.options import Flag, Format, Output, Project, seconds
from vextir_os.cli.project import SOURCE, open_to_send, settings_of
from vextir_os.errors import DriverError, UsageError, VextirError
from vextir_os.events.event import Event
from vextir_os.kernel import Kernel, operator
from vextir_os.local.loop import run
from vextir_os.settings import Settings

Type = Annotated[str | None, Parameter(help="Type of the event: mail.received. Without it, whole events are read.")]
Data = Annotated[str | None, Parameter(help="The data, as JSON.", show_default=False)]
File = Annotated[Path | None, Parameter(help="A file with the data; without TYPE with events.", show_default=False)]
Stdin = Annotated[Flag, Parameter(help="Read stdin: one JSON value per line, each an event of its own.")]
Attribute = Annotated[str, Parameter(show_default=False)]
Priority = Annotated[int, Parameter(help="0 to 9; 7 and above go first.")]
Labels = Annotated[list[str] | None, Parameter(name="--label", help="A mark; may be repeated.", show_default=False)]
Wait = Annotated[Flag, Parameter(help="Wait until its drivers have ended; the exit code says how.")]
Timeout = Annotated[str, Parameter(help="How long to wait: 500ms, 30s, 5m.")]
Patience = Annotated[str, Parameter(help="How long to try again while the queue or the disk is full.")]


@dataclass(kw_only=True)
class _Sending:
    """What one command sends, and what it has sent."""

    settings: Settings
    form: Format
    to: screen.Screen = field(default_factory=screen.stdout)
    hints: screen.Screen = field(default_factory=screen.stderr)
    sent: list[Event] = field(default_factory=list)
    patience_s: float = 0.0


def send(
    event_type: Type = None,
    /,
    *,
    data: Data = None,
    file: File = None,
    stdin: Stdin = False,
    id: Annotated[Attribute, Parameter(help="Its id; sent twice under one id, it is run once.")] = "",  # noqa: A002
    source: Annotated[Attribute, Parameter(help="Where it comes from; by default /cli, which is trusted.")] = "",
    subject: Annotated[Attribute, Parameter(help="What it is about, within its source.")] = "",
    correlation: Annotated[Attribute, Parameter(help="Id of the flow that it belongs to.")] = "",
    ordered: Annotated[Attribute, Parameter(help="A key: in the order of sending among all of that key.")] = "",
    priority: Priority = 5,
    label: Labels = None,
    wait: Wait = False,
    timeout: Timeout = "60s",
    patience: Patience = "60s",
    output: Output = "table",
    project: Project = None,
) -> int:
    """Publish an event, or many; the ids go to stdout once the events are safe on the queue."""
    if sum((data is not None, file is not None, stdin)) > 1:
        raise UsageError("the data comes from one place", hint="Use one of --data, --file and --stdin")
    attributes: dict[str, Any] = {
        "id": id, "source": source, "subject": subject, "correlationid": correlation, "priority": priority,
        "labels": tuple(label or ()),
    }  # fmt: skip
    if ordered:
        attributes |= {"partitionkey": ordered, "ordered": True}
    if event_type is None:
        _check_whole(attributes, data)
    if id and stdin:
        raise UsageError("--id names one event, and --stdin has many")
    make = _maker(event_type, attributes)
    timeout_s = seconds(timeout, "--timeout")
    patience_s = 0.0 if patience == "0s" else seconds(patience, "--patience")
    sending = _Sending(settings=settings_of(project), form=output, patience_s=patience_s)
    return run(_send(sending, _batches(make, event_type, data, file, stdin), timeout_s if wait else None))


def _check_whole(attributes: dict[str, Any], data: str | None) -> None:
    given = [name for name, value in attributes.items() if value and (name, value) != ("priority", 5)]
    if data is not None:
        raise UsageError("--data needs the type of its event", hint="Write: vextir send mail.received --data '{…}'")
    if given:
        raise UsageError(f"{', '.join(given)} describe an event of TYPE, and there is none", hint="Name the type first")


def _maker(event_type: str | None, attributes: dict[str, Any]) -> Callable[[bytes, str], Event]:
    from vextir_os.cli.files import data_of_line, event_of_line

    if event_type is None:
        return event_of_line

    def make(raw: bytes, where: str) -> Event:
        value = data_of_line(raw, where)
        return Event(type=event_type, data=value, null_data=value is None, **attributes)

    # A type or attribute that is wrong is said before anything is read.
    empty = Event(type=event_type, **attributes)
    return lambda raw, where: make(raw, where) if raw else empty


async def _batches(
    make: Callable[[bytes, str], Event], event_type: str | None, data: str | None, file: Path | None, stdin: bool
) -> AsyncIterator[list[Event]]:
    from vextir_os.cli.files import read_bytes, read_file
    from vextir_os.cli.lines import CHUNK, chunks

    if stdin:
        async for lines in chunks(sys.stdin.fileno()):
            yield [make(raw, f"stdin, line {number}") for number, raw in lines]
    elif file is not None and event_type is None:
        events = read_file(file)
        for first in range(0, len(events), CHUNK):
            yield events[first : first + CHUNK]
    elif file is not None:
        yield [make(read_bytes(file) or b" ", str(file))]
    elif event_type is None:
        raise UsageError(
            "there is nothing to send", hint="Write: vextir send TYPE --data JSON, or give --file or --stdin"
        )
    else:
        yield [make(b"" if data is None else data.encode("utf-8", "surrogateescape") or b" ", "--data")]


async def _send(sending: _Sending, batches: AsyncIterator[list[Event]], timeout_s: float | None) -> int:
    from vextir_os.cli.outcome import exit_of, wait_for_all

    async with open_to_send(sending.settings) as kernel:
        try:
            async for batch in batches:
                await _publish(sending, kernel, batch)
        except VextirError as error:
            sent = f"{len(sending.sent):,} events before it were sent" if sending.sent else "Nothing was sent"
            error.hint = f"{error.hint}. {sent}" if error.hint else sent
            raise
        if timeout_s is None:
            _write_all(sending, None)
            _say_next(sending)
            return Exit.DONE
        words = await wait_for_all(kernel.store, sending.sent, timeout_s)
        _write_all(sending, words)
        _say_outcome(sending, words)
        return exit_of(words)


async def _publish(sending: _Sending, kernel: Kernel, batch: list[Event]) -> None:
    from vextir_os.cli.patience import patiently

    stamped = await patiently(
        lambda: kernel.intake.publish(batch, operator(sending.settings), source=SOURCE),
        patience_s=sending.patience_s,
        tell=lambda text: warn(sending.hints, text),
    )
    sending.sent += stamped
    if sending.form == "table":
        sending.to.write(*(event.id for event in stamped))
    asked = max(event.priority for event in batch)
    if asked > max(event.priority for event in stamped):
        warn(sending.hints, f"priority {asked} was lowered to {max(event.priority for event in stamped)}")
    if len(batch) == 1:
        _warn_of_no_driver(sending, stamped[0].type)


def _warn_of_no_driver(sending: _Sending, event_type: str) -> None:
    from vextir_os.errors import did_you_mean
    from vextir_os.registry.registry import Registry

    try:
        registry = Registry.open(sending.settings.root, sending.settings.packs)
    except DriverError:
        return
    if not registry.route(event_type):
        near = did_you_mean(event_type, registry.capabilities)
        warn(sending.hints, f"no driver of this project handles {event_type}{'. ' if near else ''}{near}")


def _write_all(sending: _Sending, words: list[str] | None) -> None:
    from vextir_os.cli.output import write_list

    if sending.form == "table":
        return
    items: list[dict[str, Any]] = [
        {"id": event.id, "type": event.type, "source": event.source, "correlation": event.correlationid}
        for event in sending.sent
    ]
    for item, word in zip(items, words or (), strict=False):
        item["status"] = word
    write_list(sending.to, sending.form, many="sent", one="sent", items=items, table=[], head=())


def _say_next(sending: _Sending) -> None:
    if len(sending.sent) == 1:
        sending.hints.write(f"sent. Next: vextir trace {sending.sent[0].id}")
    else:
        sending.hints.write(f"{len(sending.sent):,} events sent. Next: vextir events")


def _say_outcome(sending: _Sending, words: list[str]) -> None:
    from vextir_os.cli.tree import STYLES

    counts = {word: words.count(word) for word in sorted(set(words))}
    said = ", ".join(
        sending.hints.paint(word if len(words) == 1 else f"{count:,} {word}", STYLES.get(word, "plain"))
        for word, count in counts.items()
    )
    after = f"vextir trace {sending.sent[0].id}" if len(words) == 1 else "vextir events"
    sending.hints.write(f"{said or 'nothing was sent'}. Next: {after}")
