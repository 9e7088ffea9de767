"""What a driver raises and returns means the same wherever it runs; classes live once in each process and thread."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.drivers import write_driver
from tests.support.isolated import RETRY_NONE, a_driver, an_os_of
from vextir_os.events.event import Event

ISOLATIONS = ("inline", "thread", "process")
RAISED = {
    "bug": "raise ValueError('wrong')",
    "transient": "raise TransientError('down')",
    "throttled": "raise ThrottledError('later', retry_after_s=7.5)",
    "invalid": "raise InvalidError('unknown', hint='Look it up', where='orders:3')",
    "forbidden": "raise ForbiddenError('no')",
    "time-out of its own": "raise TimeoutError('slow')",
    "connection": "raise ConnectionResetError('gone')",
    "declared": "raise KeyError('x')",
    "declared by package": "import json\njson.loads('{')",
    "cancelled": "import asyncio\nraise asyncio.CancelledError",
    "exit": "raise SystemExit(3)",
    "group": "raise ExceptionGroup('two', [ValueError('a'), KeyError('b')])",
    "429": "E = type('E', (Exception,), {'status_code': 429, 'headers': {'retry-after': '11'}})\nraise E('busy')",
    "404": "raise type('E', (Exception,), {'status_code': 404})('none')",
    "no JSON": "RETURN object()",
    "mixed": "RETURN [Event(type='a.b'), 1]",
    "reserved": "RETURN Event(type='vextir.own')",
    "no permission": "RETURN Event(type='other.type')",
    "too many": "RETURN [Event(type='a.b')] * 101",
    "message of two lines": "raise ValueError('one\\ntwo')",
}


async def test_a_failure_is_of_the_same_kind_in_every_isolation(tmp_path: Path) -> None:
    body = (
        "code = event.data\nif code.startswith('RETURN '):\n    return eval(code.removeprefix('RETURN '))\nexec(code)"
    )
    options = ', errors={"KeyError": "invalid", "json.JSONDecodeError": "throttled"}' + RETRY_NONE
    for isolation in ISOLATIONS:
        a_driver(tmp_path, body, name=isolation, options=f', isolation="{isolation}"{options}')
    found: dict[str, dict[str, Any]] = {}
    async with an_os_of(tmp_path) as os_:
        for isolation in ISOLATIONS:
            events = [Event(id=f"{isolation}-{n}", type=f"{isolation}.wanted", data=body) for n, body in
                      enumerate(RAISED.values())]  # fmt: skip
            errors = [record["runs"][isolation]["error"] for record in await os_.run(*events)]
            found[isolation] = {
                name: [error["class"], error["code"], error["kind"], error["message"].replace(isolation, "HERE")]
                for name, error in zip(RAISED, errors, strict=True)
            }
    assert found["thread"] == found["inline"]
    assert found["process"] == found["inline"]
    assert found["process"]["throttled"][2] == found["process"]["declared by package"][2] == "throttled"


async def test_a_named_delay_is_kept_across_processes(tmp_path: Path) -> None:
    a_driver(tmp_path, "raise ThrottledError('later', retry_after_s=250)")
    async with an_os_of(tmp_path, working=False) as os_:
        await os_.publish(Event(id="e-1", type="bad.wanted"))
        await os_.work()
        run = (await os_.record("e-1"))["runs"]["bad"]
    assert run["state"] == "retry"
    assert 245 < run["not_before"] - run["started"] < 260


RETURNED = {
    "nothing": "None",
    "text": "'x'",
    "list": "[1, 2.5, None, {'a': [True]}]",
    "model": "__import__('pydantic').create_model('M', a=(int, 1))()",
    "event": "Event(type='a.done', data={'n': 1}, subject='s', labels=('x',), priority=2, partitionkey='k')",
    "events": "[Event(type='a.done', data=n) for n in range(3)]",
    "both": "Result(output={'a': 1}, events=[Event(type='a.done', extensions={'mine': 'yes'})])",
    "null data": "Event(type='a.done', null_data=True)",
    "identity is the edge's": "Event(type='a.done', userid='mallory', tenantid='evil', correlationid='c', lineage='x')",
    "large": "'x' * 100_000",
}


async def test_what_is_returned_is_the_same_in_every_isolation(tmp_path: Path, atomic: bool) -> None:
    for isolation in ISOLATIONS:
        options = f', isolation="{isolation}", permissions=["emit:a.done"]'
        a_driver(tmp_path, "return eval(event.data)", name=isolation, options=options + RETRY_NONE)
    found: dict[str, Any] = {}
    async with an_os_of(tmp_path, atomic=atomic) as os_:
        for isolation in ISOLATIONS:
            names = {f"{isolation}-{n}": body for n, body in enumerate(RETURNED.values())}
            events = [Event(id=name, type=f"{isolation}.wanted", data=body) for name, body in names.items()]
            runs = [record["runs"][isolation] for record in await os_.run(*events)]
            emitted = [record["event"] for record in await os_.records("a.done")]
            emitted = [event for event in emitted if event["causationid"] in names]
            for event in emitted:
                for changing in ("id", "time", "source", "causationid", "correlationid", "lineage"):
                    event.pop(changing, None)
            found[isolation] = (
                [(run["state"], run["output"], bool(run["output_ref"]), run["error"]) for run in runs],
                sorted(map(str, emitted)),
            )
    assert found["thread"] == found["inline"]
    assert found["process"] == found["inline"]
    assert len(found["process"][1]) == 7


CLASS = """
import os, threading
@driver("a", capabilities=["a.wanted"], isolation="{isolation}", concurrency=1)
class Till:
    def __init__(self):
        self.count = 0
    async def start(self):
        self.where = (os.getpid(), threading.get_ident())
        print("started")
    async def handle(self, event: Event):
        self.count += 1
        return [self.count, self.where == (os.getpid(), threading.get_ident())]
    async def stop(self):
        print("stopped", self.count)
"""


@pytest.mark.parametrize("isolation", ["thread", "process"])
async def test_a_class_is_started_once_where_it_runs_and_stopped_with_the_os(
    tmp_path: Path, isolation: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    write_driver(tmp_path, "a", CLASS.format(isolation=isolation))
    with caplog.at_level("INFO", "vextir.driver"):
        async with an_os_of(tmp_path) as os_:
            records = await os_.run(*[Event(type="a.wanted") for _ in range(3)])
    said = capsys.readouterr().out.split("\n") if isolation == "thread" else caplog.messages
    assert [line for line in said if line] == ["started", "stopped 3"]
    assert sorted(record["runs"]["a"]["output"] for record in records) == [[1, True], [2, True], [3, True]]


TWO = """
import threading
together = threading.Barrier(2)
@driver("a", capabilities=["a.wanted"], isolation="thread")
class Till:
    async def start(self):
        self.mine = threading.get_ident()
    def handle(self, event: Event):
        together.wait(20)
        return self.mine == threading.get_ident()
"""


async def test_two_threads_have_two_instances_of_a_class(tmp_path: Path) -> None:
    write_driver(tmp_path, "a", TWO)
    async with an_os_of(tmp_path) as os_:
        records = await os_.run(*[Event(type="a.wanted") for _ in range(2)])
    assert [record["runs"]["a"]["output"] for record in records] == [True, True]
