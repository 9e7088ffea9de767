"""What goes wrong in one world, how often, and until when: all drawn from its seed. Data only.

Each kind of trouble is on or off in a world, and rare or frequent where it is on: worlds in which everything goes wrong
at once hide what one kind alone would show.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Any, Literal, cast

Fault = Literal["", "down", "lost", "late", "twice", "old", "dies before", "dies after"]
"""Of one call: it fails and does nothing; it is done and the answer is lost; no answer, and it is done later; the
client's own SDK sends it a second time, and hands over the second answer; an old version is read; the worker dies
before it is sent, or when it is done and not answered."""

FAULTS: tuple[Fault, ...] = ("down", "lost", "late", "twice", "old", "dies before", "dies after")

WRITES = frozenset(
    {"create", "replace", "upsert", "patch", "delete", "transact", "send", "complete", "abandon", "dead_letter", "put"}
)

RATES = ("down", "lost", "late", "twice", "old", "dies", "slow", "kills", "fails", "stalls")
COUNTS = (
    "crashes", "pauses", "outages", "lost_locks", "lost_knocks", "duplicates", "delays", "sweeps", "touches",
    "cancels", "mistaken",
)  # fmt: skip
QUEUE_CALLS = frozenset(
    {"send", "receive", "complete", "abandon", "dead_letter", "renew", "cancel_scheduled", "give_up"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """One world's trouble. Rates are per call for ports, per driver call for drivers; counts are for the whole run.

    Attributes:
        fair: Whether nothing goes wrong in it.
        atomic: Whether store and queue share transactions.
        end_s: From then on nothing goes wrong any more.
        skew_s: How far a worker's clock is from the store's, at most.
        random_order: Whether the queue hands out in any order.
        max_deliveries: Of the queue, before it gives a message up.
        duplicate_window_s: Of the queue.
        dies: Rate of calls at which their worker dies, before and after each.
        slow: Rate of calls that take seconds.
        kills: Rate of driver calls that end their worker.
        fails: Rate of driver calls that raise.
        stalls: Rate of driver calls that take long.
        touches: Writes to a record that are about something else.
        mistaken: How often a worker is taken for dead that perhaps lives.
    """

    fair: bool
    atomic: bool
    end_s: float
    workers: int
    concurrency: int
    sweep_s: float
    lock_s: float
    skew_s: float
    random_order: bool
    max_deliveries: int
    duplicate_window_s: float
    down: float
    lost: float
    late: float
    twice: float
    old: float
    dies: float
    slow: float
    kills: float
    fails: float
    stalls: float
    crashes: int
    pauses: int
    outages: int
    lost_locks: int
    lost_knocks: int
    duplicates: int
    delays: int
    sweeps: int
    touches: int
    cancels: int
    mistaken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """The store, or the store and the queue, do not answer for a while. In seconds of loop time."""

    start_s: float
    end_s: float
    queue_too: bool

    def holds(self, name: str, now_s: float) -> bool:
        """Whether a call of this name fails now."""
        return self.start_s <= now_s < self.end_s and (self.queue_too or name not in QUEUE_CALLS)


def fair(sky: Weather) -> Weather:
    """Return a weather in which nothing goes wrong."""
    rates = dict.fromkeys(RATES, 0.0)
    return replace(sky, fair=True, lock_s=300.0, **cast(Any, {**rates, **dict.fromkeys(COUNTS, 0)}))


def weather(draw: Random, *, atomic: bool) -> Weather:
    """Draw a world's weather; one in twenty is fair."""

    def rate(*rates: float) -> float:
        return draw.choice(rates) if draw.random() < 0.5 else 0.0

    def count(most: int) -> int:
        return draw.randint(1, most) if draw.random() < 0.5 else 0

    sky = Weather(
        fair=False,
        atomic=atomic,
        end_s=draw.choice((30.0, 90.0, 180.0)),
        workers=draw.choice((1, 2, 3)),
        concurrency=draw.choice((1, 4, 64)),
        sweep_s=draw.choice((10.0, 30.0)),
        lock_s=draw.choice((5.0, 60.0, 300.0)),
        skew_s=0.0 if atomic else draw.choice((0.0, 0.9)),
        random_order=draw.random() < 0.5,
        max_deliveries=draw.choice((5, 10, 100)),
        duplicate_window_s=draw.choice((0.0, 0.0, 600.0)),
        down=rate(0.01, 0.05, 0.2),
        lost=rate(0.01, 0.05, 0.2),
        late=rate(0.01, 0.05, 0.1),
        twice=rate(0.01, 0.05, 0.2),
        old=rate(0.05, 0.2, 0.5),
        dies=rate(0.002, 0.01),
        slow=rate(0.01, 0.05, 0.1),
        kills=rate(0.05, 0.3),
        fails=rate(0.1, 0.5),
        stalls=rate(0.1, 0.3),
        crashes=count(4),
        pauses=count(4),
        outages=count(2),
        lost_locks=count(6),
        lost_knocks=count(6),
        duplicates=count(6),
        delays=count(4),
        sweeps=count(4),
        touches=count(6),
        cancels=count(3),
        mistaken=count(3),
    )
    return fair(sky) if draw.random() < 0.05 else sky
