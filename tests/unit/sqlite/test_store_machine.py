"""The store against a dict: hypothesis plays writers, queries and time, in any order."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.storage import open_storage
from vextir_os.errors import AlreadyExistsError, ConflictError, NotFoundError
from vextir_os.ports.store import Patch, Where

T = TypeVar("T")
KEYS = st.tuples(st.sampled_from(["p1", "p2"]), st.sampled_from(["a", "b", "c"]))
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(-3, 3), st.sampled_from(["", "0", "1", "true", "ä"])
)
TTLS = st.sampled_from([None, None, 10, 40])


@dataclass
class Held:
    """A document as the model sees it."""

    document: dict[str, Any]
    etag: str
    made: int
    until: float | None


class StoreMachine(RuleBasedStateMachine):
    """One container."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.storage = open_storage(":memory:", self.clock)
        self.store = self.storage.store
        self.held: dict[tuple[str, str], Held] = {}
        self.expired: set[tuple[str, str]] = set()
        self.old_etags: list[str] = ["", "7.7"]
        self.made = 0

    def run(self, awaitable: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(awaitable)

    @initialize()
    def start(self) -> None:
        self.run(self.storage.start())

    def teardown(self) -> None:
        self.run(self.storage.close())
        self.loop.close()

    def document(self, key: tuple[str, str], value: Any, ttl: int | None) -> dict[str, Any]:
        document = {"id": key[1], "pk": key[0], "v": value, "n": {"m": value}, "event_id": str(value)}
        if ttl is not None:
            document["ttl"] = ttl
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            document["due"] = value
        return document

    def keep(self, key: tuple[str, str], document: dict[str, Any], etag: str, *, new: bool) -> None:
        ttl = document.get("ttl")
        self.made += 1
        made = self.made if new else self.held[key].made
        until = None if ttl is None else self.clock.time() + ttl
        if not new:
            self.old_etags.append(self.held[key].etag)
        self.held[key] = Held(document, etag, made, until)
        self.expired.discard(key)

    @rule(key=KEYS, value=VALUES, ttl=TTLS)
    def create(self, key: tuple[str, str], value: Any, ttl: int | None) -> None:
        document = self.document(key, value, ttl)
        if key in self.held:
            with pytest.raises(AlreadyExistsError):
                self.run(self.store.create("events", document))
        else:
            self.keep(key, document, self.run(self.store.create("events", document)), new=True)

    @rule(key=KEYS, value=VALUES, ttl=TTLS)
    def upsert(self, key: tuple[str, str], value: Any, ttl: int | None) -> None:
        document = self.document(key, value, ttl)
        etag = self.run(self.store.upsert("events", document))
        self.keep(key, document, etag, new=key not in self.held)

    @rule(key=KEYS, value=VALUES, ttl=TTLS, data=st.data())
    def replace(self, key: tuple[str, str], value: Any, ttl: int | None, data: st.DataObject) -> None:
        document = self.document(key, value, ttl)
        current = [self.held[key].etag] if key in self.held else []
        if_match = data.draw(st.sampled_from(current * len(self.old_etags) + self.old_etags))
        if key not in self.held:
            with pytest.raises(NotFoundError):
                self.run(self.store.replace("events", document, if_match=if_match))
        elif if_match != self.held[key].etag:
            with pytest.raises(ConflictError):
                self.run(self.store.replace("events", document, if_match=if_match))
        else:
            etag = self.run(self.store.replace("events", document, if_match=if_match))
            self.keep(key, document, etag, new=False)

    @rule(key=KEYS, value=VALUES, guard=VALUES)
    def patch(self, key: tuple[str, str], value: Any, guard: Any) -> None:
        changes, only_if = [Patch("set", "n.m", value), Patch("incr", "k", 2)], [Where("v", "=", guard)]
        act = self.store.patch("events", *key, changes, only_if=only_if)
        if key not in self.held:
            with pytest.raises(NotFoundError):
                self.run(act)
        elif not equal(self.held[key].document["v"], guard):
            with pytest.raises(ConflictError):
                self.run(act)
        else:
            old = self.held[key].document
            self.keep(key, {**old, "n": {"m": value}, "k": old.get("k", 0) + 2}, self.run(act), new=False)

    @rule(key=KEYS)
    def delete(self, key: tuple[str, str]) -> None:
        act = self.store.delete("events", *key)
        if key in self.held:
            self.run(act)
            self.old_etags.append(self.held.pop(key).etag)
        else:
            with pytest.raises(NotFoundError):
                self.run(act)

    @rule(seconds=st.sampled_from([5.0, 20.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        now = self.clock.time()
        for key in [key for key, held in self.held.items() if held.until is not None and held.until <= now]:
            del self.held[key]
            self.expired.add(key)

    @rule()
    def purge(self) -> None:
        assert self.run(self.store.purge()) == len(self.expired)
        self.expired.clear()

    @rule(value=VALUES, order=st.sampled_from(["oldest", "newest"]), limit=st.integers(1, 3))
    def query(self, value: Any, order: Literal["oldest", "newest"], limit: int) -> None:
        for path in ("v", "n.m"):
            found: list[dict[str, Any]] = []
            continuation = ""
            where = [Where(path, "=", value)]
            while True:
                page = self.run(self.store.query("events", where, order=order, limit=limit, continuation=continuation))
                found += [stored.document for stored in page.items]
                if not (continuation := page.continuation):
                    break
            expected = sorted(self.held.values(), key=lambda held: held.made, reverse=order == "newest")
            assert found == [
                held.document
                for held in expected
                if equal(held.document["v"] if path == "v" else held.document["n"]["m"], value)
            ]

    @rule(bound=st.integers(-3, 3))
    def query_due(self, bound: int) -> None:
        page = self.run(self.store.query("events", [Where("due", "<=", bound)]))
        expected = {key for key, held in self.held.items() if held.document.get("due", 9) <= bound}
        assert {(s.document["pk"], s.document["id"]) for s in page.items} == expected

    @rule(value=VALUES)
    def query_the_indexed_member(self, value: Any) -> None:
        page = self.run(self.store.query("events", [Where("event_id", "=", str(value))]))
        expected = {key for key, held in self.held.items() if held.document["event_id"] == str(value)}
        assert {(s.document["pk"], s.document["id"]) for s in page.items} == expected

    @invariant()
    def every_document_reads_as_it_was_written(self) -> None:
        for key, held in self.held.items():
            stored = self.run(self.store.read("events", *key))
            assert (stored.document, stored.etag) == (held.document, held.etag)


def equal(a: Any, b: Any) -> bool:
    """Equal as JSON values: numbers by value, but no number is a boolean."""
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
