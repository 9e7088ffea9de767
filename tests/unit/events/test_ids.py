"""Derived ids are the same for ever, and parts cannot run into each other."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.events import ids

parts = st.lists(st.text(st.sampled_from("a\\u001f\x1f"), max_size=6), min_size=1, max_size=4)


def test_a_minted_id_is_a_uuid_of_version_7_and_sorts_by_time() -> None:
    minted = [ids.mint() for _ in range(50)]

    assert {uuid.UUID(one).version for one in minted} == {7}
    assert sorted(minted) == minted
    assert len({*minted}) == 50


@given(parts, parts)
def test_different_parts_give_different_ids(one: list[str], other: list[str]) -> None:
    assert (ids.derive(*one) == ids.derive(*other)) is (one == other)


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_source_and_id_cannot_run_into_each_other(source: str, event: str, source2: str, event2: str) -> None:
    same = ids.record_id("t", source, event) == ids.record_id("t", source2, event2)

    assert same is ((source, event) == (source2, event2))


# These stand in records and queues of running installations: a change of them is a change of the protocol.
@pytest.mark.parametrize(
    ("found", "pinned"),
    [
        (ids.derive("queue", "acme", "events", 7), "26c06c4f-5c46-50cc-9eeb-590402d809df"),
        (ids.emitted_id("acme", "/cli", "e1", "mail.reader", 0, "end", 0), "e0809b0a-4cc4-5b71-93eb-a853d554ac74"),
        (ids.emitted_id("acme", "/cli", "e1", "mail.reader", 1, "end", 0), "a7d3352f-0172-55ec-8041-bdefc09a2726"),
        (ids.record_id("acme", "/cli", "e1"), "acme~1cf572d550e07a801f68a258a66849b5"),
        (ids.record_id("acme", "", "été"), "acme~b04d1acbcd164cb97a600e4b1b4e4a93"),
        (ids.partition("acme", "c1"), "acme~c1"),
    ],
    ids=["derived", "emitted", "emitted by a rerun", "record", "record beyond ASCII", "partition"],
)
def test_a_derived_id_never_changes(found: str, pinned: str) -> None:
    assert found == pinned
