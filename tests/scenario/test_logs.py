"""The log of a working OS: one line for each outcome, named by its ids; no data, no secret, no forged line."""

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.support.clock import FakeClock
from tests.support.harness import ALLOW_ALL, Harness, an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError, TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.errors import DeniedError, SettingsError
from vextir_os.events.event import Event
from vextir_os.policy.model import Match, Policy
from vextir_os.telemetry.counting import Counting
from vextir_os.telemetry.logs import Handler, logged
from vextir_os.telemetry.writer import Line, Writer

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NO_SECRETS = Policy(
    id="no-secrets", effect="deny", match=Match(action=("publish:secret.*", "process:later.*")), reason="nobody may"
)


@driver("quiet", capabilities=["job.done"])
async def quiet(event: Event) -> str:
    return "ok"


@driver("talker", capabilities=["job.told"])
async def talker(event: Event, ctx: Context) -> None:
    ctx.log("hello\n{forged}", tenant="forged", api_key="sk-1", nested={"password": "p"}, count=2)


@driver("failing", capabilities=["job.sent"], retry=Retry(max_attempts=2, base_s=8, cap_s=60))
async def failing(event: Event, ctx: Context, data: dict[str, int]) -> None:
    raise TransientError(f"cannot do {data}") if ctx.attempt == 1 else InvalidError(f"never {data}")


@contextlib.contextmanager
def the_log(os: Harness, level: str = "info") -> Iterator[list[dict[str, Any]]]:
    """Log while the block runs; the list holds its lines after it."""
    settings = os.kernel.settings
    path = settings.root / "vextir.log"
    object.__setattr__(settings, "log", str(path))
    object.__setattr__(settings, "log_level", level)
    found: list[dict[str, Any]] = []
    with logged(settings, os.kernel.observers, os.kernel.clock):
        yield found
    found += map(json.loads, path.read_text().splitlines())


async def test_a_finished_run_is_one_line_that_names_it(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, quiet, atomic=atomic, clock=FakeClock(), working=False) as os:
        with the_log(os) as lines:
            event = Event(id="e-1", type="job.done", data="DATA", traceparent=f"00-{TRACE}-{SPAN}-01")
            await os.publish(event)
            await os.work()
        record = await os.record("e-1")
        assert lines == [
            {
                "time": "2027-01-15T08:00:00.000+00:00",
                "level": "info",
                "event": "run done",
                "event_id": "e-1",
                "type": "job.done",
                "run": f"{record['id']}/quiet/0",
                "driver": "quiet",
                "correlation_id": "e-1",
                "tenant": "local",
                "attempt": 1,
                "duration_ms": 0.0,
                "trace_id": TRACE,
                "span_id": SPAN,
            }
        ]


async def test_failures_are_told_louder_the_worse_they_are_and_quote_nothing(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        with the_log(os) as lines:
            await os.publish(Event(id="e-1", type="job.sent", data={"DATA": 1}))
            await os.work()
            clock.advance(20)
            await os.sweep()
            await os.work()
        told = [(line["level"], line["event"], line.get("attempt"), line.get("error_class")) for line in lines]
        assert told == [
            ("warning", "run failed and is tried again", 1, "TransientError"),
            ("info", "sweep", None, None),
            ("error", "run dead", 2, "InvalidError"),
        ]
        assert lines[0]["again_in_s"] == 4.0
        assert "DATA" not in (tmp_path / "vextir.log").read_text()


async def test_the_text_of_an_error_is_there_at_level_debug(tmp_path: Path) -> None:
    async with an_os(tmp_path, failing, clock=FakeClock(), working=False) as os:
        with the_log(os, "debug") as lines:
            await os.publish(Event(id="e-1", type="job.sent", data={"n": 1}))
            await os.work()
        assert lines[0]["error"] == "cannot do {'n': 1}"


async def test_decisions_that_are_not_allow_and_events_that_nobody_handles_are_told(
    tmp_path: Path, atomic: bool
) -> None:
    policies = (*ALLOW_ALL, NO_SECRETS)
    async with an_os(tmp_path, quiet, atomic=atomic, policies=policies, working=False) as os:
        with the_log(os) as lines:
            await os.publish(Event(id="e-1", type="later.on"), Event(id="e-2", type="un.heard"))
            with pytest.raises(DeniedError, match="nobody may"):
                await os.publish(Event(type="secret.told", data="DATA"))
            await os.send(b'{"type": "DATA')
            await os.work()
        told = {(line["event"], line["level"]): line for line in lines}
        denied = told["event decided: deny", "info"]
        assert (denied["event_id"], denied["policy_id"], denied["reason"]) == ("e-1", "no-secrets", "nobody may")
        assert told["event unrouted", "warning"]["event_id"] == "e-2"
        assert told["publish refused", "info"]["policy_id"] == "no-secrets"
        assert set(told["message dead-lettered", "error"]) == {"time", "level", "event", "dead_letter"}
        assert "DATA" not in (tmp_path / "vextir.log").read_text()


async def test_what_a_driver_logs_carries_its_ids_and_forges_nothing(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, talker, atomic=atomic, working=False) as os:
        with the_log(os) as lines:
            await os.publish(Event(id="e-1", type="job.told", traceparent=f"00-{TRACE}-{SPAN}-01"))
            await os.work()
        said, done = lines
        assert (said["event"], said["level"]) == ("hello\n{forged}", "info")
        assert said["fields"] == {
            "tenant": "forged", "api_key": "[redacted]", "nested": {"password": "[redacted]"}, "count": 2
        }  # fmt: skip
        for name in ("event_id", "run", "driver", "correlation_id", "tenant", "attempt", "trace_id", "span_id"):
            assert said[name] == done[name]
        assert len((tmp_path / "vextir.log").read_text().splitlines()) == 2


async def test_levels_below_the_one_that_is_set_are_not_written(tmp_path: Path) -> None:
    async with an_os(tmp_path, quiet, talker, working=False) as os:
        with the_log(os, "warning") as lines:
            await os.publish(Event(type="job.done"), Event(type="job.told"), Event(type="un.heard"))
            await os.work()
        assert [line["event"] for line in lines] == ["event unrouted"]


async def test_other_libraries_are_heard_from_warning_on_and_their_secrets_are_not(tmp_path: Path) -> None:
    async with an_os(tmp_path, working=False) as os:
        with the_log(os, "debug") as lines:
            other = logging.getLogger("other.library")
            other.setLevel(logging.DEBUG)
            other.info("request with header Authorization: Bearer abcdefgh")
            other.warning("retrying with %s", "api_key=sk-1")
        assert [(line["event"], line["logger"]) for line in lines] == [
            ("retrying with api_key=[redacted]", "other.library")
        ]


def test_arguments_that_do_not_fit_their_message_cost_no_line() -> None:
    lines: list[Line] = []

    class Kept(Writer):
        def __init__(self) -> None: ...

        def put(self, line: Line) -> None:
            lines.append(line)

    wrong = {"name": "vextir.driver", "levelno": logging.INFO, "msg": "%d", "args": ("no number",)}
    Handler(Kept()).emit(logging.makeLogRecord(wrong))
    assert [line.event for line in lines] == ["%d"]


async def test_structlog_in_a_driver_goes_to_the_log_as_well(tmp_path: Path, capsys: Any) -> None:
    async with an_os(tmp_path, working=False) as os:
        with the_log(os) as lines:
            structlog.get_logger().info("from structlog", token="t", n=1)
        assert (lines[0]["event"], lines[0]["fields"]) == ("from structlog", {"token": "[redacted]", "n": 1})
        assert capsys.readouterr().out == ""


async def test_afterwards_all_is_as_it_was(tmp_path: Path) -> None:
    root, ours = logging.getLogger(), logging.getLogger("vextir")
    before = (list(root.handlers), ours.level)
    async with an_os(tmp_path, working=False) as os:
        with the_log(os):
            assert (len(root.handlers), ours.level) == (len(before[0]) + 1, logging.INFO)
        assert (list(root.handlers), ours.level) == before


async def test_lines_that_had_no_room_are_counted_in_the_metrics(tmp_path: Path) -> None:
    async with an_os(tmp_path, working=False) as os:
        counting = Counting(os.kernel.clock)
        os.kernel.observers.add(counting)
        os.kernel.observers.unlogged(3)
        os.kernel.observers.unlogged(4)
        assert counting.counts.unlogged == 7


async def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    async with an_os(tmp_path, working=False) as os:
        (tmp_path / "vextir.log").mkdir()
        with pytest.raises(SettingsError, match=r"vextir\.log cannot be written: Is a directory"), the_log(os):
            raise AssertionError("it was written")
