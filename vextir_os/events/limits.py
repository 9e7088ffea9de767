"""Sizes and depths that bound every event and record. Constants only."""

WIRE_BYTES = 200_000
"""An event as it travels on the queue, at most."""

INLINE_BYTES = 64_000
"""Data or output inside a message or record, at most; larger goes to the Blobs port."""

BLOB_BYTES = 64_000_000
"""Data or output behind a claim check, at most."""

JSON_DEPTH = 64
"""Objects and arrays inside each other, at most."""

TYPE_CHARS = 128
"""Characters of an event type or pattern, at most."""

ATTRIBUTE_CHARS = 1_024
"""Characters of any other text attribute of an event, at most; of those that name something, bytes in UTF-8 too,
since stores limit the bytes of a key."""

LABELS = 32
"""Labels on one event, at most."""

EXTENSIONS = 32
"""Extension attributes on one event, at most."""

RUNS_PER_RECORD = 32
"""Drivers that one event may start, at most."""

EVENTS_PER_RUN = 100
"""Events that one run may emit, at most."""

RECORD_BYTES = 1_500_000
"""A whole record, at most. Bounded by construction: see `inline_bytes`."""

CROWDED_RUNS = 8
"""With more runs than these in one record, each gets less room for its output."""


def inline_bytes(runs: int) -> int:
    """Return how large an output may be in a record with so many runs; a larger one goes to the Blobs port.

    Each run also needs room for an error with its traceback or for 100 decisions, at most 30 KB, so that a record
    stays under `RECORD_BYTES` with any number of runs up to `RUNS_PER_RECORD`.
    """
    return INLINE_BYTES if runs <= CROWDED_RUNS else INLINE_BYTES // 8
