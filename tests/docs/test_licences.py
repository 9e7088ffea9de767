"""Licences of what is deployed: which are accepted, how they are read, what happens with those that nobody knows."""

import importlib.metadata
from pathlib import Path

import pytest

from scripts.closure import FILE, Pinned, pinned
from scripts.licences import is_expression, licence_of, may_be_used, problems, stated

SHA = "a" * 64


def package(name: str, marker: str = "") -> Pinned:
    return Pinned(name=name, version="1.0", marker=marker, sha256=(SHA,))


def installed(folder: Path, name: str, *lines: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    text = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines])
    (info / "METADATA").write_text(text + "\n\n")


@pytest.mark.parametrize(
    ("expression", "accepted"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("GPL-3.0-or-later OR MIT", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-3.0-or-later", False),
        ("LGPL-2.1-only", False),
        ("AGPL-3.0-only", False),
        ("MIT AND LGPL-3.0-or-later", False),
        ("SSPL-1.0", False),
        ("LicenseRef-Proprietary", False),
        ("no such licence", False),
        ("MIT AND (", False),
    ],
)
def test_a_licence_is_accepted_when_a_way_through_it_asks_nothing_of_our_code(expression: str, accepted: bool) -> None:
    assert may_be_used(expression) is accepted


@pytest.mark.parametrize(
    ("lines", "expression"),
    [
        pytest.param(["License-Expression: MIT OR Apache-2.0"], "MIT OR Apache-2.0", id="expression"),
        pytest.param(["License: MIT"], "MIT", id="word"),
        pytest.param(["License: Apache License, Version 2.0"], "Apache-2.0", id="words"),
        pytest.param(["License: GPLv3", "Classifier: License :: OSI Approved :: MIT License"], "MIT", id="classifier"),
        pytest.param(
            ["Classifier: License :: OSI Approved", "Classifier: License :: OSI Approved :: BSD License"],
            "BSD-3-Clause",
            id="general-classifier",
        ),
        pytest.param(
            ["Classifier: License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)"],
            "LicenseRef-GNU-Lesser-General-Public-License-v3-LGPLv3-",
            id="lgpl",
        ),
        pytest.param(["License: " + "all of its text " * 20], "", id="its-text"),
        pytest.param([], "", id="nothing"),
    ],
)
def test_a_licence_is_read_from_expression_word_or_classifier(
    tmp_path: Path, lines: list[str], expression: str
) -> None:
    installed(tmp_path, "some", *lines)
    (found,) = importlib.metadata.distributions(path=[str(tmp_path)])
    assert stated(found.metadata) == expression


def test_what_may_not_be_used_and_what_nobody_knows_is_named(tmp_path: Path) -> None:
    installed(tmp_path, "good", "License-Expression: MIT")
    installed(tmp_path, "bad", "License-Expression: LGPL-3.0-only")
    installed(tmp_path, "silent")
    packages = [package(name) for name in ("good", "bad", "silent", "absent")]
    assert list(problems(packages, [str(tmp_path)])) == [
        "bad 1.0: LGPL-3.0-only is none that we accept. Use another package",
        "silent 1.0: its licence is unknown. Look at it, and write it into LOOKED_AT",
        "absent 1.0: its licence is unknown. Look at it, and write it into LOOKED_AT",
    ]


def test_what_somebody_looked_at_counts(tmp_path: Path) -> None:
    assert licence_of(package("silent"), [str(tmp_path)], {"silent": ("MIT", "LICENSE of its wheel")}) == "MIT"


@pytest.mark.parametrize(
    ("marker", "somewhere"),
    [
        ("", True),
        ("sys_platform != 'win32'", True),
        ("python_full_version >= '3.13'", True),
        ("sys_platform == 'darwin'", True),
        ("sys_platform == 'win32'", False),
        ("python_full_version >= '3.12' and sys_platform == 'emscripten'", False),
        ("python_version >= '3.14'", False),
    ],
)
def test_what_no_system_of_ours_installs_is_passed_over(tmp_path: Path, marker: str, somewhere: bool) -> None:
    assert package("x", marker).is_installed_somewhere() is somewhere
    assert (len(list(problems([package("x", marker)], [str(tmp_path)]))) == 1) is somewhere


def test_a_line_without_version_or_hash_is_refused() -> None:
    for line in ("rich>=1", "rich==1", f"-e . --hash=sha256:{SHA}", "git+https://x/y"):
        with pytest.raises(ValueError, match="not pinned by version and hash"):
            list(pinned(line))


def test_every_line_of_requirements_txt_is_read() -> None:
    text = FILE.read_text(encoding="utf-8")
    packages = list(pinned(text))
    assert len(packages) == text.count("==") - text.count("python_version ==") - text.count("_platform ==")
    assert any(one.marker == "sys_platform == 'win32'" for one in packages)


def test_expressions_are_those_of_spdx() -> None:
    assert is_expression("MIT OR Apache-2.0")
    assert not is_expression("MIT License")
