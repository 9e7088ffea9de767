"""What every `Store` guarantees. An adapter's test class inherits this and gives the fixture `harness`."""

import asyncio
from typing import Any, Protocol

import pytest

from vextir_os.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidEventError,
    InvalidRequestError,
    NotFoundError,
)
from vextir_os.events.jsonio import Raw
from vextir_os.ports.store import Comparison, Patch, Store, Where


class StoreHarness(Protocol):
    """What an adapter gives the suite: a store whose containers `events` and `state` exist and are empty, and time."""

    @property
    def store(self) -> Store:
        """The store under test."""
        ...

    async def advance(self, seconds: float) -> None:
        """Let time pass for the store."""
        ...


def doc(key: str = "r1", pk: str = "p", **members: Any) -> dict[str, Any]:
    return {"id": key, "pk": pk, **members}


async def found(store: Store, *where: Where, container: str = "events") -> list[str]:
    """Return the ids of all documents that match, over all pages."""
    names: list[str] = []
    continuation = ""
    while True:
        page = await store.query(container, where, limit=3, continuation=continuation)
        names += [stored.document["id"] for stored in page.items]
        continuation = page.continuation
        if not continuation:
            return names


class StoreContract:
    """The core."""

    async def test_a_document_is_read_as_it_was_written(self, harness: StoreHarness) -> None:
        written = doc(text="ä\u0000\\", whole=2**53, half=0.5, yes=True, nothing=None, deep={"list": [1, {"a": "b"}]})
        etag = await harness.store.create("events", written)
        stored = await harness.store.read("events", "p", "r1")
        assert stored.document == written
        assert stored.etag == etag

    async def test_encoded_json_may_stand_inside_a_document(self, harness: StoreHarness) -> None:
        await harness.store.create("events", doc(event=Raw(b'{"type":"a.b","data":[1,2]}')))
        assert (await harness.store.read("events", "p", "r1")).document["event"] == {"type": "a.b", "data": [1, 2]}

    async def test_what_is_missing_is_named(self, harness: StoreHarness) -> None:
        with pytest.raises(NotFoundError, match="events/r1"):
            await harness.store.read("events", "p", "r1")
        with pytest.raises(NotFoundError, match="events/r1"):
            await harness.store.delete("events", "p", "r1")
        with pytest.raises(NotFoundError, match="events/r1"):
            await harness.store.patch("events", "p", "r1", [Patch("set", "a", 1)])

    async def test_a_second_create_is_refused_and_changes_nothing(self, harness: StoreHarness) -> None:
        await harness.store.create("events", doc(a=1))
        with pytest.raises(AlreadyExistsError, match="events/r1"):
            await harness.store.create("events", doc(a=2))
        assert (await harness.store.read("events", "p", "r1")).document["a"] == 1

    async def test_the_same_id_in_another_partition_or_container_is_another_document(
        self, harness: StoreHarness
    ) -> None:
        await harness.store.create("events", doc(a=1))
        await harness.store.create("events", doc(pk="other", a=2))
        await harness.store.create("state", doc(a=3))
        assert (await harness.store.read("events", "p", "r1")).document["a"] == 1
        assert (await harness.store.read("events", "other", "r1")).document["a"] == 2
        assert (await harness.store.read("state", "p", "r1")).document["a"] == 3

    async def test_a_replace_needs_the_etag_of_the_last_write(self, harness: StoreHarness) -> None:
        old = await harness.store.create("events", doc(a=1))
        new = await harness.store.replace("events", doc(a=2), if_match=old)
        assert new != old
        with pytest.raises(ConflictError, match="changed since it was read"):
            await harness.store.replace("events", doc(a=3), if_match=old)
        assert (await harness.store.read("events", "p", "r1")).document["a"] == 2

    async def test_of_two_who_replace_at_once_one_wins(self, harness: StoreHarness) -> None:
        etag = await harness.store.create("events", doc(a=0))
        results = await asyncio.gather(
            *(harness.store.replace("events", doc(a=n), if_match=etag) for n in range(8)), return_exceptions=True
        )
        winners = [n for n, result in enumerate(results) if isinstance(result, str)]
        assert len(winners) == 1
        assert all(isinstance(result, (str, ConflictError)) for result in results)
        assert (await harness.store.read("events", "p", "r1")).document["a"] == winners[0]

    async def test_the_etag_of_a_deleted_document_never_fits_its_successor(self, harness: StoreHarness) -> None:
        etag = await harness.store.create("events", doc(a=1))
        await harness.store.delete("events", "p", "r1")
        await harness.store.create("events", doc(a=2))
        with pytest.raises(ConflictError, match="changed since it was read"):
            await harness.store.replace("events", doc(a=3), if_match=etag)

    @pytest.mark.parametrize("etag", ["", "x", "1", "999999.1", "-1.-1", "1.1; DROP TABLE documents"])
    async def test_an_etag_that_nobody_gave_never_fits(self, harness: StoreHarness, etag: str) -> None:
        await harness.store.create("events", doc(a=1))
        with pytest.raises(ConflictError, match="changed since it was read"):
            await harness.store.replace("events", doc(a=2), if_match=etag)

    async def test_a_replace_makes_no_document(self, harness: StoreHarness) -> None:
        with pytest.raises(NotFoundError, match="events/r1"):
            await harness.store.replace("events", doc(), if_match="1.1")

    async def test_an_upsert_writes_whatever_is_there(self, harness: StoreHarness) -> None:
        first = await harness.store.upsert("events", doc(a=1))
        second = await harness.store.upsert("events", doc(a=2))
        assert first != second
        stored = await harness.store.read("events", "p", "r1")
        assert (stored.document["a"], stored.etag) == (2, second)

    async def test_a_delete_may_ask_for_an_etag(self, harness: StoreHarness) -> None:
        old = await harness.store.create("events", doc(a=1))
        new = await harness.store.upsert("events", doc(a=2))
        with pytest.raises(ConflictError, match="changed since it was read"):
            await harness.store.delete("events", "p", "r1", if_match=old)
        await harness.store.delete("events", "p", "r1", if_match=new)
        with pytest.raises(NotFoundError, match="events/r1"):
            await harness.store.read("events", "p", "r1")

    @pytest.mark.parametrize("bad", [{"id": "a"}, {"pk": "p"}, {"id": "", "pk": "p"}, {"id": 1, "pk": "p"}], ids=str)
    async def test_a_document_needs_id_and_pk(self, harness: StoreHarness, bad: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequestError, match="needs an id and a pk"):
            await harness.store.create("events", bad)

    async def test_what_is_no_json_is_refused(self, harness: StoreHarness) -> None:
        with pytest.raises(InvalidEventError, match="not JSON"):
            await harness.store.create("events", doc(when=object()))

    @pytest.mark.parametrize(("member", "value"), [("ttl", 0), ("ttl", "1d"), ("ttl", True), ("due", "soon")])
    async def test_due_and_ttl_are_numbers(self, harness: StoreHarness, member: str, value: object) -> None:
        with pytest.raises(InvalidRequestError, match=member):
            await harness.store.create("events", {**doc(), member: value})

    async def test_an_expired_document_is_gone_for_every_operation(self, harness: StoreHarness) -> None:
        store = harness.store
        etag = await store.create("events", doc(ttl=100, due=5))
        await harness.advance(110)
        assert await found(store) == []
        with pytest.raises(NotFoundError, match="events/r1"):
            await store.read("events", "p", "r1")
        with pytest.raises(NotFoundError, match="events/r1"):
            await store.replace("events", doc(a=1), if_match=etag)
        with pytest.raises(NotFoundError, match="events/r1"):
            await store.patch("events", "p", "r1", [Patch("set", "a", 1)])
        with pytest.raises(NotFoundError, match="events/r1"):
            await store.delete("events", "p", "r1")
        await store.create("events", doc(a=2))
        assert (await store.read("events", "p", "r1")).document["a"] == 2

    async def test_every_write_begins_the_time_to_live_anew(self, harness: StoreHarness) -> None:
        etag = await harness.store.create("events", doc(ttl=100))
        await harness.advance(60)
        await harness.store.replace("events", doc(ttl=100), if_match=etag)
        await harness.advance(60)
        await harness.store.patch("events", "p", "r1", [Patch("set", "a", 1)])
        await harness.advance(60)
        assert (await harness.store.read("events", "p", "r1")).document["a"] == 1

    async def test_a_write_without_ttl_keeps_the_document_for_ever(self, harness: StoreHarness) -> None:
        etag = await harness.store.create("events", doc(ttl=100))
        await harness.store.replace("events", doc(), if_match=etag)
        await harness.advance(1000)
        assert await found(harness.store) == ["r1"]

    async def test_a_patch_changes_parts_and_gives_a_new_etag(self, harness: StoreHarness) -> None:
        old = await harness.store.create("events", doc(a={"b": 1, "c": 2}, n=3))
        new = await harness.store.patch(
            "events",
            "p",
            "r1",
            [Patch("set", "a.b", {"x": 1}), Patch("remove", "a.c"), Patch("incr", "n", 2), Patch("incr", "m", 0.5)],
        )
        stored = await harness.store.read("events", "p", "r1")
        assert stored.document == doc(a={"b": {"x": 1}}, n=5, m=0.5)
        assert (stored.etag, new != old) == (new, True)

    async def test_a_patch_happens_only_if_all_its_conditions_hold(self, harness: StoreHarness) -> None:
        await harness.store.create("events", doc(fence=3, owner="me"))
        change = [Patch("set", "lease", 9)]
        with pytest.raises(ConflictError, match="condition does not hold"):
            await harness.store.patch(
                "events", "p", "r1", change, only_if=[Where("fence", "=", 3), Where("owner", "=", "you")]
            )
        await harness.store.patch(
            "events", "p", "r1", change, only_if=[Where("fence", "=", 3), Where("owner", "=", "me")]
        )
        assert (await harness.store.read("events", "p", "r1")).document["lease"] == 9

    async def test_patches_at_once_lose_nothing(self, harness: StoreHarness) -> None:
        await harness.store.create("events", doc(n=0))
        await asyncio.gather(*(harness.store.patch("events", "p", "r1", [Patch("incr", "n", 1)]) for _ in range(20)))
        assert (await harness.store.read("events", "p", "r1")).document["n"] == 20

    async def test_a_patch_moves_the_document_in_the_index_of_what_is_due(self, harness: StoreHarness) -> None:
        await harness.store.create("events", doc(due=10))
        await harness.store.patch("events", "p", "r1", [Patch("set", "due", 70)], only_if=[Where("due", "=", 10)])
        assert await found(harness.store, Where("due", "<=", 60)) == []
        assert await found(harness.store, Where("due", "<=", 80)) == ["r1"]
        await harness.store.patch("events", "p", "r1", [Patch("remove", "due")])
        assert await found(harness.store, Where("due", "<=", 80)) == []

    async def test_more_than_ten_changes_are_refused(self, harness: StoreHarness) -> None:
        await harness.store.create("events", doc())
        with pytest.raises(ValueError, match="at most 10"):
            await harness.store.patch("events", "p", "r1", [Patch("set", f"a{n}", n) for n in range(11)])

    @pytest.mark.parametrize(
        "change",
        [
            Patch("set", "a.b.c", 1),
            Patch("remove", "nothing"),
            Patch("incr", "text", 1),
            Patch("set", "id", "other"),
            Patch("set", "pk", "other"),
            Patch("set", "a b", 1),
            Patch("incr", "n", "1"),
        ],
        ids=str,
    )
    async def test_a_change_that_does_not_fit_changes_nothing(self, harness: StoreHarness, change: Patch) -> None:
        await harness.store.create("events", doc(a={"b": 1}, text="t"))
        with pytest.raises(InvalidRequestError, match=change.path.split(".", maxsplit=1)[0]):
            await harness.store.patch("events", "p", "r1", [Patch("set", "z", 1), change])
        assert (await harness.store.read("events", "p", "r1")).document == doc(a={"b": 1}, text="t")

    async def test_a_query_returns_documents_by_time_of_creation_page_by_page(self, harness: StoreHarness) -> None:
        for n in (3, 1, 2, 5, 4):
            await harness.store.create("events", doc(f"r{n}"))
        await harness.store.upsert("events", doc("r3", changed=True))
        first = await harness.store.query("events", limit=2)
        second = await harness.store.query("events", limit=2, continuation=first.continuation)
        third = await harness.store.query("events", limit=2, continuation=second.continuation)
        pages = [[stored.document["id"] for stored in page.items] for page in (first, second, third)]
        assert pages == [["r3", "r1"], ["r2", "r5"], ["r4"]]
        assert third.continuation == ""
        newest = await harness.store.query("events", order="newest", limit=3)
        rest = await harness.store.query("events", order="newest", continuation=newest.continuation)
        assert [stored.document["id"] for stored in (*newest.items, *rest.items)] == ["r4", "r5", "r2", "r1", "r3"]

    async def test_documents_deleted_between_pages_shift_nothing(self, harness: StoreHarness) -> None:
        for n in range(4):
            await harness.store.create("events", doc(f"r{n}"))
        first = await harness.store.query("events", limit=2)
        await harness.store.delete("events", "p", "r1")
        await harness.store.delete("events", "p", "r3")
        await harness.store.create("events", doc("r4"))
        rest = await harness.store.query("events", continuation=first.continuation)
        assert [stored.document["id"] for stored in rest.items] == ["r2", "r4"]

    @pytest.mark.parametrize(
        ("path", "comparison", "value", "expected"),
        [
            ("n", "=", 1, ["one", "uno"]),
            ("n", "=", "1", ["text"]),
            ("n", "=", True, ["true"]),
            ("n", "=", False, ["false"]),
            ("n", "=", None, ["null"]),
            ("n", "!=", 1, ["two", "text", "true", "false", "null", "object"]),
            ("n", "<", 2, ["one", "uno"]),
            ("n", "<=", 2, ["one", "uno", "two"]),
            ("n", ">", 1, ["two"]),
            ("n", ">=", "0", ["text"]),
            ("n", "in", [2, "1", None], ["two", "text", "null"]),
            ("n", "in", [], []),
            ("n", "exists", True, ["one", "uno", "two", "text", "true", "false", "null", "object"]),
            ("n", "exists", False, ["none"]),
            ("n.deep", "=", 1, ["object"]),
            (
                "n.deep.deeper",
                "exists",
                False,
                ["one", "uno", "two", "text", "true", "false", "null", "none", "object"],
            ),
            ("id", "=", "two", ["two"]),
            ("pk", "=", "other", []),
        ],
    )
    async def test_a_condition_compares_json_values_of_one_type(
        self, harness: StoreHarness, path: str, comparison: Comparison, value: Any, expected: list[str]
    ) -> None:
        values: dict[str, Any] = {
            "one": 1, "uno": 1.0, "two": 2, "text": "1", "true": True, "false": False, "null": None,
        }  # fmt: skip
        for key, n in values.items():
            await harness.store.create("events", doc(key, n=n))
        await harness.store.create("events", doc("none"))
        await harness.store.create("events", doc("object", n={"deep": 1}))
        assert sorted(await found(harness.store, Where(path, comparison, value))) == sorted(expected)

    @pytest.mark.parametrize("text", ["'", '"', "%", "\\", "a\u0000b", "ä", "\U0001f600", "$.x", "\\u0041", "null"])
    async def test_texts_are_compared_exactly(self, harness: StoreHarness, text: str) -> None:
        await harness.store.create("events", doc("same", t=text))
        await harness.store.create("events", doc("longer", t=text + "x"))
        assert await found(harness.store, Where("t", "=", text)) == ["same"]
        assert await found(harness.store, Where("t", "in", [text])) == ["same"]

    async def test_a_key_that_is_written_with_escapes_is_found(self, harness: StoreHarness) -> None:
        await harness.store.create("events", doc(event=Raw(b'{"\\u0074ype":"hidden"}')))
        assert await found(harness.store, Where("event.type", "=", "hidden")) == ["r1"]

    async def test_all_conditions_must_hold(self, harness: StoreHarness) -> None:
        for n in range(6):
            await harness.store.create("events", doc(f"r{n}", pk="even" if n % 2 == 0 else "odd", n=n, due=n))
        where = (Where("pk", "=", "even"), Where("due", ">", 0), Where("n", "<", 4))
        assert await found(harness.store, *where) == ["r2"]

    async def test_the_indexed_member_is_found_by_its_value(self, harness: StoreHarness) -> None:
        await harness.store.create("events", doc("r1", event_id="e1"))
        await harness.store.create("events", doc("r2", event_id="e2"))
        await harness.store.upsert("events", doc("r2", event_id="e3"))
        assert await found(harness.store, Where("event_id", "=", "e1")) == ["r1"]
        assert await found(harness.store, Where("event_id", "=", "e2")) == []
        assert await found(harness.store, Where("event_id", "=", "e3")) == ["r2"]

    @pytest.mark.parametrize(
        "where",
        [
            Where("a'b", "=", 1),
            Where("", "=", 1),
            Where("a..b", "=", 1),
            Where("a; DROP TABLE x", "=", 1),
            Where("a", "LIKE", "x"),  # type: ignore[arg-type]
            Where("a", "<", None),
            Where("a", "<", True),
            Where("a", "=", [1]),
            Where("a", "=", float("nan")),
            Where("a", "=", 2**64),
            Where("a", "in", "text"),
            Where("a", "exists", 1),
        ],
        ids=str,
    )
    async def test_a_wrong_condition_is_refused(self, harness: StoreHarness, where: Where) -> None:
        with pytest.raises(InvalidRequestError, match=r"path|comparison|compared"):
            await harness.store.query("events", [where])

    @pytest.mark.parametrize("continuation", ["x", "-1", "1 OR 1", "9" * 40, "٣"])
    async def test_a_continuation_of_nobodys_is_refused(self, harness: StoreHarness, continuation: str) -> None:
        with pytest.raises(InvalidRequestError, match="continuation"):
            await harness.store.query("events", continuation=continuation)

    @pytest.mark.parametrize("limit", [0, -1, 100_000])
    async def test_a_page_has_a_bounded_size(self, harness: StoreHarness, limit: int) -> None:
        with pytest.raises(InvalidRequestError, match="page"):
            await harness.store.query("events", limit=limit)
