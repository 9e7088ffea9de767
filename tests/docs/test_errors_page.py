"""docs/errors.md is written from the classes and the catalogue, and every message of it was seen."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.errors_page import PAGE, page
from tests.docs.provoked.of_drivers import OF_DRIVERS
from tests.docs.provoked.of_events import OF_EVENTS
from tests.docs.provoked.of_people import OF_PEOPLE
from tests.docs.provoked.of_store import OF_STORE
from tests.docs.provoked.seen import Provocation
from tests.scenario.api.serving import a_server
from tests.support.errors import error_classes
from vextir_os.cli.explain import described
from vextir_os.errors.catalogue import CATALOGUE

CODES = {cls.code: name for name, cls in error_classes().items()}

PROVOKED: Mapping[str, Provocation] = {**OF_EVENTS, **OF_DRIVERS, **OF_STORE, **OF_PEOPLE}


def test_the_page_is_what_classes_and_catalogue_say() -> None:
    assert page() == PAGE.read_text(encoding="utf-8"), "run: make pages"


def test_every_code_has_its_entry_and_no_entry_is_left_over() -> None:
    assert list(CATALOGUE) == list(CODES), "vextir_os/errors/catalogue.py tells of each code, in order"


def test_every_class_is_described_with_what_it_means() -> None:
    assert {each.code: each.name for each in described()} == CODES
    assert [each.code for each in described() if not each.meaning.endswith(".") or "\n" in each.meaning] == []


def test_every_code_that_is_raised_is_provoked() -> None:
    raised = [code for code, entry in CATALOGUE.items() if entry.example]
    assert list(PROVOKED) == raised, "tests/docs/provoked/ shows how somebody meets each code, in order"


def test_only_bases_are_never_raised() -> None:
    bases = {code for code, entry in CATALOGUE.items() if not entry.example}
    source = "\n".join(path.read_text(encoding="utf-8") for path in (PAGE.parents[1] / "vextir_os").rglob("*.py"))
    raised = set(re.findall(r"(?:raise|return) (\w+Error)\(", source))
    assert {CODES[code] for code in bases} & raised == set()
    classes = error_classes()
    assert all(
        any(issubclass(other, cls) and other is not cls for other in classes.values())
        for cls in (classes[CODES[code]] for code in bases)
    )


@pytest.mark.parametrize("code", PROVOKED)
def test_a_code_is_seen_with_the_message_of_the_page(tmp_path: Path, code: str) -> None:
    seen = asyncio.run(PROVOKED[code](tmp_path))
    assert seen.code == code
    assert CATALOGUE[code].example in seen.text


def test_advice_names_only_commands_and_settings_that_there_are() -> None:
    from vextir_os.cli.app import COMMANDS
    from vextir_os.settings.model import MEANINGS

    said = " ".join(entry.advice for entry in CATALOGUE.values())
    assert set(re.findall(r"vextir ([a-z]+)", said)) <= set(COMMANDS)
    assert {name.lower() for name in re.findall(r"VEXTIR_([A-Z_]+)", said)} <= set(MEANINGS)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/events/none", "VX501"),
        ("GET", "/v1/runs/none", "VX501"),
        ("POST", "/v1/drivers/none/off", "VX408"),
        ("GET", "/v1/none", "VX903"),
        ("PUT", "/v1/events", "VX903"),
        ("GET", "/v1/dead?state=none", "VX903"),
    ],
)
async def test_a_request_is_answered_with_the_status_of_the_page(
    tmp_path: Path, method: str, path: str, code: str
) -> None:
    (told,) = [each.http for each in described() if each.code == code]
    async with a_server(tmp_path) as served:
        answer = await served.client.request(method, path, json={} if method == "POST" else None)
    assert answer.json()["code"] == code
    first, _, last = told.partition(" to ")
    assert int(first) <= answer.status_code <= int(last or first)
