"""The data: whether the database is whole, who works on it, and what does not go on."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vextir_os.cli.doctor.finding import Finding, Patient
from vextir_os.cli.text import counted, duration
from vextir_os.errors import NotFoundError, StoreError
from vextir_os.local.presence import Census, census

if TYPE_CHECKING:
    from vextir_os.ports.gauges import QueueGauge

LOOK_S = 5.0
"""For so long the database is looked through for damage."""

OVERDUE_S = 300.0
"""A record that is due for longer than this is stuck: it is looked at every few seconds where somebody works."""

_COUNTED = 1_000
_LETTERS = 10_000
_LOG_BYTES = 256_000_000


def database(patient: Patient) -> Iterator[Finding]:
    """Look whether the database can be read and is whole."""
    from vextir_os.bootstrap import look_at_data

    try:
        with look_at_data(patient.database) as look:
            damage, whole = look.damage(LOOK_S)
            writes_ahead = look.is_wal()
    except NotFoundError:
        yield Finding(check="database", level="ok", what="there is none yet; the first start makes it")
        return
    except StoreError as error:
        yield Finding(
            check="database",
            level="problem",
            what=error.what,
            means="the OS does not start, or does not keep what it does",
            advice=error.hint or "Run the doctor, and the OS, as the user who owns it",
        )
        return
    if damage:
        yield Finding(
            check="database",
            level="problem",
            what=f"it is damaged: {'; '.join(damage)}",
            means="events may be lost, and what reads the damaged part fails",
            advice="Stop all processes and keep a copy; then restore a backup, or use sqlite3's `.recover`",
        )
        return
    if not writes_ahead:
        yield Finding(
            check="database",
            level="warning",
            what="its journal mode is not wal",
            means="something else has opened it; the next start of the OS changes it back",
            advice="Let no other program write to it",
        )
    size = sum(path.stat().st_size for path in (patient.database, _log(patient)) if path.exists())
    seen = "whole" if whole else f"no damage was seen in {LOOK_S:g} s, and it is too large to look through"
    yield Finding(check="database", level="ok", what=f"{seen}; {size / 1e6:,.1f} MB")


def workers(patient: Patient) -> Iterator[Finding]:
    """Look who works on the data."""
    found = census(patient.data_dir)
    waiting = _waiting(_queues(patient))
    if found.unknown:
        yield Finding(
            check="workers",
            level="warning",
            what=f"of {counted(len(found.unknown), 'worker')} this user may not know whether they live",
            means="who works on the data cannot be said",
            advice="Run the doctor as the user who owns the data",
        )
    elif found.alive:
        many = len(found.alive)
        yield Finding(
            check="workers",
            level="ok",
            what="1 process works on the data" if many == 1 else f"{many} processes work on the data",
        )
    elif waiting:
        yield Finding(
            check="workers",
            level="warning",
            what=f"{counted(waiting, 'message')} wait, and no process works on the data",
            means="nothing goes on",
            advice="Run: vextir dev",
        )
    else:
        yield Finding(check="workers", level="ok", what="no process works on the data, and nothing waits")
    yield from _left_behind(found)


def stuck(patient: Patient) -> Iterator[Finding]:
    """Look for what does not go on, or piles up."""
    from vextir_os.bootstrap import look_at_data
    from vextir_os.runs.record import DEAD_LETTERS, EVENTS

    problems: list[Finding] = []
    try:
        with look_at_data(patient.database) as look:
            overdue = look.overdue(EVENTS, patient.began.wall - OVERDUE_S, _COUNTED)
            letters = look.newest(DEAD_LETTERS, _LETTERS)
            gauges = {gauge.name: gauge for gauge in look.queues()}
            idle = not _waiting(gauges) and not census(patient.data_dir).alive
            strays = look.strays(EVENTS, _COUNTED) if idle else None
    except StoreError:
        # What is wrong with the database, its own check says.
        return
    if overdue.number:
        problems.append(_overdue(overdue.number, patient.began.wall - overdue.measure))
    problems += _letters(letters)
    problems += _queue(patient, _waiting(gauges))
    log = _log(patient)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        problems.append(
            Finding(
                check="stuck",
                level="warning",
                what=f"the log of the database has {log.stat().st_size / 1e6:,.0f} MB",
                means="somebody reads in it for long, and keeps it from shrinking",
                advice="Look for a program that has the database open: a database browser, a backup",
            )
        )
    if strays and strays.number:
        problems.append(
            Finding(
                check="stuck",
                level="warning",
                what=f"{_at_least(strays.number)} large values, {strays.measure / 1e6:,.1f} MB, belong to no record",
                means="a crash left them between two writes; they take room and do no harm",
                advice="Nothing has to be done",
            )
        )
    yield from problems or [Finding(check="stuck", level="ok", what="nothing is overdue, no dead letter is open")]


def _overdue(count: int, late_s: float) -> Finding:
    return Finding(
        check="stuck",
        level="warning",
        what=f"{_at_least(count)} records are overdue, the first for {duration(late_s)}",
        means="nobody works on the data, or somebody's look for what was left behind fails",
        advice="Run: vextir dev; if it runs already, read its log for `cannot sweep`",
    )


def _letters(letters: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    from vextir_os.runs.deadletter import OPEN, state_of

    unanswered = sum(state_of(letter) == OPEN for letter in letters)
    if unanswered:
        yield Finding(
            check="stuck",
            level="warning",
            what=f"{counted(unanswered, 'dead letter')} open{'' if len(letters) < _LETTERS else ', at least'}",
            means="somebody has to look at them: they are not tried again by themselves",
            advice="Run: vextir dead group",
        )


def _queue(patient: Patient, waiting: int) -> Iterator[Finding]:
    most: int = patient.found.values["max_queue_depth"]
    if most and waiting >= most * 0.8:
        yield Finding(
            check="stuck",
            level="problem" if waiting >= most else "warning",
            what=f"{waiting:,} events wait, {most:,} may (max_queue_depth)",
            means="over it nothing is let in from outside",
            advice="Run more workers: vextir dev --workers N; and look for a driver that is slow: vextir runs",
        )


def _left_behind(found: Census) -> Iterator[Finding]:
    if found.gone and not found.alive:
        yield Finding(
            check="workers",
            level="warning",
            what=f"{counted(len(found.gone), 'worker')} ended without giving back what they held",
            means="it waits for the next start, which gives it to others at once",
            advice="Run: vextir dev",
        )


def _queues(patient: Patient) -> "Mapping[str, QueueGauge]":
    from vextir_os.bootstrap import look_at_data

    try:
        with look_at_data(patient.database) as look:
            return {gauge.name: gauge for gauge in look.queues()}
    except StoreError:
        return {}


def _waiting(gauges: "Mapping[str, QueueGauge]") -> int:
    return sum(gauge.messages["active"] for name, gauge in gauges.items() if "$" not in name)


def _log(patient: Patient) -> Path:
    return patient.database.with_name(f"{patient.database.name}-wal")


def _at_least(count: int) -> str:
    return f"{count:,}" if count < _COUNTED else f"{count:,} or more"
