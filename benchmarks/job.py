"""The job that all benchmarked programs do: what goes in, what must come out. Standard library only."""

import hashlib
from collections.abc import Sequence
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


def latency(times: Sequence[float]) -> dict[str, Any]:
    """Return what is reported of events that were alone, of their seconds, sorted."""
    return {
        "count": len(times),
        "p50_ms": times[len(times) // 2] * 1e3,
        "p99_ms": times[int(len(times) * 0.99)] * 1e3,
    }


def numbers(
    *, n: int, seconds: float, times: Sequence[float], flows: int, chained: float, right: tuple[bool, bool]
) -> dict[str, Any]:
    """Return what every program reports of the three measurements.

    Args:
        n: Events of the throughput run, which took `seconds`.
        seconds: From the first publish to the last result.
        times: Seconds of each event that was alone, sorted.
        flows: Chains of three steps, which took `chained` seconds.
        chained: As `seconds`.
        right: Whether all results of the first and of the last were read back and are right.
    """
    return {
        "throughput": {"n": n, "seconds": seconds, "eps": n / seconds, "verified": right[0]},
        "latency": latency(times),
        "chain": {
            "flows": flows,
            "steps": 3,
            "seconds": chained,
            "steps_per_s": flows * 3 / chained,
            "verified": right[1],
        },
    }
