"""Driver modules are imported by their place, apart from everything else on `sys.path`."""

import os
import py_compile
import sys
import threading
from pathlib import Path

import pytest

from tests.support.drivers import simple_driver, write_driver
from vextir_os.errors import DriverImportError
from vextir_os.registry.modules import forget_modules, import_driver_module, package_name


def test_a_module_is_imported_under_a_private_package(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", "x = 1")
    modules, path = set(sys.modules), list(sys.path)
    import_driver_module(tmp_path, "mail.driver")
    package = package_name(tmp_path)
    assert set(sys.modules) - modules == {package, f"{package}.mail", f"{package}.mail.driver"}
    assert sys.path == path


def test_an_installed_package_called_drivers_is_never_taken_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "site-packages"
    write_driver(elsewhere, "mail", "from .client import NAME")
    write_driver(elsewhere, "mail", "NAME = 'theirs'", file="client.py")
    monkeypatch.syspath_prepend(elsewhere)
    root = tmp_path / "project"
    write_driver(root, "mail", "from .client import NAME")
    write_driver(root, "mail", "NAME = 'ours'", file="client.py")
    assert import_driver_module(root, "mail.driver").NAME == "ours"


def test_a_driver_folder_may_have_an_init_file(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", "NAME = 'of the package'", file="__init__.py")
    write_driver(tmp_path, "mail", "from . import NAME, client\nfrom .deep import there\nWHERE = there.NAME")
    write_driver(tmp_path, "mail", "NAME = 'beside'", file="client.py")
    write_driver(tmp_path, "mail", "NAME = 'below'", file="deep/there.py")
    module = import_driver_module(tmp_path, "mail.driver")
    assert (module.NAME, module.client.NAME, module.WHERE) == ("of the package", "beside", "below")
    assert module.__package__ == f"{package_name(tmp_path)}.mail"


def test_two_projects_with_a_driver_of_one_name_do_not_meet(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_driver(tmp_path / name, "mail", f"NAME = {name!r}")
    assert import_driver_module(tmp_path / "one", "mail.driver").NAME == "one"
    assert import_driver_module(tmp_path / "two", "mail.driver").NAME == "two"


def test_a_module_is_imported_once(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", "thing = object()")
    first = import_driver_module(tmp_path, "mail.driver")
    assert import_driver_module(tmp_path, "mail.driver") is first


def test_many_threads_that_want_one_module_get_the_same(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", "thing = object()")
    start = threading.Barrier(8)
    found: list[object] = []

    def work() -> None:
        start.wait()
        found.append(import_driver_module(tmp_path, "mail.driver").thing)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_a_module_that_failed_is_tried_again_with_all_its_files(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", "from .client import NAME\nassert NAME == 'right'")
    write_driver(tmp_path, "mail", "NAME = 'wrong!'", file="client.py")
    with pytest.raises(DriverImportError) as caught:
        import_driver_module(tmp_path, "mail.driver")
    assert caught.value.where == "drivers/mail/driver.py:3"
    assert caught.value.what == "the module cannot be imported: AssertionError: no message"
    write_driver(tmp_path, "mail", "NAME = 'right'", file="client.py")
    assert import_driver_module(tmp_path, "mail.driver").NAME == "right"


def test_a_change_within_the_same_second_and_of_the_same_length_is_seen(tmp_path: Path) -> None:
    for name in ("one", "two"):
        path = write_driver(tmp_path, "mail", f"NAME = {name!r}")
        os.utime(path, (1_795_200_000, 1_795_200_000))
        forget_modules(tmp_path)
        found = import_driver_module(tmp_path, "mail.driver").NAME
        assert found == name


def test_byte_code_beside_a_driver_is_not_run(tmp_path: Path) -> None:
    path = write_driver(tmp_path, "mail", "NAME = 'theirs'")
    os.utime(path, (1_795_200_000, 1_795_200_000))
    py_compile.compile(str(path), doraise=True)
    write_driver(tmp_path, "mail", "NAME = 'source'")
    os.utime(path, (1_795_200_000, 1_795_200_000))
    assert import_driver_module(tmp_path, "mail.driver").NAME == "source"


def test_importing_a_driver_writes_nothing(tmp_path: Path) -> None:
    path = write_driver(tmp_path, "mail", "from .parts import client")
    write_driver(tmp_path, "mail", "", file="parts/client.py")
    import_driver_module(tmp_path, "mail.driver")
    assert sorted(found.name for found in path.parent.rglob("*")) == ["client.py", "driver.py", "parts"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DriverImportError) as caught:
        import_driver_module(tmp_path, "mail.driver")
    assert str(caught.value) == (
        "drivers/mail/driver.py: there is no drivers/mail/driver.py. Add it, or correct the name"
    )


def test_a_missing_sdk_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    write_driver(tmp_path, "chat", "import openai")
    with pytest.raises(DriverImportError) as caught:
        import_driver_module(tmp_path, "chat.driver")
    assert str(caught.value) == (
        "drivers/chat/driver.py:2: openai is needed by this driver and is not installed. "
        "Run: pip install 'vextir-os[openai]'"
    )


def test_an_interrupt_during_an_import_is_not_swallowed(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        import_driver_module(tmp_path, "mail.driver")


def test_forgotten_modules_leave_nothing_behind(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", simple_driver("mail.reader", "mail.*"))
    import_driver_module(tmp_path, "mail.driver")
    forget_modules(tmp_path)
    assert [name for name in sys.modules if name.startswith(package_name(tmp_path))] == []
