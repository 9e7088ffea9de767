"""The bill of materials: valid by CycloneDX's own schema, the same every time, and complete."""

import json
import tomllib

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.closure import FILE, pinned
from scripts.sbom import ROOT, bill, needs_of, text_of

LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
PACKAGES = [one for one in pinned(FILE.read_text(encoding="utf-8")) if one.is_installed_somewhere()]
LICENCES = {one.name: "MIT" for one in PACKAGES if one.name != "rich"} | {"orjson": "no expression of SPDX"}
TEXT = text_of(bill(PACKAGES, LOCK, LICENCES, 1_700_000_000))
BILL = json.loads(TEXT)


def test_it_is_valid_by_the_official_schema_of_version_1_6() -> None:
    # Of packages with few files: an address takes the validator a tenth of a second, and all have the same form.
    few = [one for one in PACKAGES if len(one.sha256) <= 2][:5] + [one for one in PACKAGES if one.name == "rich"]
    text = text_of(bill(few, LOCK, LICENCES, 1_700_000_000))
    assert json.loads(text)["specVersion"] == "1.6"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    broken = text.replace('"type": "library"', '"type": "book"')
    assert "'book' is not one of" in str(JsonStrictValidator(SchemaVersion.V1_6).validate_str(broken))


def test_the_same_sources_give_the_same_bytes_and_others_another_number() -> None:
    assert text_of(bill(PACKAGES, LOCK, LICENCES, 1_700_000_000)) == TEXT
    fewer = json.loads(text_of(bill(PACKAGES[1:], LOCK, LICENCES, 1_700_000_000)))
    assert fewer["serialNumber"] != BILL["serialNumber"]


def test_every_package_is_there_with_its_files_by_hash() -> None:
    assert {(one["name"], one["version"]) for one in BILL["components"]} == {(p.name, p.version) for p in PACKAGES}
    hashes = {
        one["name"] + one["version"]: {each["content"] for file in one["externalReferences"] for each in file["hashes"]}
        for one in BILL["components"]
    }
    assert hashes == {package.name + package.version: set(package.sha256) for package in PACKAGES}


def test_a_licence_that_is_not_known_is_left_out() -> None:
    licences = {one["name"]: one.get("licenses") for one in BILL["components"]}
    assert licences["fastapi"] == [{"expression": "MIT"}]
    assert (licences["rich"], licences["orjson"]) == (None, None)


def test_it_says_who_needs_whom() -> None:
    depends = {one["ref"].partition("@")[0]: one.get("dependsOn", []) for one in BILL["dependencies"]}
    assert "vextir-os" in depends
    assert any(ref.startswith("starlette@") for ref in depends["fastapi"])
    assert "azure-core" in needs_of(LOCK)["azure-cosmos"]
