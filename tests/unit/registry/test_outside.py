"""What a driver's source reaches outside is found, however it is written; what it may use is left alone."""

import pytest

from vextir_os.registry.outside import OUTSIDE, reaches


def found(source: str) -> list[str]:
    return [f"{line}: {what}" for line, what in reaches(source)]


@pytest.mark.parametrize("module", OUTSIDE)
def test_every_module_is_found_in_every_form(module: str) -> None:
    package, _, last = module.rpartition(".")
    forms = [
        f"import {module}",
        f"import {module} as quiet",
        f"from {module} import something",
        f"def later():\n    import {module}",
        f"x = __import__({module!r})",
        f"import importlib\nimportlib.import_module({module!r})",
        f"import importlib as i\ni.import_module({module!r})",
        f"from importlib import import_module as load\nload({module!r})",
        f"import builtins\nbuiltins.__import__({module!r})",
    ]
    if package:
        forms += [f"from {package} import {last}", f"import {package}\n{package}.{last}.x"]
    for form in forms:
        assert [one for one in found(form) if f"`{module}`" in one], form


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.environ['KEY']",
        "import os\nos.getenv('KEY')",
        "import os as o\no.environ",
        "import os\nsystem = os\nsystem.environ",
        "from os import environ",
        "from os import getenv as quiet",
        "from os import *",
        "import os\ngetattr(os, 'environ')",
        "import os\ngetattr(os, 'env' + 'iron')",
        "__import__('os').environ",
        "import importlib\nimportlib.import_module('os').environ",
        "import posix\nposix.environ",
        "import os.path\nos.environ",
        "import sys\nsys.modules['os'].environ",
        "class A:\n    def f(self):\n        import os\n        return os.environ",
    ],
)
def test_the_environment_is_found(source: str) -> None:
    assert found(source) != []


@pytest.mark.parametrize("source", ["eval('1')", "exec('import socket')", "import builtins\nbuiltins.exec('x')"])
def test_code_out_of_texts_is_told_of(source: str) -> None:
    assert [one.partition(": ")[2] for one in found(source)] == [
        f"calls `{'builtins.exec' if 'builtins' in source else source[:4]}`, which cannot be checked"
    ]


def test_a_module_whose_name_is_made_when_it_runs_is_told_of() -> None:
    assert found("name = 'sock' + 'et'\n__import__(name)") == [
        "2: imports a module whose name is made when it runs, which cannot be checked"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "from .client import Client",
        "from . import socket",
        "from .httpx import x",
        "import os\nos.path.join('a', 'b')",
        "import urllib.parse\nurllib.parse.quote('x')",
        "from http import HTTPStatus",
        "environ = {}\nenviron['x']",
        "import socketserver_like",
        "import importlib\nimportlib.import_module('.client', __package__)",
        "'import socket'",
        "class os:\n    pass",
        "import re\nre.compile('x')",
        "getattr(object(), 'environ')",
    ],
)
def test_what_only_looks_like_it_is_left_alone(source: str) -> None:
    assert found(source) == []


def test_each_place_is_named_once_by_its_line() -> None:
    assert found("import os\n\nimport socket, subprocess\nos.environ\n") == [
        "3: imports `socket`",
        "3: imports `subprocess`",
        "4: reads `os.environ`",
    ]
