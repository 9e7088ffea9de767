"""The doctor on what a project says: settings, driver index, policies, port. Each finding is provoked."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.patient import a_patient, said
from vextir_os.cli.doctor import port, project
from vextir_os.isolation import landlock
from vextir_os.local.presence import Presence
from vextir_os.registry.index import build_index, write_index

EVERYWHERE = "0.0.0.0"  # noqa: S104 - named, not bound


def test_settings_that_are_wrong_are_problems_each(tmp_path: Path) -> None:
    (tmp_path / "vextir.toml").write_text("prot = 1\n")
    found = [*project.settings(a_patient(tmp_path, VEXTIR_TENANT="a/b"))]
    assert said(found)[0] == "problem: vextir.toml:1: unknown setting `prot`"
    assert found[0].advice == "Did you mean `port`?"
    assert said(found)[1].startswith("problem: VEXTIR_TENANT: 'a/b' is wrong")


def test_settings_are_shown_with_where_they_come_from_and_without_passwords(tmp_path: Path) -> None:
    (tmp_path / "vextir.toml").write_text("port = 8400\n")
    (line,) = said(project.settings(a_patient(tmp_path, VEXTIR_OTLP_ENDPOINT="http://ann:s3cret@host")))
    assert line == ("ok: port = 8400 (vextir.toml:1); otlp_endpoint = http://***@host (VEXTIR_OTLP_ENDPOINT)")
    assert said(project.settings(a_patient(tmp_path / "other"))) == ["ok: all have their default"]


def test_connections_that_nothing_reads_are_named_and_not_shown(tmp_path: Path) -> None:
    secret = "Endpoint=sb://x/;SharedAccessKey=s3cret"
    found = [*project.settings(a_patient(tmp_path, SERVICEBUS_CONNECTION=secret, COSMOS_CONNECTION=secret))]
    assert said(found, "warning") == ["SERVICEBUS_CONNECTION, COSMOS_CONNECTION are set, and nothing reads them"]
    assert "s3cret" not in str(found)


def test_an_index_that_is_stale_missing_or_broken_is_a_warning(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    write_index(tmp_path, build_index(tmp_path))
    assert said(project.index(patient)) == ["ok: fresh: 0 drivers"]
    (tmp_path / "drivers/new").mkdir()
    (tmp_path / "drivers/new/driver.py").write_text("raise SystemExit('a driver is never imported to be looked at')")
    (tmp_path / "drivers/index.json").rename(tmp_path / "kept.json")
    assert said(project.index(patient)) == ["warning: drivers/index.json: there is no driver index"]
    (tmp_path / "kept.json").rename(tmp_path / "drivers/index.json")
    (found,) = project.index(patient)
    assert (found.level, found.advice) == ("warning", "Run: vextir build")
    assert found.what == "drivers/index.json: drivers/new was added since the driver index was built"
    (tmp_path / "drivers/index.json").write_text("<<<<<<< HEAD")
    assert "it is damaged, or holds the marks of a merge" in said(project.index(patient))[0]


def test_a_pack_that_is_not_installed_is_a_problem(tmp_path: Path) -> None:
    (problem,) = said(project.index(a_patient(tmp_path, VEXTIR_PACKS="no-such-pack")), "problem")
    assert "no-such-pack" in problem


PROCESS = """
from vextir_os import driver

@driver("a.b", capabilities=["x.y"], isolation="process")
async def it(event): ...
"""


def test_drivers_in_processes_on_a_kernel_that_does_not_hold_them_are_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = a_patient(tmp_path)
    kernel = [0]
    monkeypatch.setattr(landlock, "version", lambda: kernel[0])
    assert said(project.isolation(patient)) == ["ok: no driver in processes of their own; no Landlock in this kernel"]
    (tmp_path / "drivers/a").mkdir()
    (tmp_path / "drivers/a/driver.py").write_text(PROCESS)
    write_index(tmp_path, build_index(tmp_path))
    assert said(project.isolation(patient)) == [
        "warning: 1 driver in processes of their own, and no Landlock in this kernel: a.b"
    ]
    kernel[0] = 3
    assert said(project.isolation(patient)) == ["ok: 1 driver in processes of their own; Landlock 3 in this kernel"]


@pytest.mark.parametrize(
    ("text", "host", "line"),
    [
        pytest.param("policies: [\n", "127.0.0.1", "problem: policies/all.yaml:", id="no-yaml"),
        pytest.param("policies: []\n", "127.0.0.1", "warning: there are none", id="none"),
        pytest.param("development: true\npolicies: []\n", "127.0.0.1", "warning: they are for development", id="dev"),
        pytest.param("development: true\npolicies: []\n", EVERYWHERE, "problem: they are for development", id="public"),
        pytest.param(None, EVERYWHERE, "ok: 1 policy", id="well"),
    ],
)
def test_policies_are_read_and_judged_by_who_can_reach_the_os(
    tmp_path: Path, text: str | None, host: str, line: str
) -> None:
    patient = a_patient(tmp_path, VEXTIR_HOST=host)
    if text is not None:
        (tmp_path / "policies/all.yaml").write_text(text)
    assert said(project.policies(patient))[0].startswith(line)


def test_of_many_problems_the_first_ten_are_told(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    (tmp_path / "policies/all.yaml").write_text("policies:\n" + "  - {id: a, effect: maybe}\n" * 12)
    found = said(project.policies(patient), "problem")
    assert len(found) == 11
    assert found[-1].endswith("more of the kind")


def test_a_port_that_is_free_or_any_is_well(tmp_path: Path) -> None:
    assert said(port.port(a_patient(tmp_path, VEXTIR_PORT="0"))) == ["ok: any free one is taken"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
    assert said(port.port(a_patient(tmp_path, VEXTIR_PORT=str(number)))) == [f"ok: 127.0.0.1:{number} is free"]


def test_a_port_that_another_program_has_is_a_warning_with_its_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        # It closes the connection on which it is asked whether it is a Vextir OS.
        threading.Thread(target=lambda: taken.accept()[0].close(), daemon=True).start()
        (line,) = said(port.port(a_patient(tmp_path, VEXTIR_PORT=str(number))))
    assert line.startswith(f"warning: 127.0.0.1:{number} is taken by another program")
    if Path("/proc/net/tcp").exists():
        assert "(process " in line


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok", "version": "0.1.0"}')

    def log_message(self, *_what: object) -> None:
        pass


def test_a_port_that_this_project_serves_is_well_and_one_of_another_project_is_not(tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), Healthy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        patient = a_patient(tmp_path, VEXTIR_PORT=str(server.server_port))
        assert "is taken by Vextir OS 0.1.0, of another project" in said(port.port(patient), "warning")[0]
        presence = Presence(patient.data_dir, "0123456789abcdef")
        presence.take()
        assert "is served by Vextir OS 0.1.0" in said(port.port(patient), "ok")[0]
        presence.leave(clean=True)
    finally:
        server.shutdown()
        server.server_close()


def test_an_address_that_is_not_of_this_machine_is_a_problem(tmp_path: Path) -> None:
    (line,) = said(port.port(a_patient(tmp_path, VEXTIR_HOST="203.0.113.7")))
    assert line.startswith("problem: 203.0.113.7:8300 cannot be served: ")
