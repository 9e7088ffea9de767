"""What the stages of one delivery share, and the parts they work with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Literal, Protocol

from vextir_os.driverkit.manifest import Manifest
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.isolation.hosts import Hosts
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Decision
from vextir_os.ports.blobs import Blobs
from vextir_os.ports.queue import Delivery
from vextir_os.ports.spans import Spans
from vextir_os.processor.books import Books
from vextir_os.processor.observe import Observer
from vextir_os.processor.paused import Paused
from vextir_os.processor.places import Place
from vextir_os.processor.stops import Stops
from vextir_os.registry.registry import Registry
from vextir_os.runs.flow import Verdict
from vextir_os.runs.keeper import Desk, Keeper
from vextir_os.runs.lineage import Limits
from vextir_os.runs.messages import Knock
from vextir_os.runs.record import Lane
from vextir_os.runs.start import Wait
from vextir_os.runs.transitions import Hold

Settlement = Literal["complete", "settled"]
"""What the runner does with the message: complete it, or nothing, since a commit has done so. Raising means abandon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the stages need. Frozen; shared by all turns of a process.

    Attributes:
        worker: Names this process, 16 random hex digits; every owner of a run begins with it.
        binding: On whose behalf a message without our signature comes in: the tenant that the queue is bound to.
        trusts: Whether a source is vouched for.
        mode: Routing mode by event type: `all` drivers that match, or the `best` one.
        limits: How much may follow from one first event.
        draw: Uniform random numbers in [0, 1), for jitter.
        paused: What is paused.
        books: The documents of drivers' limits.
        stops: The drivers at work in this process.
        hosts: Where drivers run that are not `inline`.
        spans: Where somebody collects traces: names the spans of runs.
    """

    worker: str
    desk: Desk
    blobs: Blobs
    policy: PolicyEngine
    registry: Registry
    binding: Principal
    trusts: Callable[[str], bool]
    mode: Callable[[str], Literal["all", "best"]]
    observer: Observer
    limits: Limits
    draw: Callable[[], float]
    paused: Paused
    books: Books
    stops: Stops = field(default_factory=Stops)
    hosts: Hosts = field(default_factory=Hosts)
    spans: Spans | None = None


@dataclass(slots=True)
class Turn:
    """One delivery on its way through the stages; each stage fills in what the later ones need.

    Attributes:
        owner: A nonce for this delivery, never reused: the worker's name and a number, `5d1f0c22ab90e3f4.1c`.
        lane: The lane that this worker serves; None when it serves all. Known once the gate was passed.
        waits: The drivers of a new event that this worker does not begin, and why.
        verdicts: What the limits of drivers that have some say to their runs.
        places: What is held of these limits, by driver.
        left_out: The drivers that handle the event and do not get it, and why.
    """

    delivery: Delivery
    owner: str
    knock: Knock | None = None
    event: Event | None = None
    event_json: bytes = b""
    ours: bool = False
    decision: Decision | None = None
    drivers: tuple[Manifest, ...] = ()
    left_out: Mapping[str, str] | None = None
    lane: Lane | None = None
    waits: dict[str, Wait] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    places: dict[str, list[Place]] = field(default_factory=dict)
    keeper: Keeper | None = None
    holds: dict[str, Hold] = field(default_factory=dict)
    running: int = 0
    settled: bool = False

    @property
    def the_event(self) -> Event:
        """The event, once it is known."""
        if self.event is None:
            raise AssertionError("a stage that needs the event ran before it was decoded")
        return self.event

    @property
    def the_keeper(self) -> Keeper:
        """The record's keeper, once it is admitted."""
        if self.keeper is None:
            raise AssertionError("a stage that needs the record ran before it was admitted")
        return self.keeper

    def last_token(self) -> str | None:
        """The lock token, when the run that commits now is the last one of this turn; else None."""
        return self.delivery.token if self.running == 1 else None


Next = Callable[[Turn], Awaitable[Settlement]]


class Stage(Protocol):
    """A stage does its part and awaits the next one, or ends the way with a settlement of its own."""

    def __call__(self, parts: Parts, turn: Turn, following: Next) -> Awaitable[Settlement]:
        """Take the turn one step on."""
        ...


def pure(decide: Callable[[Parts, Turn], None]) -> Stage:
    """Make a stage of a function that only decides: it writes its answer on the turn, and the next stage follows."""

    @wraps(decide)
    def stage(parts: Parts, turn: Turn, following: Next) -> Awaitable[Settlement]:
        decide(parts, turn)
        return following(turn)

    return stage
