"""An OS on a real SQLite file, with drivers from the test, driven from the test's own event loop."""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vextir_os.bootstrap import open_kernel
from vextir_os.errors import NotFoundError
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.kernel import Kernel
from vextir_os.local.runner import Runner
from vextir_os.local.watch import Watch
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle, Match, Policy
from vextir_os.ports.clock import Clock
from vextir_os.ports.store import Where
from vextir_os.processor.pipeline import Processor
from vextir_os.registry.registry import Registry
from vextir_os.runs import reading
from vextir_os.runs.record import DEAD_LETTERS, EVENTS
from vextir_os.settings import Settings

ANN = Principal(kind="user", id="ann", tenant="local")
ALLOW_ALL = (
    Policy(id="allow-all", effect="allow", match=Match(action=("publish:**", "process:**", "emit:**")), priority=1),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Harness:
    """A running OS and what tests ask of it."""

    kernel: Kernel
    watch: Watch

    async def publish(self, *events: Event, who: Principal = ANN) -> list[Event]:
        """Publish and return at once what was accepted."""
        return await self.kernel.intake.publish(events, who, source="/cli")

    async def run(self, *events: Event) -> list[Mapping[str, Any]]:
        """Publish, wait until all that follows is finished, and return the records in the order of the events."""
        named = [event if event.id else event.but(id=f"e-{number}") for number, event in enumerate(events, 1)]
        self.watch.expect(*(event.id for event in named))
        await self.publish(*named)
        await self.watch.idle()
        return [await self.record(event.id) for event in named]

    async def record(self, event_id: str) -> Mapping[str, Any]:
        """Return the record of an event."""
        found = await reading.find(self.kernel.store, "local", event_id)
        if found is None:
            raise NotFoundError(f"no record of event {event_id}")
        return found

    async def records(self, type_: str | None = None) -> list[Mapping[str, Any]]:
        """Return all records, or those of one event type, the oldest first."""
        page = await self.kernel.store.query(EVENTS, limit=1_000)
        return [item.document for item in page.items if type_ in (None, item.document["event"]["type"])]

    async def dead_letters(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the dead letters of a kind: `message` or `run`."""
        page = await self.kernel.store.query(DEAD_LETTERS, [Where("kind", "=", kind)], limit=1_000)
        return [item.document for item in page.items]


@contextlib.asynccontextmanager
async def an_os(
    folder: Path,
    *drivers: Callable[..., Any],
    policies: Sequence[Policy] = ALLOW_ALL,
    atomic: bool = True,
    clock: Clock | None = None,
    working: bool = True,
    **settings: Any,
) -> AsyncIterator[Harness]:
    """Run an OS on `folder/data`.

    Args:
        folder: Where the data goes; the same folder again is the same OS after a restart.
        drivers: Functions under `@driver`.
        policies: The bundle.
        atomic: Whether the processor may use the transaction that store and queue share; without, it works as on
            Service Bus and Cosmos.
        clock: By default the machine's.
        working: Whether workers and sweep run.
        settings: Further settings.
    """
    given = Settings(root=folder, data_dir=folder / "data", **settings)
    engine = PolicyEngine(Bundle(policies=tuple(policies)))
    async with open_kernel(given, registry=Registry.of(*drivers), policy=engine, clock=clock) as kernel:
        if not atomic:
            parts = kernel.processor.parts
            stepwise = dataclasses.replace(parts, desk=dataclasses.replace(parts.desk, atomic=None))
            kernel = dataclasses.replace(kernel, processor=Processor(stepwise))
        watch = Watch()
        kernel.observers.add(watch)
        async with contextlib.AsyncExitStack() as stack:
            if working:
                await stack.enter_async_context(Runner(kernel))
            yield Harness(kernel=kernel, watch=watch)
