"""The stock drivers, run as the OS runs them: found in the index, loaded by path, called with an event."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vextir_os import Event, Result
from vextir_os.driverkit.call import call_driver
from vextir_os.driverkit.outcome import normalise
from vextir_os.events.identity import Principal
from vextir_os.policy.grammar import permits
from vextir_os.registry.registry import Registry
from vextir_os.runs.context import RunContext

ROOT = Path(__file__).parents[2]
REGISTRY = Registry.open(ROOT)
NOW = datetime(2026, 9, 16, 8, 30, tzinfo=UTC)
"""A Wednesday morning; `ctx.now` of every run."""


async def run(driver_id: str, type_: str, data: Any) -> Result:
    """Run one driver for one event and return its result; what it emits must stand among its permissions."""
    manifest = REGISTRY.get(driver_id)
    assert manifest in REGISTRY.route(type_)
    context = RunContext(
        driver=driver_id,
        event_id="e-1",
        principal=Principal(kind="user", id="ann", tenant="acme"),
        attempt=1,
        rerun=0,
        now=NOW.timestamp(),
    )
    event = Event(id="e-1", type=type_, data=data)
    result = normalise(await call_driver(REGISTRY.load(manifest), event, context), driver_id)
    for emitted in result.events:
        assert permits(manifest.permissions, f"emit:{emitted.type}")
    return result
