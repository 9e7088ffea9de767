"""The broker against a small model: hypothesis plays senders, receivers and time, in any order.

The model knows each message's place and count. What it checks in every state: nothing is lost, nothing is handed out
under a live lock, counts are right, too many deliveries make a dead letter, order holds within a flow and priority.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.entities import DEAD, EntityProperties
from vextir_os.adapters.sqlite.storage import open_storage
from vextir_os.errors import LockLostError, NotFoundError
from vextir_os.ports.queue import Message

T = TypeVar("T")
LOCK_S = 10.0
MOST = 3
WINDOW_S = 25.0


@dataclass
class Known:
    """A message as the model sees it."""

    sequence: int
    name: str
    flow: str
    priority: int
    count: int = 0
    state: str = "ready"
    until: float = 0.0
    token: str = ""
    plain: bool = True


@dataclass
class Model:
    """All messages that were sent and not completed."""

    messages: dict[int, Known] = field(default_factory=dict)
    completed: int = 0
    sent: int = 0
    seen: dict[str, tuple[float, int]] = field(default_factory=dict)

    def pass_time(self, now: float) -> None:
        for known in self.messages.values():
            if known.state == "scheduled" and known.until <= now:
                known.state = "ready"
            elif known.state in ("locked", "locked-deferred") and known.until <= now:
                self.give_back(known, known.count)

    def give_back(self, known: Known, count: int) -> None:
        known.count = count
        known.plain = False
        if count >= MOST:
            known.state, known.count = "dead", 0
        else:
            known.state = "deferred" if known.state == "locked-deferred" else "ready"

    def of(self, *states: str) -> list[Known]:
        return [known for known in self.messages.values() if known.state in states]


class BrokerMachine(RuleBasedStateMachine):
    """One queue with every rule but sessions."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.storage = open_storage(":memory:", self.clock)
        self.broker = self.storage.broker
        self.model = Model()

    def run(self, awaitable: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(awaitable)

    async def settle(self, future: "asyncio.Future[T]") -> T:
        return await future

    @initialize()
    def start(self) -> None:
        self.run(self.storage.start())
        rules = EntityProperties(lock_duration_s=LOCK_S, max_delivery_count=MOST, duplicate_window_s=WINDOW_S)
        self.run(self.broker.declare("q", rules))

    def teardown(self) -> None:
        self.run(self.storage.close())
        self.loop.close()

    @rule(
        number=st.integers(0, 60),
        flow=st.sampled_from("ab"),
        priority=st.sampled_from([5, 9]),
        delay=st.sampled_from([0.0, 0.0, 5.0, 30.0]),
    )
    def send(self, number: int, flow: str, priority: int, delay: float) -> None:
        now = self.clock.time()
        name = f"m{number}"
        sent = Message(id=name, body=b"", flow=flow, priority=priority)

        async def act() -> list[int]:
            return await self.broker.send("q", [sent], at=now + delay)

        [sequence] = self.run(act())
        known_until, first = self.model.seen.get(name, (0.0, 0))
        if known_until > now:
            assert sequence == first, "a duplicate within the window was taken"
            return
        self.model.seen[name] = (now + WINDOW_S, sequence)
        state = "scheduled" if delay else "ready"
        self.model.messages[sequence] = Known(
            sequence, name, flow, priority, state=state, until=now + delay, plain=not delay
        )
        self.model.sent += 1

    @rule(limit=st.integers(1, 5))
    def receive(self, limit: int) -> None:
        deliveries = self.run(self.broker.receive("q", limit, 0))
        ready = self.model.of("ready")
        assert len(deliveries) == min(limit, len(ready))
        taken = {delivery.sequence for delivery in deliveries}
        highest_left = max((known.priority for known in ready if known.sequence not in taken), default=-1)
        for delivery in deliveries:
            known = self.model.messages[delivery.sequence]
            assert known.state == "ready", f"handed out while {known.state}"
            assert delivery.message.priority >= highest_left
            known.count += 1
            assert (delivery.count, delivery.message.id) == (known.count, known.name)
            known.state, known.until, known.token = "locked", delivery.locked_until, delivery.token
            # Within one flow and priority, what was never scheduled or given back goes by age.
            overtaken = [
                k
                for k in self.model.of("ready")
                if (k.flow, k.priority, k.plain) == (known.flow, known.priority, known.plain)
                and k.sequence < known.sequence
            ]
            assert not (known.plain and overtaken)

    @precondition(lambda self: self.model.of("locked", "locked-deferred"))
    @rule(data=st.data(), how=st.sampled_from(["complete", "abandon", "release", "dead", "defer", "renew"]))
    def settle_one(self, data: st.DataObject, how: str) -> None:
        known = data.draw(st.sampled_from(self.model.of("locked", "locked-deferred")))
        if how == "complete":
            self.run(self.settle(self.broker.complete(known.token)))
            del self.model.messages[known.sequence]
            self.model.completed += 1
        elif how == "abandon":
            self.run(self.settle(self.broker.abandon(known.token)))
            self.model.give_back(known, known.count)
        elif how == "release":
            self.run(self.settle(self.broker.release(known.token)))
            self.model.give_back(known, known.count - 1)
        elif how == "dead":
            self.run(self.settle(self.broker.dead_letter(known.token, reason="test")))
            known.state, known.count = "dead", 0
        elif how == "defer":
            self.run(self.settle(self.broker.defer(known.token)))
            known.state = "deferred"
        else:
            known.until = self.run(self.settle(self.broker.renew(known.token)))
            assert known.until == self.clock.time() + LOCK_S

    @precondition(lambda self: any(k.token and k.state not in ("locked", "locked-deferred") for k in self.known()))
    @rule(data=st.data())
    def settle_with_a_lost_lock(self, data: st.DataObject) -> None:
        lost = [k for k in self.known() if k.token and k.state not in ("locked", "locked-deferred")]
        known = data.draw(st.sampled_from(lost))
        with pytest.raises(LockLostError):
            self.run(self.settle(self.broker.complete(known.token)))

    @precondition(lambda self: self.model.of("deferred"))
    @rule(data=st.data())
    def receive_deferred(self, data: st.DataObject) -> None:
        known = data.draw(st.sampled_from(self.model.of("deferred")))
        [delivery] = self.run(self.broker.receive_deferred("q", [known.sequence]))
        known.count += 1
        assert delivery.count == known.count
        known.state, known.until, known.token = "locked-deferred", delivery.locked_until, delivery.token

    @precondition(lambda self: self.model.messages)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        known = data.draw(st.sampled_from(self.known()))
        if known.state == "scheduled":
            self.run(self.broker.cancel_scheduled("q", known.sequence))
            del self.model.messages[known.sequence]
            self.model.sent -= 1
        else:
            with pytest.raises(NotFoundError):
                self.run(self.broker.cancel_scheduled("q", known.sequence))

    @rule(seconds=st.sampled_from([1.0, 4.0, 11.0, 40.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.model.pass_time(self.clock.time())

    @invariant()
    def every_message_is_in_its_place(self) -> None:
        if not self.model.sent:
            return
        counts = self.run(self.broker.counts("q"))
        assert counts.active == len(self.model.of("ready"))
        assert counts.locked == len(self.model.of("locked"))
        assert counts.scheduled == len(self.model.of("scheduled"))
        assert counts.deferred == len(self.model.of("deferred", "locked-deferred"))
        assert counts.dead == len(self.model.of("dead"))
        assert len(self.model.messages) + self.model.completed == self.model.sent
        dead = self.run(self.broker.peek("q" + DEAD, 1000))
        assert sorted(p.delivery.sequence for p in dead) == sorted(k.sequence for k in self.model.of("dead"))

    def known(self) -> list[Known]:
        return list(self.model.messages.values())


TestBroker = BrokerMachine.TestCase
TestBroker.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
