"""Queue messages as others write them."""

import json
from typing import Any

UNFIT = "and datacontenttype 'text/plain' is not JSON. Leave datacontenttype out, or send the data as text"
REQUIRED = {"specversion": "1.0", "id": "e1", "source": "/s", "type": "a.b"}


def structured(**fields: Any) -> bytes:
    return json.dumps({**REQUIRED, **fields}).encode()


def properties(prefix: str = "cloudEvents_", /, **fields: str | int | bool) -> dict[str, str | int | float | bool]:
    return {f"{prefix}{name}": value for name, value in {**REQUIRED, **fields}.items()}
