"""Counts: what comes from outside and becomes a label is bounded; a time falls into one bucket."""

from vextir_os.telemetry.counts import DRIVERS, OTHER, SECONDS, TYPES, Buckets, Counts, Tally


def test_labels_over_the_bound_count_as_other() -> None:
    tally = Tally(TYPES)
    for number in range(TYPES + 50):
        tally.add(f"type.n{number}")
    tally.add("type.n0")
    assert len(tally) == TYPES + 1
    assert (tally["type.n0"], tally[OTHER]) == (2, 50)


def test_drivers_over_the_bound_are_counted_together() -> None:
    counts = Counts()
    for number in range(DRIVERS + 7):
        counts.driver(f"driver{number}").lost += 1
    assert len(counts.drivers) == DRIVERS + 1
    assert counts.driver(OTHER).lost == 7
    assert counts.driver("driver3").lost == 1


def test_a_time_counts_up_to_the_first_bound_that_holds_it() -> None:
    buckets = Buckets()
    for seconds in (SECONDS[0], SECONDS[0] + 1e-9, 1e9):
        buckets.add(seconds)
    assert buckets.counts == [1, 1, *[0] * (len(SECONDS) - 2), 1]


def test_a_clock_that_was_set_back_takes_nothing_from_the_sum() -> None:
    buckets = Buckets()
    buckets.add(-5.0)
    assert (buckets.counts[0], buckets.total) == (1, 0.0)
