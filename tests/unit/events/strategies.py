"""Events, JSON values, types and patterns for property tests."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from vextir_os.events.attributes import OS_ONLY, OWN
from vextir_os.events.event import Event

unicode_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | unicode_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(unicode_text, inner, max_size=4),
    max_leaves=12,
)

segments = st.from_regex(r"[a-c][a-c0-1_-]?", fullmatch=True)
types = st.lists(segments, min_size=1, max_size=6).map(".".join)
patterns = st.lists(segments | st.sampled_from(["*", "**"]), min_size=1, max_size=6).map(".".join)

names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=30)
prose = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=30)
extension_names = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(lambda name: name not in OWN | OS_ONLY)
extensions = st.dictionaries(extension_names, prose | st.integers(-(2**31), 2**31 - 1) | st.booleans(), max_size=4)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=zones | st.just(UTC))  # noqa: DTZ001  naive bounds
labels = st.lists(st.from_regex(r"[a-z][a-z0-9_.-]{0,9}", fullmatch=True), max_size=4).map(tuple)

events = st.builds(
    Event,
    type=types,
    data=json_values,
    id=names,
    source=names,
    subject=st.just("") | prose,
    time=st.none() | times,
    dataschema=st.just("") | names,
    category=st.sampled_from(["input", "internal", "output"]),
    tenantid=st.sampled_from(["", "acme", "a.b-c_d"]),
    userid=st.just("") | names,
    correlationid=st.just("") | names,
    causationid=st.just("") | names,
    partitionkey=st.just("") | names,
    traceparent=st.just("") | names,
    priority=st.integers(0, 9),
    labels=labels,
    dataref=st.just("") | names,
    lineage=st.just("") | names,
    extensions=extensions,
    null_data=st.booleans(),
).flatmap(lambda event: st.sampled_from([event, event.but(ordered=True)]) if event.partitionkey else st.just(event))
