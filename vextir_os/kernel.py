"""The kernel: the parts that every face holds. A value; `bootstrap` makes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from vextir_os.bus.eventbus import EventBus
from vextir_os.events.identity import Principal
from vextir_os.policy.engine import PolicyEngine
from vextir_os.ports.blobs import Blobs
from vextir_os.ports.clock import Clock
from vextir_os.ports.gauges import Gauged
from vextir_os.ports.queue import Queue
from vextir_os.ports.store import Store
from vextir_os.processor.control import Control
from vextir_os.processor.deadletters import DeadLetters
from vextir_os.processor.departed import Departed
from vextir_os.processor.health import Health
from vextir_os.processor.intake import Intake
from vextir_os.processor.observe import Observers
from vextir_os.processor.pausing import Pausing
from vextir_os.processor.pipeline import Processor
from vextir_os.processor.sweep import Sweep
from vextir_os.processor.switching import Switching
from vextir_os.registry.registry import Registry
from vextir_os.runs.record import Lane
from vextir_os.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One running OS in this process.

    Attributes:
        worker: Names it among all that work on the same data, 16 random hex digits.
        queue: Where events come in.
        lanes: The queues of the other lanes.
    """

    worker: str
    settings: Settings
    clock: Clock
    queue: Queue
    ordered: Queue
    lanes: Mapping[Lane, Queue]
    store: Store
    blobs: Blobs
    registry: Registry
    policy: PolicyEngine
    bus: EventBus
    intake: Intake
    processor: Processor
    sweep: Sweep
    control: Control
    dead_letters: DeadLetters
    pausing: Pausing
    switching: Switching
    health: Health
    departed: Departed
    observers: Observers
    storage: Gauged


def operator(settings: Settings) -> Principal:
    """Return whom the command line and the API key of this installation act as."""
    return Principal(kind="user", id=settings.user, tenant=settings.tenant, max_priority=settings.max_priority)
