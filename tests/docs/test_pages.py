"""All pages: links lead somewhere, decisions are listed, claims have their form, nothing is left over."""

import re
from pathlib import Path

import pytest

from scripts.claims import read
from tests.docs.pages import ROOT, anchors_of, links_of

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("drivers/*/*.md")])
DECISIONS = sorted(path for path in (ROOT / "docs" / "adr").glob("[0-9]*.md") if not path.name.startswith("0000"))
PARTS = ["Context", "Decision", "What was refused", "What follows", "What would change it"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = []
    for target in links_of(text):
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        if not there.exists() or (anchor and anchor not in anchors_of(there.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_holds_a_note_to_its_writer(page: Path) -> None:
    assert re.findall(r"\b(?:TODO|FIXME|XXX|TBD)\b", page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_a_decision_has_all_its_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    number = page.name.partition("-")[0]
    assert re.match(rf"# {number}: \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS


def test_every_decision_is_listed_with_its_title() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    rows = [
        f"| [{page.name[:4]}]({page.name}) | {page.read_text(encoding='utf-8').splitlines()[0][8:]} | accepted |"
        for page in DECISIONS
    ]
    assert rows
    assert [row for row in rows if row not in index] == []


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_the_tests_that_a_decision_names_are_there(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/]+(?:\.py)?)`", page.read_text(encoding="utf-8"))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_proof_of_a_claim_names_a_file_and_a_test_that_are_there() -> None:
    claims = read((ROOT / "docs" / "claims.md").read_text(encoding="utf-8"))
    missing = []
    for proof in {proof for claim in claims for proof in claim.proofs if proof.startswith("tests/")}:
        place, *names = proof.split("::")
        path = ROOT / place
        # A class of a contract suite inherits its tests from a file beside it.
        files = path.parent.glob("*.py") if len(names) > 1 else [path] if path.is_file() else []
        text = "".join(file.read_text(encoding="utf-8") for file in files)
        if not path.exists() or (names and not re.search(rf"\b(?:def|class) {re.escape(names[-1])}\b", text)):
            missing.append(proof)
    assert sorted(missing) == []


def test_no_claim_stands_twice() -> None:
    texts = [claim.text for claim in read((ROOT / "docs" / "claims.md").read_text(encoding="utf-8"))]
    assert len(set(texts)) == len(texts)
