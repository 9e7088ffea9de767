"""The guide says the numbers that the code has."""

from pathlib import Path

import pytest

from vextir_os.api.access import LOOPBACK
from vextir_os.api.bodies import Limits
from vextir_os.api.guard import HEAD_BYTES
from vextir_os.api.weight import PARTS
from vextir_os.api.wire import CONNECTIONS, FRAME_BYTES, HEAD_S, WAITING
from vextir_os.events.limits import BLOB_BYTES, INLINE_BYTES, JSON_DEPTH, WIRE_BYTES

PAGE = (Path(__file__).parents[3] / "docs" / "guides" / "http.md").read_text(encoding="utf-8")
LIMITS = Limits()


@pytest.mark.parametrize(
    "row",
    [
        f"| body of a request | {LIMITS.request_bytes / 1e6:g} MB |",
        f"| data of one event | {BLOB_BYTES / 1e6:g} MB; over {INLINE_BYTES / 1e3:g} KB it is kept",
        f"| events in an array | {LIMITS.batch_events:,} |",
        f"| values in a body over {WIRE_BYTES / 1e3:g} KB | {PARTS:,} |",
        f"| depth of JSON | {JSON_DEPTH} |",
        f"| headers | {HEAD_BYTES / 1e3:g} KB together |",
        f"| time for headers, for a body | {HEAD_S:g} s, {LIMITS.body_s:g} s |",
        f"| bodies of all requests at one moment | {LIMITS.buffered_bytes / 1e6:.0f} MB |",
        f"| connections | {CONNECTIONS} |",
        f"| requests that wait on one connection | {WAITING} |",
        f"| sizes, extensions and trailers of chunks | {HEAD_BYTES / 500:g} KB and {FRAME_BYTES - 1} times",
    ],
)
def test_every_limit_of_the_guide_is_the_codes(row: str) -> None:
    assert row in PAGE


@pytest.mark.parametrize("name", sorted(LOOPBACK))
def test_every_name_of_this_machine_is_in_the_guide(name: str) -> None:
    assert f"`{name}`" in PAGE
