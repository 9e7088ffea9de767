"""The job that all benchmarked programs do: what goes in, what must come out. Standard library only."""

import hashlib
from typing import Any


def payload(number: int) -> dict[str, Any]:
    """Return the data of event `number`, about 300 bytes as JSON."""
    return {
        "number": number,
        "customer": {"id": f"c-{number % 997}", "name": "Ada Example", "mail": "ada@example.com"},
        "items": [{"sku": f"s-{number % 89}", "count": 2, "price": 12.5}, {"sku": "s-1", "count": 1, "price": 3.25}],
        "note": "please deliver to the back door; the bell at the front has been broken for a while",
    }


def result(data: dict[str, Any]) -> dict[str, Any]:
    """Return the output for the data of an event: a little arithmetic and a hash."""
    total = sum(item["count"] * item["price"] for item in data["items"])
    mark = hashlib.sha256(f"{data['customer']['id']}:{total}".encode()).hexdigest()[:16]
    return {"number": data["number"], "total": total, "mark": mark}
