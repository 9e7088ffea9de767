"""Hot reload in `vextir dev`: files are edited while it runs, and the next event gets what they say."""

import time

from tests.scenario.cli.vextir import LIMIT_S, Project

GREETER = """
from vextir_os import Event, driver

@driver("greeter", capabilities=["guest.arrived"]{options})
async def greet(event: Event) -> str:
    return {answer!r}
"""


def write(project: Project, answer: str, options: str = "") -> None:
    file = project.root / "drivers/greeter/driver.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(GREETER.format(answer=answer, options=options), encoding="utf-8")


def answer(project: Project) -> str:
    """Publish an event and return what the driver answered."""
    sent = project.run("send", "guest.arrived", "--wait")
    shown = project.run("events", "show", sent.out.strip(), "-o", "json").json
    return str(shown["runs"].get("greeter", {}).get("output", shown["status"]))


def until_answer(project: Project, wanted: str) -> None:
    """Wait until the driver answers so: what is edited is seen within a moment."""
    until = time.monotonic() + LIMIT_S
    while (found := answer(project)) != wanted:
        assert time.monotonic() < until, f"the driver still answers {found!r}"


def test_an_edited_driver_is_at_work_without_a_restart_and_a_broken_one_is_not(project: Project) -> None:
    write(project, "hello")
    with project.running("dev", "--port", "0") as os:
        os.line("next")
        assert answer(project) == "hello"
        write(project, "good morning")
        os.line("reloaded: drivers/greeter")
        assert answer(project) == "good morning"
        file = project.root / "drivers/greeter/driver.py"
        file.write_text(file.read_text(encoding="utf-8") + "\nif broken\n", encoding="utf-8")
        os.line("not reloaded, what runs stays as it is")
        os.line("drivers/greeter/driver.py:8", "SyntaxError")
        assert answer(project) == "good morning"
        write(project, "good evening", ", capabilites=[]")
        os.line("drivers/greeter/driver.py:4", "unknown option `capabilites`")
        os.line("Did you mean `capabilities`?")
        write(project, "good night")
        os.line("reloaded: drivers/greeter")
        assert answer(project) == "good night"


def test_policies_and_new_drivers_count_without_a_restart(project: Project) -> None:
    file = project.root / "policies/all.yaml"
    allowed = file.read_text(encoding="utf-8")
    with project.running("dev", "--port", "0") as os:
        os.line("next")
        assert answer(project) == "unrouted"
        write(project, "hello")
        os.line("reloaded: drivers/greeter")
        assert answer(project) == "hello"
        file.write_text(allowed.replace('"process:locked.**"', '"process:guest.**"'), encoding="utf-8")
        os.line("reloaded: policies")
        assert answer(project) == "denied"
        file.write_text(allowed + "  - id: [\n", encoding="utf-8")
        os.line("not reloaded")
        os.line("policies/all.yaml:")
        file.write_text(allowed, encoding="utf-8")
        os.line("reloaded: policies")
        assert answer(project) == "hello"


def test_every_worker_process_takes_the_change(project: Project) -> None:
    write(project, "hello")
    with project.running("dev", "--workers", "2", "--port", "0") as os:
        os.line("next")
        until_answer(project, "hello")
        write(project, "good morning")
        os.line("reloaded: drivers/greeter")
        until_answer(project, "good morning")
        lines = b'{"type": "guest.arrived"}\n' * 100
        assert project.run("send", "--stdin", "--wait", stdin=lines).code == 0
        runs = project.run("runs", "--limit", "100", "-o", "json").json["runs"]
    assert len(runs) == 100


def test_without_reload_an_edit_waits_for_the_next_start(project: Project) -> None:
    write(project, "hello")
    with project.running("dev", "--no-reload", "--port", "0") as os:
        os.line("next")
        assert answer(project) == "hello"
        write(project, "good morning")
        assert answer(project) == "hello"
        assert not [line for line in os.seen if "reloaded" in line]


def test_policies_for_development_are_not_taken_where_other_machines_are_served(project: Project) -> None:
    file = project.root / "policies/all.yaml"
    safe = file.read_text(encoding="utf-8")
    with project.running("dev", "--public", "--host", "127.0.0.1", "--port", "0") as os:
        os.line("http://")
        file.write_text(f"development: true\n{safe}", encoding="utf-8")
        os.line("not reloaded")
        os.line("the policies are for development")
        file.write_text(safe.replace("nobody may", "nobody at all"), encoding="utf-8")
        os.line("reloaded: policies")
