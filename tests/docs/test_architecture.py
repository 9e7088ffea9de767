"""The architecture page says what is so: floors, stages, writes, the record's layout, numbers."""

import dataclasses
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.support.harness import an_os
from vextir_os import Event, driver
from vextir_os.events.limits import INLINE_BYTES
from vextir_os.ports.atomic import Atomic, Operation
from vextir_os.processor.pipeline import STAGES, Processor
from vextir_os.runs.record import RecordDoc, RunDoc
from vextir_os.runs.transitions import MAX_TAKEOVERS
from vextir_os.settings import Settings

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DEFAULTS = Settings(root=ROOT, data_dir=ROOT)


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def packages() -> list[str]:
    """Return what stands below `vextir_os/`: packages and modules, without the empty ones of the future."""
    entries = (ROOT / "vextir_os").iterdir()
    return sorted(
        path.stem
        for path in entries
        if (path / "__init__.py").is_file() or (path.suffix == ".py" and "__" not in path.stem)
    )


def test_the_page_draws_every_package() -> None:
    drawing = re.search(r"```text\n(.*?)```", section("Floors"), re.DOTALL)
    assert drawing
    left = [line[12:40] for line in drawing[1].splitlines()]
    assert sorted({name for line in left for name in re.findall(r"[a-z]+", line)} & set(packages())) == packages()


def test_the_page_draws_the_floors_in_the_order_of_the_contract() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ][0]
    floor_of = {
        name: number for number, layer in enumerate(contract["layers"]) for name in re.findall(r"[a-z]+", layer)
    }
    drawing = section("Floors").partition("```text\n")[2].partition("```")[0]
    first_names = [match[1] for line in drawing.splitlines() if (match := re.match(r".{12}([a-z]+)", line))]
    floors = [floor_of[name] for name in first_names]
    assert floors == sorted(floors)


def test_the_page_names_the_stages_in_their_order() -> None:
    drawing = section("The way of one event").partition("```text\n")[2].partition("```")[0]
    names = [getattr(stage, "__name__", "") for stage in STAGES]
    drawn = [word for word in re.findall(r"│   (\w+)  ", drawing) if word in names]
    assert drawn == names


def test_the_page_shows_every_member_of_a_record() -> None:
    shown = re.search(r"```json\n(.*?)```", section("The record"), re.DOTALL)
    assert shown
    record = json.loads(shown[1])
    assert set(record) == set(RecordDoc.__annotations__) - {"ttl", "acts"}
    (run,) = record["runs"].values()
    assert set(run) == set(RunDoc.__annotations__)


@pytest.mark.parametrize(
    ("said", "is_so"),
    [
        pytest.param("over 64 KB", INLINE_BYTES == 64_000, id="inline"),
        pytest.param("`VEXTIR_LOCK_S`, 60 s", DEFAULTS.lock_s == 60, id="lock"),
        pytest.param("finished records 30 (`VEXTIR_RETENTION_S`)", DEFAULTS.retention_s == 30 * 86_400, id="retention"),
        pytest.param("at the sixth death: dead", MAX_TAKEOVERS == 5, id="takeovers"),
    ],
)
def test_a_number_of_the_page_is_the_codes(said: str, is_so: bool) -> None:
    assert said in PAGE
    assert is_so


def test_importing_the_os_imports_no_pydantic() -> None:
    code = "import sys, vextir_os, vextir_os.bootstrap; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-I", "-c", code], check=False).returncode == 0


@driver("writes.first", capabilities=["writes.chain"], permissions=["emit:writes.plain"])
async def first(event: Event) -> Event:
    return Event(type="writes.plain")


@driver("writes.second", capabilities=["writes.plain"])
async def second(event: Event) -> str:
    return "done"


@driver("writes.third", capabilities=["writes.idempotent"], delivery="idempotent")
async def third(event: Event) -> str:
    return "done"


CREATED = "soft: Create"
COMMITTED = "durable: Replace Complete"


@pytest.mark.parametrize(
    ("event_type", "writes"),
    [
        pytest.param("writes.plain", [CREATED, COMMITTED], id="plain"),
        pytest.param(
            "writes.chain",
            [CREATED, "durable: Replace Send Complete", CREATED, COMMITTED],
            id="each-step-one-more",
        ),
        pytest.param("writes.idempotent", ["durable: Create Complete"], id="idempotent"),
        pytest.param("writes.unrouted", ["durable: Create Complete"], id="unrouted"),
    ],
)
async def test_an_event_on_the_queue_costs_the_writes_that_the_page_names(
    tmp_path: Path, event_type: str, writes: list[str]
) -> None:
    seen: list[str] = []
    async with an_os(tmp_path, first, second, third, working=False) as os:
        desk = os.kernel.processor.parts.desk
        assert desk.atomic is not None
        parts = dataclasses.replace(
            os.kernel.processor.parts, desk=dataclasses.replace(desk, atomic=Counted(desk.atomic, seen))
        )
        await os.publish(Event(id="e-1", type=event_type))
        while deliveries := await os.kernel.queue.receive(10, 0):
            for delivery in deliveries:
                assert await Processor(parts).process(delivery) == "settled"
    assert seen == writes


class Counted:
    """The real `Atomic`, and a list of what goes through it."""

    def __init__(self, inner: Atomic, seen: list[str]) -> None:
        self._inner = inner
        self._seen = seen

    async def transact(self, operations: Sequence[Operation], *, durable: bool = True) -> Sequence[str]:
        names = " ".join(type(operation).__name__ for operation in operations)
        self._seen.append(f"{'durable' if durable else 'soft'}: {names}")
        return await self._inner.transact(operations, durable=durable)
