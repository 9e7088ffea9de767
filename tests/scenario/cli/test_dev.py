"""`vextir dev`: the OS in one process, sent to and read from by others, until it is told to stop."""

import json
import re
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.scenario.cli.vextir import Project


def test_an_event_sent_by_one_process_is_run_by_another_and_traced_by_a_third(project: Project) -> None:
    with project.running("dev", "--port", "0") as os:
        os.line("http://")
        sent = project.run("send", "hello.one", "--data", '{"a": 1}', "--wait")
        assert (sent.code, sent.err) == (0, f"ok. Next: vextir trace {sent.out}")
        assert os.line("hello.one", sent.out.strip()).split("  ")[1].strip() == "ok"
        os.line("note.made")
        traced = project.run("trace", sent.out.strip(), "-o", "json").json
    assert [event["type"] for event in traced["events"]] == ["hello.one", "note.made"]
    assert traced["events"][0]["runs"]["hello"]["output"] == {"said": {"a": 1}}


def test_it_says_in_five_lines_what_runs_and_never_shows_the_key(project: Project) -> None:
    with project.running("dev", "--port", "0") as os:
        os.line("next")
        assert os.stop(signal.SIGTERM) == 0
    start = os.seen
    assert len(start) == 5
    assert str(project.root) in start[0]
    assert "4 drivers, 2 policies" in start[2]
    assert re.search(r"http://127\.0\.0\.1:[0-9]+ .*api\.key", start[3])
    key = (project.root / ".vextir/api.key").read_text().strip()
    assert key not in "\n".join(start)


def test_http_takes_an_event_with_the_key_that_the_start_names(project: Project) -> None:
    with project.running("dev", "--port", "0") as os:
        found = re.search(r"(http://\S+) .* (/\S+api\.key)", os.line("http://"))
        assert found is not None
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{found[1]}/v1/events",
            data=json.dumps({"type": "hello.quiet", "data": 1}).encode(),
            headers={"Content-Type": "application/json", "X-API-Key": Path(found[2]).read_text().strip()},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
            assert answer.status == 202
        os.line("ok", "hello.quiet")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["ctrl-c", "term"])
def test_it_stops_when_told_to_without_a_traceback(project: Project, number: int, code: int) -> None:
    with project.running("dev", "--port", "0") as os:
        os.line("next")
        assert os.stop(number) == code
        assert "Traceback" not in os.rest()


def test_what_was_sent_while_nothing_ran_is_run_at_the_next_start(project: Project) -> None:
    sent = project.run("send", "hello.quiet")
    assert project.run("trace", sent.out.strip()).code == 3
    with project.running("dev", "--port", "0") as os:
        os.line("ok", sent.out.strip())


def test_failed_denied_and_unrouted_events_are_told(project: Project) -> None:
    with project.running("dev", "--port", "0") as os:
        os.line("next")
        for event_type in ("broken.one", "locked.one", "strange.one", "later.one"):
            project.run("send", event_type, "--data", "1")
        lines = {
            word: os.line(word, event_type)
            for word, event_type in [
                ("failed", "broken.one"), ("denied", "locked.one"), ("unrouted", "strange.one"), ("retry", "later.one")
            ]
        }  # fmt: skip
    assert lines["failed"].endswith("broken: VX412 InvalidError: cannot do 1\\x1b[31m")
    assert lines["denied"].endswith("nobody may")
    assert "attempt 1 failed, again in 5 min" in lines["retry"]


def test_two_of_them_on_the_same_data_share_the_work(project: Project) -> None:
    with project.running("dev", "--port", "0") as one, project.running("dev", "--port", "0") as two:
        one.line("next")
        two.line("next")
        lines = b"".join(b'{"type": "hello.quiet", "data": %d}\n' % number for number in range(200))
        sent = project.run("send", "--stdin", "--wait", stdin=lines)
        assert sent.code == 0, sent.err
        assert "200 ok" in sent.err
        assert (one.stop(signal.SIGTERM), two.stop(signal.SIGTERM)) == (0, 0)


def test_a_port_that_is_taken_is_a_clear_error(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = project.run("dev", "--port", str(port))
    assert done.code == 1
    assert f"error VX900: port {port} on 127.0.0.1 is in use" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1"])  # noqa: S104 - what must be refused
def test_an_address_that_others_reach_needs_to_be_asked_for(project: Project, host: str) -> None:
    done = project.run("dev", "--host", host, "--port", "0")
    assert done.code == 1
    assert "can be reached by other machines" in done.err
    assert "--public" in done.err


def test_development_policies_are_never_served_to_others(project: Project) -> None:
    policies = project.root / "policies/all.yaml"
    policies.write_text("development: true\n" + policies.read_text())
    done = project.run("dev", "--host", "0.0.0.0", "--port", "0", "--public")  # noqa: S104
    assert done.code == 1
    assert "the policies are for development" in done.err


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_loopback_address_may_be_public(project: Project, host: str) -> None:
    with project.running("dev", "--host", host, "--port", "0", "--public") as os:
        os.line("next")
        assert os.stop(signal.SIGTERM) == 0


def test_a_host_that_is_no_address_is_refused(project: Project) -> None:
    done = project.run("dev", "--host", "nowhere.example", "--port", "0", "--public")
    assert done.code == 1
    assert "is neither an IP address nor localhost" in done.err
