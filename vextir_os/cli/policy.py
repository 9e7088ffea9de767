"""`vextir policy`: the rules of the project, and whether they decide as their tests say."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Output, Project, Words, no_words
from vextir_os.cli.root import find_root
from vextir_os.cli.text import counted, visible
from vextir_os.policy.model import Policy

HEAD = ("ID", "EFFECT", "PRIORITY", "ACTIONS", "WHEN", "WHERE")
TEST_HEAD = ("RESULT", "TEST", "WHERE", "DECIDED")

Named = Annotated[str, Parameter(help="Run only tests with this in their name.", show_default=False)]

app = App(name="policy", help="List the policies; `policy test` runs their tests.")


@app.default
@app.command(name="list")
def policies(*words: Words, output: Output = "table", project: Project = None) -> int:
    """List the policies, the one that decides first at the top."""
    no_words(words, ("list", "test"))
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


def _line(policy: Policy) -> screen.Line:
    return [
        screen.Span(visible(policy.id), "bold"),
        screen.Span(policy.effect, "good" if policy.effect == "allow" else "warn"),
        screen.Span(str(policy.priority)),
        screen.Span(visible(", ".join(policy.match.action))),
        screen.Span(visible(" ".join(policy.when.split())), elastic=True),
        screen.Span(visible(policy.origin), "dim"),
    ]
