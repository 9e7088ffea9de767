"""Codes of anything, of YAML, of events and the bus, and of policies: 0xx, 2xx and 3xx."""

from collections.abc import Mapping
from pathlib import Path

from tests.docs.provoked.seen import Provocation, Seen, raised, reported
from tests.support.harness import an_os
from vextir_os.api.problem import problem_of
from vextir_os.bus.current import current_bus
from vextir_os.events import jsonio
from vextir_os.events.codec import from_batch
from vextir_os.events.event import Event
from vextir_os.events.filters import EventFilter
from vextir_os.events.names import check_pattern
from vextir_os.policy import compile_condition
from vextir_os.policy.grammar import parse_action
from vextir_os.policy.loader import load_policies
from vextir_os.yamlio import load_yaml

TWICE = "id: mail\nid: post\n"
WRONG = "policies:\n  - id: mail\n    effect: alow\n    match: {action: 'process:mail.*'}\n"


async def unexpected(_folder: Path) -> Seen:
    problem = problem_of(KeyError("nobody thought of this"))
    return Seen(problem.code, f"{problem.detail}. {problem.hint}")


async def yaml(_folder: Path) -> Seen:
    return await reported(lambda: load_yaml(TWICE, "policies/mail.yaml"))


async def yaml_problems(_folder: Path) -> Seen:
    return await raised(lambda: load_yaml(TWICE, "policies/mail.yaml"))


async def invalid_event(_folder: Path) -> Seen:
    return await raised(lambda: Event(type="Mail.Received"))


async def too_large(_folder: Path) -> Seen:
    return await raised(lambda: jsonio.loads_strict(b"[" * 200 + b"]" * 200))


async def undecodable(_folder: Path) -> Seen:
    return await raised(lambda: jsonio.loads_strict(b'{"type": "mail.received",}'))


async def forged(folder: Path) -> Seen:
    async with an_os(folder, working=False) as os:
        return await raised(lambda: os.publish(Event(type="vextir.error")))


async def pattern(_folder: Path) -> Seen:
    return await raised(lambda: check_pattern("mail.re*"))


async def event_filter(_folder: Path) -> Seen:
    return await raised(lambda: EventFilter.parse("stats:failed"))


async def event_problems(_folder: Path) -> Seen:
    return await raised(lambda: from_batch([{"type": "mail.received"}, {"type": 7}]))


async def forged_problems(_folder: Path) -> Seen:
    event = {"specversion": "1.0", "id": "e-1", "source": "/mail", "type": "mail.received", "rerun": "1"}
    return await raised(lambda: from_batch([event]))


async def bus(_folder: Path) -> Seen:
    return await raised(current_bus)


def _policies(folder: Path, text: str) -> Path:
    (folder / "policies").mkdir()
    (folder / "policies" / "mail.yaml").write_text(text, encoding="utf-8")
    return folder / "policies"


async def policy_file(folder: Path) -> Seen:
    return await reported(lambda: load_policies(_policies(folder, WRONG)))


async def policy_problems(folder: Path) -> Seen:
    return await raised(lambda: load_policies(_policies(folder, WRONG)))


async def denied(folder: Path) -> Seen:
    async with an_os(folder, policies=(), working=False) as os:
        return await raised(lambda: os.publish(Event(type="order.placed")))


async def action(_folder: Path) -> Seen:
    return await raised(lambda: parse_action("tol:mail/send"))


async def condition(_folder: Path) -> Seen:
    return await raised(lambda: compile_condition("lenn(event.data.to) > 3"))


OF_EVENTS: Mapping[str, Provocation] = {
    "VX000": unexpected,
    "VX001": yaml,
    "VX002": yaml_problems,
    "VX201": invalid_event,
    "VX202": too_large,
    "VX203": undecodable,
    "VX204": forged,
    "VX205": pattern,
    "VX206": event_filter,
    "VX207": event_problems,
    "VX208": bus,
    "VX209": forged_problems,
    "VX301": policy_file,
    "VX302": policy_problems,
    "VX303": denied,
    "VX304": action,
    "VX305": condition,
}
