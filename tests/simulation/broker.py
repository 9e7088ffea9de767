"""A model of the queue: messages in memory, locks, schedules, dead letters, and whom they are handed to.

Plain functions that take effect at once; `ports` makes a `Queue` of them. It declares the capabilities `schedule`,
`priority`, `duplicates` and `sessions`; times to live, peeking and deferral are not modelled.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from vextir_os.adapters.sqlite.entities import DEAD, EntityProperties
from vextir_os.adapters.sqlite.messages import prepare
from vextir_os.errors import LockLostError, NotFoundError
from vextir_os.ports.queue import Delivery, Message

MAX_DELIVERIES = "MaxDeliveryCountExceeded"


@dataclass(slots=True, kw_only=True)
class Held:
    """A message on a queue: free from `free_at`, or locked under a token until `locked_until`."""

    message: Message
    sequence: int
    enqueued_at: float
    free_at: float
    scheduled: bool
    count: int = 0
    token: str = ""
    holder: str = ""
    locked_until: float = 0.0
    dead_reason: str = ""
    dead_description: str = ""


class Sent(NamedTuple):
    """One entry of the log: what was put on which queue when."""

    at: float
    entity: str
    message: Message


@dataclass(slots=True, kw_only=True)
class Waiter:
    """Somebody who waits for messages; `answer` is called once."""

    who: str
    limit: int
    until: float
    answer: Callable[[Sequence[Delivery]], None]


@dataclass(slots=True)
class Entity:
    """One queue."""

    name: str
    properties: EntityProperties
    messages: list[Held] = field(default_factory=list)
    waiters: list[Waiter] = field(default_factory=list)
    seen: dict[str, tuple[float, int]] = field(default_factory=dict)


class Broker:
    """All queues.

    Args:
        now: The queue's time, in epoch seconds.
        alarm: Asked to call `ring` at a time, with it; who moves a clock by hand calls `tick` instead.
        order: Draws which of the free messages goes first; None for the highest priority and the oldest.
    """

    def __init__(self, now: Callable[[], float], alarm: Callable[[float], None], order: Random | None = None) -> None:
        self.order = order
        self.sent: list[Sent] = []
        self._now = now
        self._alarm = alarm
        self._alarm_at = math.inf
        self._entities: dict[str, Entity] = {}
        self._sequence = 0
        self.most_deliveries = 0
        self._tokens = 0

    def declare(self, name: str, properties: EntityProperties) -> None:
        """Make a queue and that of its dead letters; one that is there stays as it is."""
        dead = EntityProperties(lock_duration_s=properties.lock_duration_s, max_delivery_count=2**31)
        self._entities.setdefault(name, Entity(name, properties))
        self._entities.setdefault(name + DEAD, Entity(name + DEAD, dead))

    def entity(self, name: str) -> Entity:
        """Return a queue. Raises `NotFoundError`."""
        if name not in self._entities:
            raise NotFoundError(f"there is no queue {name!r}", hint="Declare it first")
        return self._entities[name]

    def all_messages(self) -> list[Held]:
        """Return what is on all queues."""
        return [held for entity in self._entities.values() for held in entity.messages]

    def send(self, name: str, messages: Sequence[Message], at: float | None = None) -> list[int]:
        """Put messages on a queue, all or none. Raises as `Queue.send` does."""
        entity, now = self.entity(name), self._now()
        for message in messages:
            prepare(message)
        numbers = []
        for message in messages:
            until, first = entity.seen.get(message.id, (-math.inf, 0))
            if message.id and until > now:
                numbers.append(first)
                continue
            numbers.append(self.put(entity, message, at))
            if entity.properties.duplicate_window_s:
                entity.seen[message.id] = (now + entity.properties.duplicate_window_s, numbers[-1])
        self._serve(entity, now)
        return numbers

    def put(self, entity: Entity, message: Message, at: float | None = None) -> int:
        """Put one message on a queue, whatever was seen before; return its number."""
        now = self._now()
        start = now if at is None else max(at, now)
        self._sequence += 1
        self.sent.append(Sent(now, entity.name, message))
        entity.messages.append(
            Held(message=message, sequence=self._sequence, enqueued_at=start, free_at=start, scheduled=start > now)
        )
        self._wake_at(start)
        return self._sequence

    def receive(
        self, name: str, limit: int, wait: float, answer: Callable[[Sequence[Delivery]], None], who: str = ""
    ) -> None:
        """Hand out up to `limit` messages, now or when there are some within `wait` seconds."""
        entity, now = self.entity(name), self._now()
        entity.waiters.append(Waiter(who=who, limit=limit, until=now + wait, answer=answer))
        self._wake_at(now + wait)
        self._serve(entity, now)

    def give_up(self, who: str) -> int:
        """End the locks that somebody holds; return how many there were."""
        held = [held for held in self.all_messages() if held.token and held.holder == who]
        for one in held:
            one.locked_until = self._now()
        self.tick()
        return len(held)

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Take back what was handed to somebody who was gone by then; it does not count."""
        for delivery in deliveries:
            entity, held = self._locked(delivery.token)
            held.count -= 1
            self._free(held)
            self._serve(entity, self._now())

    def complete(self, token: str) -> None:
        """Remove a message. Raises `LockLostError`."""
        entity, held = self._locked(token)
        entity.messages.remove(held)
        self._serve(entity, self._now())

    def abandon(self, token: str) -> None:
        """Give a message back. Raises `LockLostError`."""
        entity, held = self._locked(token)
        self._free(held)
        self._bury_overdue(entity, held)
        self._serve(entity, self._now())

    def dead_letter(self, token: str, reason: str, description: str) -> None:
        """Move a message to the dead letters. Raises `LockLostError`."""
        entity, held = self._locked(token)
        self._bury(entity, held, reason, description)
        self._serve(entity, self._now())

    def renew(self, token: str) -> float:
        """Lock a message for longer. Raises `LockLostError`."""
        entity, held = self._locked(token)
        held.locked_until = self._now() + entity.properties.lock_duration_s
        self._wake_at(held.locked_until)
        return held.locked_until

    def cancel_scheduled(self, name: str, sequence: int) -> None:
        """Remove a message whose time has not come. Raises `NotFoundError`."""
        entity, now = self.entity(name), self._now()
        for held in entity.messages:
            if held.sequence == sequence and held.scheduled and held.free_at > now:
                entity.messages.remove(held)
                return
        raise NotFoundError(f"there is no scheduled message {sequence}")

    def drop(self, held: Held) -> None:
        """Lose a message."""
        for entity in self._entities.values():
            entity.messages[:] = [other for other in entity.messages if other is not held]

    def ring(self, moment: float) -> None:
        """Do what is due at a time that an alarm was set to; an earlier one that was set since has done so."""
        if moment == self._alarm_at:
            self.tick()

    def tick(self) -> None:
        """Do what is due: end locks, serve who waits, send away who has waited long enough."""
        now = self._now()
        for entity in list(self._entities.values()):
            for held in list(entity.messages):
                if held.token and held.locked_until <= now:
                    self._free(held)
                    self._bury_overdue(entity, held)
            self._serve(entity, now)
        self._alarm_at = math.inf
        self._wake_at(
            min((moment for entity in self._entities.values() for moment in _moments(entity, now)), default=math.inf)
        )

    def _serve(self, entity: Entity, now: float) -> None:
        while entity.waiters:
            waiter, free = entity.waiters[0], self._free_of(entity, now)
            if free:
                entity.waiters.pop(0)
                waiter.answer([self._hand_out(entity, held, waiter.who, now) for held in free[: waiter.limit]])
                continue
            gone = [other for other in entity.waiters if other.until <= now]
            if gone:
                entity.waiters[:] = [other for other in entity.waiters if other.until > now]
            for other in gone:
                other.answer([])
            return

    def _free_of(self, entity: Entity, now: float) -> list[Held]:
        """Return what may be handed out, in the order of handing out; with sessions, all of one that nobody holds."""
        free = [held for held in entity.messages if not held.token and held.free_at <= now]
        if not free:
            return free
        if not entity.properties.requires_session:
            if self.order is None:
                return sorted(free, key=lambda held: (-held.message.priority, held.free_at, held.sequence))
            self.order.shuffle(free)
            return free
        taken = {held.message.session for held in entity.messages if held.token}
        sessions = [held.message.session for held in free if held.message.session not in taken]
        if not sessions:
            return []
        session = sessions[0] if self.order is None else self.order.choice(sessions)
        return sorted((held for held in free if held.message.session == session), key=lambda held: held.sequence)

    def _hand_out(self, entity: Entity, held: Held, who: str, now: float) -> Delivery:
        self._tokens += 1
        held.token, held.holder, held.count = f"lock-{self._tokens}", who, held.count + 1
        held.locked_until = now + entity.properties.lock_duration_s
        self._wake_at(held.locked_until)
        self.most_deliveries = max(self.most_deliveries, held.count)
        return Delivery(
            message=held.message,
            entity=entity.name,
            token=held.token,
            sequence=held.sequence,
            count=held.count,
            enqueued_at=held.enqueued_at,
            locked_until=held.locked_until,
            dead_reason=held.dead_reason,
            dead_description=held.dead_description,
        )

    def _wake_at(self, moment: float) -> None:
        if self._now() < moment < self._alarm_at:
            self._alarm_at = moment
            self._alarm(moment)

    def _free(self, held: Held) -> None:
        held.token, held.locked_until = "", 0.0

    def _bury_overdue(self, entity: Entity, held: Held) -> None:
        if held.count >= entity.properties.max_delivery_count:
            self._bury(entity, held, MAX_DELIVERIES, f"delivered {held.count} times")

    def _bury(self, entity: Entity, held: Held, reason: str, description: str) -> None:
        entity.messages.remove(held)
        dead = dataclasses.replace(held, count=0, token="", dead_reason=reason, dead_description=description)
        self._entities[entity.name.removesuffix(DEAD) + DEAD].messages.append(dead)

    def _locked(self, token: str) -> tuple[Entity, Held]:
        now = self._now()
        for entity in self._entities.values():
            for held in entity.messages:
                if token and held.token == token and held.locked_until > now:
                    return entity, held
        raise LockLostError(
            f"the lock {token[:40]!r} is no longer held: it expired, or its message is settled",
            hint="The message comes again; look at its record before repeating anything",
        )


def _moments(entity: Entity, now: float) -> Iterator[float]:
    """Yield the times at which something of a queue is due."""
    for waiter in entity.waiters:
        yield waiter.until
    for held in entity.messages:
        if held.token or held.free_at > now:
            yield held.locked_until if held.token else held.free_at
