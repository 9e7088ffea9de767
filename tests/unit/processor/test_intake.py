"""What the edge makes of an event before it goes in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.errors import ForgedError, InvalidEventError
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.processor.intake import UNTRUSTED, stamp

ANN = Principal(kind="user", id="ann", tenant="acme")
NOW = 1_795_200_000.0


def stamped(event: Event, who: Principal = ANN, **changes: Any) -> Event:
    return stamp(event, who, **{"now": NOW, "event_id": "new", "source": "/cli", "trusted": True, **changes})


def test_what_is_not_set_is_filled() -> None:
    event = stamped(Event(type="a.b"))
    assert (event.id, event.source, event.correlationid) == ("new", "/cli", "new")
    assert event.time is not None
    assert event.time.timestamp() == NOW


def test_what_a_sender_may_set_is_kept() -> None:
    event = stamped(Event(type="a.b", id="mine", source="/shop", correlationid="c", causationid="x", subject="s"))
    assert (event.id, event.source, event.correlationid, event.causationid) == ("mine", "/shop", "c", "x")


@pytest.mark.parametrize(
    ("said", "kept"), [("internal", "input"), ("input", "input"), ("output", "output")], ids=["internal", "in", "out"]
)
def test_what_comes_in_by_an_edge_was_never_between_drivers(said: Any, kept: str) -> None:
    assert stamped(Event(type="a.b", category=said)).category == kept
    system = Principal(kind="system", id="replay", tenant="acme")
    assert stamped(Event(type="a.b", category=said), system).category == said


@given(
    tenant=st.sampled_from(["", "evil", "acme"]),
    user=st.text("abc", max_size=5),
    priority=st.integers(0, 9),
    labels=st.lists(st.sampled_from(["pii", "secret", UNTRUSTED]), max_size=3),
    trusted=st.booleans(),
)
def test_nobody_names_his_own_tenant_user_or_place_in_line(
    tenant: str, user: str, priority: int, labels: list[str], trusted: bool
) -> None:
    event = stamped(
        Event(type="a.b", tenantid=tenant, userid=user, priority=priority, labels=tuple(labels)), trusted=trusted
    )
    assert (event.tenantid, event.userid) == ("acme", "ann")
    assert event.priority == min(priority, ANN.max_priority)
    assert set(labels) <= set(event.labels)
    assert (UNTRUSTED in event.labels) == (not trusted or UNTRUSTED in labels)


def test_an_agent_or_the_system_is_no_user() -> None:
    assert stamped(Event(type="a.b", userid="root"), Principal(kind="agent", id="bot", tenant="acme")).userid == ""


@pytest.mark.parametrize("type_", ["vextir", "vextir.run.done"])
def test_types_of_the_os_are_published_by_the_system_alone(type_: str) -> None:
    with pytest.raises(ForgedError, match=f"event type '{type_}' is reserved for the OS"):
        stamped(Event(type=type_))
    assert stamped(Event(type=type_), Principal(kind="system", id="sweep", tenant="acme")).type == type_


def test_a_claim_check_is_written_by_the_os_alone() -> None:
    with pytest.raises(ForgedError, match="is a claim check that only the OS writes"):
        stamped(Event(type="a.b", dataref="vextir-blob:acme~1/data?size=1&sha256=00"))
    assert stamped(Event(type="a.b", dataref="https://example.com/1")).dataref == "https://example.com/1"


def test_a_driver_is_no_source_for_others() -> None:
    with pytest.raises(ForgedError, match=r"source '/drivers/mail' is that of a driver\. Choose a source outside"):
        stamped(Event(type="a.b", source="/drivers/mail"))


def test_a_label_too_many_is_an_error() -> None:
    labels = tuple(f"l{number}" for number in range(32))
    with pytest.raises(InvalidEventError, match="33 labels on one event, at most 32 are allowed"):
        stamped(Event(type="a.b", labels=labels), trusted=False)
