"""The README is run: its commands with the real executable, its files in an empty folder, its output compared."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Likeness, Step, consoles_of, files_of

PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
DRIVER = "drivers/shop/driver.py"
POLICY = "policies/shop.yaml"
TEST = "tests/test_shop.py"
PATIENCE_S = 60.0
ARRIVAL_S = 20.0


def environment(**more: str) -> Mapping[str, str]:
    """Return an environment in which `vextir` and `python` are this environment's, and the port is a free one."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("VEXTIR_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**inherited, "PATH": path, "VEXTIR_PORT": "0", "PYTHONUNBUFFERED": "1", **more}


def output_of(command: str, folder: Path, environ: Mapping[str, str]) -> list[str]:
    """Run a command with the shell and return what it said."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.stdout.splitlines()


@contextlib.contextmanager
def serving(step: Step, folder: Path, environ: Mapping[str, str], likeness: Likeness) -> Iterator[str]:
    """Run `vextir dev` in the background; yield the address that it serves, and stop it with Ctrl-C."""
    assert step.command == "vextir dev"
    with subprocess.Popen(
        ["vextir", "dev"], cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            said = [process.stdout.readline().rstrip("\n") for _ in step.output]
            assert likeness.differences(step.output, said) == []
            yield said[3].partition("http://")[2].split()[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)


def follow(
    steps: Sequence[Step], folder: Path, environ: Mapping[str, str], likeness: Likeness, address: str
) -> list[str]:
    """Run the steps of a console; return how what they said differs from the page."""
    differences = []
    for step in steps:
        command = likeness.actual(step.command, address)
        said = likeness.differences(step.output, output_of(command, folder, environ))
        # What an event has caused may still be on its way when its own drivers have ended.
        until = time.monotonic() + ARRIVAL_S
        while said and command.startswith("vextir trace") and time.monotonic() < until:
            said = likeness.differences(step.output, output_of(command, folder, environ))
        differences += said
    return differences


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a folder with the files that the README writes, and nothing else."""
    folder = tmp_path / "shop"
    for name, text in files_of(PAGE).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def make_run() -> str:
    """Return the command behind `make run`, out of the Makefile."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    recipe = lines[next(number for number, line in enumerate(lines) if line.startswith("run:")) + 1]
    return recipe.strip().removeprefix("@$(BIN)/").replace("$(EVENTS)", "examples/events").replace(" $(ARGS)", "")


def test_make_run_shows_what_the_readme_shows(tmp_path: Path) -> None:
    step = next(step for step in consoles_of(PAGE, "Start") if step.command == "make run")
    said = output_of(make_run(), ROOT, environment(VEXTIR_DATA_DIR=str(tmp_path)))
    assert Likeness(folder=ROOT, shown="/home/ann/vextir-os").differences(step.output, said) == []


def test_make_run_reaches_no_other_host(tmp_path: Path) -> None:
    # The hook of tests/conftest.py refuses every other host, here in the OS itself.
    code = "import sys, tests.conftest; from vextir_os.cli.app import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *shlex.split(make_run())[1:]],
        cwd=ROOT,
        env=environment(VEXTIR_DATA_DIR=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, "6 ok, 2 unrouted" in done.stderr) == (0, True), done.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed here")
def test_what_make_run_leaves_can_be_read_and_the_checkout_stays_clean(tmp_path: Path) -> None:
    for folder in ("drivers", "policies", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    output_of("git init -q && git add . && git -c user.name=a -c user.email=a commit -qm a", tmp_path, environment())
    said = output_of(make_run(), tmp_path, environment())
    assert output_of("git status --porcelain", tmp_path, environment()) == []
    event_id = said[-1].removeprefix("next: vextir trace ")
    assert output_of(f"vextir trace {event_id}", tmp_path, environment())[0].split()[1] == event_id


def test_the_first_start_writes_keys_that_only_their_owner_can_read(shop: Path) -> None:
    dev = consoles_of(PAGE, "Write a driver")[0]
    with serving(dev, shop, environment(), Likeness(folder=shop, shown="/home/ann/shop")):
        found = {path.name: path.stat().st_mode & 0o777 for path in (shop / ".vextir").iterdir()}
    assert (shop / ".vextir").stat().st_mode & 0o777 == 0o700
    assert {"api.key", "signing.key", "vextir.db"} <= set(found)
    assert set(found.values()) == {0o600, 0o700}
    assert [name for name, mode in found.items() if mode == 0o700] == ["workers"]


def test_the_os_runs_takes_an_event_and_shows_its_trace_as_the_readme_says(tmp_path: Path) -> None:
    dev, *steps = consoles_of(PAGE, "Start")[1:]
    likeness = Likeness(folder=tmp_path, shown="/home/ann/vextir-os/.vextir")
    environ = environment(VEXTIR_DATA_DIR=str(tmp_path))
    first, *rest = dev.output
    shown = Step(command=dev.command, output=(first.replace("/home/ann/vextir-os", str(ROOT)), *rest))
    with serving(shown, ROOT, environ, likeness) as address:
        assert len(steps) == 2
        assert follow(steps, ROOT, environ, likeness, address) == []


def test_the_driver_of_the_readme_is_at_most_twenty_lines() -> None:
    assert len(files_of(PAGE)[DRIVER].splitlines()) <= 20


def test_the_driver_of_the_readme_runs_in_an_empty_folder(shop: Path) -> None:
    (shop / "app.py").unlink()
    dev, *steps = consoles_of(PAGE, "Write a driver")
    likeness = Likeness(folder=shop, shown="/home/ann/shop")
    with serving(dev, shop, environment(), likeness) as address:
        assert len(steps) == 5
        assert follow(steps, shop, environment(), likeness, address) == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_the_curl_commands_of_the_readme_are_answered_as_it_says(shop: Path) -> None:
    dev = consoles_of(PAGE, "Write a driver")[0]
    steps = consoles_of(PAGE, "Send over HTTP")
    likeness = Likeness(folder=shop, shown="/home/ann/shop")
    with serving(dev, shop, environment(), likeness) as address:
        assert [step.command.split()[0] for step in steps] == ["curl", "curl"]
        assert follow(steps, shop, environment(), likeness, address) == []


def test_the_program_of_the_readme_runs_the_os_in_process(shop: Path) -> None:
    (step,) = consoles_of(PAGE, "In process")
    assert output_of("vextir build", shop, environment()) == ["drivers/index.json: 1 driver"]
    assert output_of(step.command, shop, environment()) == list(step.output)


def test_the_tests_of_the_readme_pass_as_it_says(shop: Path) -> None:
    (step,) = consoles_of(PAGE, "Test a driver")
    said = output_of(step.command, shop, environment(COLUMNS="80", PYTEST_ADDOPTS="-p no:asyncio"))
    assert Likeness(folder=shop, shown="").differences(step.output, said) == []


def test_the_readme_writes_four_files(shop: Path) -> None:
    assert sorted(files_of(PAGE)) == ["app.py", DRIVER, POLICY, TEST]
