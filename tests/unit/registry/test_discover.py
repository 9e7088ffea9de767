"""All drivers of a project are found, and all their problems reported together."""

from pathlib import Path

import pytest

from tests.support.drivers import simple_driver, write_driver
from vextir_os.errors import ManifestProblemsError
from vextir_os.registry.discover import discover


def problems_of(root: Path) -> list[str]:
    with pytest.raises(ManifestProblemsError) as caught:
        discover(root)
    return [str(problem) for problem in caught.value.problems]


def test_a_project_without_drivers_has_none(tmp_path: Path) -> None:
    assert discover(tmp_path) == ()


def test_a_driver_is_found_with_its_place(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", simple_driver("mail.reader", "mail.*"))
    (manifest,) = discover(tmp_path)
    assert (manifest.id, manifest.capabilities) == ("mail.reader", ("mail.*",))
    assert (manifest.module, manifest.attribute, manifest.entry, manifest.line) == (
        "mail.driver",
        "run",
        "drivers/mail/driver.py:run",
        2,
    )
    assert manifest.code_hash.startswith("sha256:")


def test_one_file_may_hold_several_drivers(tmp_path: Path) -> None:
    write_driver(
        tmp_path,
        "mail",
        """\
        @driver("mail.writer", capabilities=["mail.write"])
        async def write(event: Event) -> None: ...

        @driver("mail.reader", capabilities=["mail.*"])
        async def read(event: Event) -> None: ...

        again = read
        """,
    )
    assert [(found.id, found.attribute, found.line) for found in discover(tmp_path)] == [
        ("mail.reader", "read", 5),
        ("mail.writer", "write", 2),
    ]


def test_a_driver_may_be_split_over_files_of_its_folder(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", "from .parts.sorting import sort_mail")
    write_driver(
        tmp_path,
        "mail",
        """\
        from vextir_os import driver
        from ..names import DRIVER

        @driver(DRIVER, capabilities=["mail.*"])
        async def sort_mail(event) -> None: ...
        """,
        file="parts/sorting.py",
    )
    write_driver(tmp_path, "mail", "DRIVER = 'mail.sorter'", file="names.py")
    (manifest,) = discover(tmp_path)
    assert (manifest.id, manifest.module, manifest.entry, manifest.line) == (
        "mail.sorter",
        "mail.driver",
        "drivers/mail/parts/sorting.py:sort_mail",
        4,
    )


def test_a_driver_that_another_folder_imports_is_counted_once(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", simple_driver("mail.reader", "mail.*"))
    source = "from ..mail.driver import run as read\n" + simple_driver("chat.reader", "chat.*")
    write_driver(tmp_path, "chat", source)
    assert [found.id for found in discover(tmp_path)] == ["chat.reader", "mail.reader"]


@pytest.mark.parametrize("name", ["_notes.py", ".hidden.py", "index.json", "README.md"])
def test_other_files_beside_the_driver_folders_are_no_business_of_ours(tmp_path: Path, name: str) -> None:
    write_driver(tmp_path, "mail", simple_driver("mail.reader", "mail.*"))
    (tmp_path / "drivers" / name).write_text("raise SystemExit")
    assert len(discover(tmp_path)) == 1


def test_a_folder_without_python_files_is_no_driver_and_no_problem(tmp_path: Path) -> None:
    (tmp_path / "drivers" / "left-over" / "__pycache__").mkdir(parents=True)
    assert discover(tmp_path) == ()


def test_all_problems_of_all_drivers_come_together_by_file_and_line(tmp_path: Path) -> None:
    write_driver(tmp_path, "a_good", simple_driver("mail.reader", "mail.*", options=", permissions=['emt:mail.read']"))
    write_driver(tmp_path, "b_wrong", simple_driver("mail.writer", "Mail.*", options=", kind='agnt'"))
    write_driver(tmp_path, "c_same", simple_driver("mail.reader", "mail.*"))
    write_driver(tmp_path, "d_broken", "def f(:\n    pass\n")
    write_driver(tmp_path, "e_empty", "x = 1\n")
    write_driver(tmp_path, "f_raises", "from .helper import value\n")
    write_driver(tmp_path, "f_raises", "\n\nvalue = {}['key']\n", file="helper.py")
    (write_driver(tmp_path, "g_latin", "")).write_bytes(b"# caf\xe9\n")
    write_driver(tmp_path, "h_missing", "from .clint import Client\n")
    write_driver(tmp_path, "i_sdk", "import anthropic_and_more\n")
    write_driver(tmp_path, "j_exits", "raise SystemExit(3)\n")
    write_driver(tmp_path, "k-dash", simple_driver("k", "k"))
    write_driver(tmp_path, "l_named", simple_driver("l", "l"), file="drivr.py")
    write_driver(tmp_path, "m_other", "x = 1", file="main.py")
    (tmp_path / "drivers" / "stray.py").write_text("x = 1\n")
    correct = "Correct the file; nothing but declarations belongs into driver.py"
    assert problems_of(tmp_path) == [
        (
            "drivers/a_good/driver.py:2: driver `mail.reader`: permission unknown verb `emt` in `emt:mail.read`. "
            "Did you mean `emit`?"
        ),
        "drivers/b_wrong/driver.py:2: driver `mail.writer`: unknown kind `agnt`. Did you mean `agent`?",
        (
            "drivers/b_wrong/driver.py:2: driver `mail.writer`: capability pattern 'Mail.*' is not a dotted lower-case "
            "type with `*` or `**` for whole segments. Did you mean `mail.*`?"
        ),
        (
            "drivers/c_same/driver.py:2: driver id `mail.reader` is declared twice, here and at "
            "drivers/a_good/driver.py:2. Give each driver an id of its own"
        ),
        f"drivers/d_broken/driver.py:2: the module cannot be imported: SyntaxError: invalid syntax. {correct}",
        (
            "drivers/e_empty/driver.py: the file declares no driver. "
            'Put @driver("...", capabilities=["..."]) on an async function'
        ),
        f"drivers/f_raises/helper.py:3: the module cannot be imported: KeyError: 'key'. {correct}",
        "drivers/g_latin/driver.py:1: not UTF-8: byte 5 cannot be decoded. Save the file as UTF-8",
        "drivers/h_missing/driver.py:2: there is no drivers/h_missing/clint.py. Add it, or correct the name",
        (
            "drivers/i_sdk/driver.py:2: anthropic_and_more is needed by this driver and is not installed. "
            "Install the package that brings it; for a file of the driver write `from .anthropic_and_more import ...`"
        ),
        f"drivers/j_exits/driver.py:2: the module cannot be imported: SystemExit: 3. {correct}",
        "drivers/k-dash: the folder name `k-dash` is no Python name. Rename the folder to drivers/k_dash",
        "drivers/l_named: the folder has Python files and no driver.py. Rename drivr.py to driver.py",
        "drivers/m_other: the folder has Python files and no driver.py. Declare the driver in driver.py",
        "drivers/stray.py: a Python file beside the driver folders is no driver. Move it to drivers/stray/driver.py",
    ]


@pytest.mark.parametrize(
    ("name", "better"), [("class", "class_driver"), ("2fast", "driver_2fast"), ("a b", "a_b"), ("é-1", "é_1")]
)
def test_a_folder_name_that_is_no_python_name_gets_a_better_one(tmp_path: Path, name: str, better: str) -> None:
    write_driver(tmp_path, name, simple_driver("a", "a"))
    assert problems_of(tmp_path) == [
        f"drivers/{name}: the folder name `{name}` is no Python name. Rename the folder to drivers/{better}"
    ]


def test_the_message_of_a_failed_import_is_one_short_line(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", "raise ValueError('x' * 5000 + '\\nsecond line')")
    (problem,) = problems_of(tmp_path)
    assert problem == (
        f"drivers/mail/driver.py:2: the module cannot be imported: ValueError: {'x' * 300}. "
        "Correct the file; nothing but declarations belongs into driver.py"
    )


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", simple_driver("mail.reader", "mail.*"))
    assert [found.id for found in discover(tmp_path)] == ["mail.reader"]
    write_driver(tmp_path, "mail", simple_driver("mail.second.reader", "mail.*"))
    assert [found.id for found in discover(tmp_path)] == ["mail.second.reader"]
