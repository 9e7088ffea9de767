"""Measures one decision, with 10 to 10,000 policies, beside the engines that people know, in the same run.

    python benchmarks/policy.py --most-us 10 --most-growth 1.5

Three policies concern the event, each with a condition over its data; all others concern other events. Peers are
measured where they are installed: `cedarpy`, and `cel` of `common-expression-language` (the group `peers` of
pyproject.toml). Every answer is compared. Prints as its last line one JSON object: µs per decision by number of
policies.
"""

import argparse
import importlib.metadata
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vextir_os import Event
from vextir_os.events.identity import Principal
from vextir_os.policy import compile_condition
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle, Effect, Match, Policy, Request

_SIZES = (10, 100, 1_000, 10_000)
_DATA = {
    "number": 7, "customer": {"id": "c-7", "name": "Ada Example", "mail": "ada@example.com"},
    "items": [{"sku": "s-7", "count": 2, "price": 12.5}, {"sku": "s-1", "count": 1, "price": 3.25}],
    "amount": 28, "note": "please deliver to the back door",
}  # fmt: skip
_EVENT = Event(id="e-1", type="order.placed", source="/cli", tenantid="acme", labels=("web",), data=_DATA)
_WHO = Principal(kind="user", id="ann", tenant="acme", roles=("clerk",))
_CONDITIONS = {
    "len": "len(event.data.items) > 1",
    "any": 'any(item.sku == "s-1" for item in event.data.items)',
    "get": 'event.data.get("amount", 0) > 10',
    "arithmetic": "event.data.amount * 2 + 1 < 100",
}

Decide = Callable[[], bool]


def vextir(count: int, *, plain: bool = False) -> Decide:
    """Return a decision of ours; true when it is allowed. `plain`: the data came out of JSON, and needs no gate."""
    request = Request(
        verb="process", resource="order.placed", principal=_WHO, event_type="order.placed", event=lambda: _EVENT,
        plain=plain,
    )  # fmt: skip
    engine = PolicyEngine(Bundle(policies=(*_three(), *(_other(number) for number in range(count - 3)))))
    return lambda: engine.decide(request).effect == "allow"


def _three() -> tuple[Policy, ...]:
    def rule(name: str, effect: Effect, when: str) -> Policy:
        return Policy(id=name, effect=effect, match=Match(action=("process:order.placed",)), when=when)

    return (
        rule("large", "deny", "event.data.amount > 1000"),
        rule("untrusted", "deny", '"untrusted" in event.labels'),
        rule("known", "allow", 'event.data.customer.id != "" and user.id == "ann"'),
    )


def _other(number: int) -> Policy:
    return Policy(
        id=f"other-{number}",
        effect="deny",
        match=Match(action=(f"process:other.n{number}.*",)),
        when=f"event.data.amount > {number}",
    )


def cedar(count: int) -> Decide:
    """Return the same decision of Cedar; policies that concern other actions stand beside."""
    import cedarpy  # type: ignore[import-not-found, unused-ignore]

    text = "".join(
        f'forbid(principal, action == Action::"other-{number}", resource) when {{ context.amount > {number} }};\n'
        for number in range(count - 3)
    )
    text += """
        permit(principal == User::"ann", action == Action::"order.placed", resource) when { context.customer.id != "" };
        forbid(principal, action == Action::"order.placed", resource) when { context.amount > 1000 };
        forbid(principal, action == Action::"order.placed", resource) when { context.labels.contains("untrusted") };
    """
    policies = cedarpy.PolicySet.from_str(text)
    request = {
        "principal": 'User::"ann"', "action": 'Action::"order.placed"', "resource": 'Event::"e-1"',
        "context": {"amount": 28, "customer": {"id": "c-7"}, "labels": ["web"]},
    }  # fmt: skip
    return lambda: bool(cedarpy.is_authorized(request, policies, []).allowed)


def cel(count: int) -> Decide:
    """Return the same decision of CEL: there is no index in it, so each policy asks for the type by itself."""
    import cel as engine  # type: ignore[import-not-found, unused-ignore]

    denials = [f'type == "other.n{number}" && data.amount > {number}' for number in range(count - 3)]
    denials += [
        'type == "order.placed" && data.amount > 1000', 'type == "order.placed" && "untrusted" in labels'
    ]  # fmt: skip
    allow = engine.compile('type == "order.placed" && data.customer.id != "" && user.id == "ann"')
    programs = [engine.compile(source) for source in denials]
    context = {"type": "order.placed", "labels": ["web"], "data": _DATA, "user": {"id": "ann"}}

    def decide() -> bool:
        return not any(program.execute(context) for program in programs) and bool(allow.execute(context))

    return decide


def measured(decide: Decide, rounds: int) -> float:
    """Return µs for one decision: the least of rounds, of as many decisions as fit into a moment."""
    if not decide():
        raise AssertionError("the decision is wrong")
    began = time.perf_counter()
    decide()
    turns = max(1, min(5_000, int(0.05 / max(1e-7, time.perf_counter() - began))))
    return min(_timed(decide, turns) for _ in range(rounds)) * 1e6


def _timed(work: Callable[[], object], turns: int) -> float:
    began = time.perf_counter()
    for _ in range(turns):
        work()
    return (time.perf_counter() - began) / turns


def conditions(rounds: int) -> dict[str, float]:
    """Return µs for one answer of each kind of condition, past the data gate."""
    found = {}
    for name, source in _CONDITIONS.items():
        condition = compile_condition(source)
        values = [{"data": _DATA}]
        found[name] = min(_timed(lambda c=condition, v=values: c.outcome(v), 5_000) for _ in range(rounds)) * 1e6  # type: ignore[misc]
    return found


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES, help="numbers of policies")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most-us", type=float, help="fail when a decision takes longer")
    parser.add_argument("--most-growth", type=float, help="fail when it takes this much longer with the most policies")
    given = parser.parse_args()
    engines: Mapping[str, tuple[str, Callable[[int], Decide]]] = {
        "vextir": ("vextir-os", vextir), "vextir, data out of JSON": ("vextir-os", partial(vextir, plain=True)),
        "cedar": ("cedarpy", cedar), "cel": ("common-expression-language", cel),
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name, (distribution, engine) in engines.items():
        if _installed(distribution):
            found[name] = {str(size): measured(engine(size), given.rounds) for size in given.sizes}
    began = time.perf_counter()
    vextir(max(given.sizes))
    ours = list(found["vextir"].values())
    growth = max(ours) / statistics.median(ours[:1])
    shown = {"ok": True, "us_per_decision": found, "growth": growth, "conditions_us": conditions(given.rounds)}
    shown["load_s"] = {str(max(given.sizes)): time.perf_counter() - began}
    print(json.dumps(shown))
    slow = given.most_us is not None and max(ours) > given.most_us
    return 1 if slow or (given.most_growth is not None and growth > given.most_growth) else 0


if __name__ == "__main__":
    sys.exit(main())
