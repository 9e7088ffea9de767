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
        (ids.derive("queue", "acme", "events", 7), "f89a04c0-47d3-502b-80eb-105269e26d54"),
        (ids.emitted_id("acme", "/cli", "e1", "mail.reader", 0, "end", 0), "87155f78-c1cd-590f-85f7-782f4b26604f"),
        (ids.emitted_id("acme", "/cli", "e1", "mail.reader", 1, "end", 0), "d9a35f6e-eb42-5abd-89e1-1aa9c1af02bc"),
        (ids.record_id("acme", "/cli", "e1"), "acme~1cf572d550e07a801f68a258a66849b5"),
        (ids.record_id("acme", "", "été"), "acme~b04d1acbcd164cb97a600e4b1b4e4a93"),
        (ids.partition("acme", "c1"), "acme~c1"),
    ],
    ids=["derived", "emitted", "emitted by a rerun", "record", "record beyond ASCII", "partition"],
)
def test_a_derived_id_never_changes(found: str, pinned: str) -> None:
    assert found == pinned
