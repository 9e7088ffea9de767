from pathlib import Path

import pytest

from tests.support.harness import an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event


@driver("ask", capabilities=["question.asked"], permissions=["emit:question.answered"])
async def ask(event: Event, ctx: Context) -> Result:
    return Result(output={"got": event.data["text"]}, events=[Event(type="question.answered", data={"text": "42"})])


@driver("hear", capabilities=["question.*"])
async def hear(event: Event, ctx: Context) -> dict:
    return {"heard": event.type}


@pytest.mark.parametrize("atomic", [True, False], ids=["one-transaction", "outbox"])
async def test_an_event_is_decided_routed_run_and_committed(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, ask, hear, atomic=atomic) as os:
        (record,) = await os.run(Event(type="question.asked", data={"text": "why"}))
        assert record["runs"]["ask"]["output"] == {"got": "why"}
        print(await os.records())
