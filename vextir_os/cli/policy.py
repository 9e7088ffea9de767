"""`vextir policy`: the rules of the project, and whether they decide as their tests say."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Output, Project, Words, no_words
from vextir_os.cli.project import settings_of
from vextir_os.cli.root import find_root
from vextir_os.cli.text import counted, visible
from vextir_os.errors import UsageError
from vextir_os.policy.model import Policy, Request
from vextir_os.settings import Settings

HEAD = ("ID", "EFFECT", "PRIORITY", "ACTIONS", "WHEN", "WHERE")
TEST_HEAD = ("RESULT", "TEST", "WHERE", "DECIDED")

Named = Annotated[str, Parameter(help="Run only tests with this in their name.", show_default=False)]

EventId = Annotated[str, Parameter(help="Id of an event, in full.", show_default=False)]
Given = Annotated[
    Path | None, Parameter(help="A YAML file with the `given` of a test: action, event, user…", show_default=False)
]
Action = Annotated[str, Parameter(help="What is asked about the event; by default process:TYPE.", show_default=False)]
EXPLAIN_HEAD = ("", "POLICY", "EFFECT", "WHERE", "WHY")
_STYLES: dict[bool, screen.Style] = {True: "good", False: "dim"}

app = App(name="policy", help="List the policies; `policy test` runs their tests.")


@app.default
@app.command(name="list")
def policies(*words: Words, output: Output = "table", project: Project = None) -> int:
    """List the policies, the one that decides first at the top."""
    no_words(words, ("list", "test", "explain"))
    from vextir_os.cli.output import write_list
    from vextir_os.policy.engine import rank
    from vextir_os.policy.loader import load_policies

    bundle = load_policies(find_root(Path.cwd(), project) / "policies")
    ordered = sorted(bundle.policies, key=rank)
    items = [policy.to_json() | {"where": policy.origin} for policy in ordered]
    write_list(
        screen.stdout(),
        output,
        many="policies",
        one="policy",
        items=items,
        table=[_line(policy) for policy in ordered],
        head=HEAD,
    )
    if not items:
        screen.stderr().write("no policies: every event is denied")
    return Exit.DONE


@app.command(name="test")
def run_tests(*, name: Named = "", output: Output = "table", project: Project = None) -> int:
    """Run the tests that stand beside the policies; nothing is sent anywhere."""
    from vextir_os.cli.output import write_list
    from vextir_os.policy.engine import PolicyEngine
    from vextir_os.policy.loader import load_files

    loaded = load_files(find_root(Path.cwd(), project) / "policies")
    engine = PolicyEngine(loaded.bundle)
    cases = [case for case in loaded.tests if name in case.name]
    failures = [case.failure(engine) for case in cases]
    deciding = {engine.decide(case.request).policy_id for case in cases}
    items = [
        {"name": case.name, "ok": not failure, "decided": failure, "where": case.origin}
        for case, failure in zip(cases, failures, strict=True)
    ]
    table = [
        [
            screen.Span("failed" if failure else "ok", "error" if failure else "good"),
            screen.Span(visible(case.name)),
            screen.Span(visible(case.origin), "dim"),
            screen.Span(visible(failure), elastic=True),
        ]
        for case, failure in zip(cases, failures, strict=True)
    ]
    write_list(screen.stdout(), output, many="tests", one="test", items=items, table=table, head=TEST_HEAD)
    failed = sum(map(bool, failures))
    never = [policy.id for policy in loaded.bundle.policies if policy.id not in deciding] if not name else []
    left = f"; no test is decided by {', '.join(never)}" if never else ""
    screen.stderr().write(f"{counted(len(cases), 'test')}, {failed or 'none'} failed{left}")
    return Exit.FAILED if failed else Exit.DONE


@app.command
def explain(
    event_id: EventId = "",
    *,
    given: Given = None,
    action: Action = "",
    output: Output = "table",
    project: Project = None,
) -> int:
    """Say why an event is decided as it is, policy by policy: that of an event, or of what a file gives."""
    from vextir_os.cli.output import write_list
    from vextir_os.policy.cases import said
    from vextir_os.policy.engine import PolicyEngine
    from vextir_os.policy.explain import explain as reasons_of
    from vextir_os.policy.loader import load_policies
    from vextir_os.telemetry.redact import is_secret

    if bool(event_id) == (given is not None):
        raise UsageError("name an event, or a file with --given", hint="Run: vextir policy explain --help")
    request = _given(given) if given is not None else _of_event(settings_of(project), event_id, action)
    engine = PolicyEngine(load_policies(find_root(Path.cwd(), project) / "policies"))
    reasons = reasons_of(engine, request, hides=is_secret)
    table = [
        [
            screen.Span("decides" if reason.decides else "holds" if reason.holds else "no", _STYLES[reason.holds]),
            screen.Span(visible(reason.policy_id), "bold"),
            screen.Span(reason.effect),
            screen.Span(visible(reason.origin), "dim"),
            screen.Span(visible(reason.why), elastic=True),
        ]
        for reason in reasons
    ]
    items = [asdict(reason) for reason in reasons]
    write_list(screen.stdout(), output, many="reasons", one="reason", items=items, table=table, head=EXPLAIN_HEAD)
    decision = engine.decide(request)
    screen.stderr().write(f"{visible(request.action)}: {visible(said(decision))}")
    return Exit.DONE


def _given(path: Path) -> Request:
    """Return the request of a file: the `given` of a test. Raises `PolicyProblemsError`."""
    from vextir_os.errors import PolicyProblemsError
    from vextir_os.policy.cases import read_request
    from vextir_os.policy.walk import Walk
    from vextir_os.yamlio import load_yaml

    walk = Walk(load_yaml(path.read_bytes(), str(path)))
    request = read_request(walk, walk.document.value, ())
    if request is None or walk.problems:
        raise PolicyProblemsError(walk.problems)
    return request


def _of_event(settings: Settings, event_id: str, action: str) -> Request:
    """Return what was asked about an event before its drivers ran, or another action with it."""
    from vextir_os.cli.trace import read_trace
    from vextir_os.events import jsonio
    from vextir_os.events.codec import decode_one
    from vextir_os.events.identity import user_of
    from vextir_os.local.loop import run

    record = run(read_trace(settings, event_id)).record
    event = decode_one(jsonio.dumps(record["event"]))
    verb, _, resource = (action or f"process:{event.type}").partition(":")
    return Request(
        verb=verb,
        resource=resource,
        principal=user_of(event.userid, event.tenantid),
        event_type=event.type,
        event=lambda: event,
        clock=lambda: float(record["created"]),
        plain=True,
    )


def _line(policy: Policy) -> screen.Line:
    return [
        screen.Span(visible(policy.id), "bold"),
        screen.Span(policy.effect, "good" if policy.effect == "allow" else "warn"),
        screen.Span(str(policy.priority)),
        screen.Span(visible(", ".join(policy.match.action))),
        screen.Span(visible(" ".join(policy.when.split())), elastic=True),
        screen.Span(visible(policy.origin), "dim"),
    ]
