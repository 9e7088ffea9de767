"""What turns data into code is banned everywhere: pickle, eval, unsafe YAML, classes loaded by a name in data."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import files, imports, module_of, shown, tree, within

FOLDERS = ("vextir_os", "drivers", "benchmarks", "examples", "scripts", "function_app")
BUILTINS = {"eval", "exec", "compile", "__import__"}
MODULES = ("pickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle")
LOADERS = ("importlib", "imp", "runpy", "pkgutil", "pydoc", "zipimport")
HARMLESS = ("importlib.metadata", "importlib.resources")
MAY_LOAD = {"vextir_os.registry.modules"}
"""The one module that imports a driver, by the path in the driver index."""
MAY_COMPILE = {"vextir_os.policy.conditions.assemble"}
"""The one module that makes code: of conditions, checked before and audited after (docs/guides/conditions.md)."""
UNSAFE_YAML = {"Loader", "UnsafeLoader", "FullLoader", "CLoader", "CUnsafeLoader", "CFullLoader"} | {
    f"{kind}_load{suffix}" for kind in ("unsafe", "full") for suffix in ("", "_all")
}


def banned(source: ast.Module, *, may_load: bool = False, may_compile: bool = False) -> Iterator[tuple[int, str]]:
    """Yield line and reason of everything banned in a file."""
    yield from _banned_imports(source, may_load=may_load)
    yield from (found for found in _banned_names(source) if not (may_compile and found[1].startswith("compile()")))


def _banned_imports(source: ast.Module, *, may_load: bool) -> Iterator[tuple[int, str]]:
    for found in imports(source):
        if within(found.module, *MODULES) or within(found.name, *MODULES):
            yield found.line, f"{found.module} reads objects, and with them code. Use vextir_os.events.jsonio"
        if within(found.name, *LOADERS) and not within(found.name, *HARMLESS) and not may_load:
            yield found.line, f"{found.name} loads modules by name. Only {', '.join(MAY_LOAD)} may"
        if within(found.module, "yaml") and found.name.rpartition(".")[2] in UNSAFE_YAML | {"load", "load_all"}:
            yield found.line, f"{found.name} builds objects. Use vextir_os.yamlio"


def _banned_names(source: ast.Module) -> Iterator[tuple[int, str]]:
    owners = _owners(source)
    for node in ast.walk(source):
        if isinstance(node, ast.Name) and node.id in BUILTINS and isinstance(node.ctx, ast.Load):
            yield node.lineno, f"{node.id}() makes code of text"
        elif isinstance(node, ast.Attribute) and node.attr in UNSAFE_YAML | BUILTINS:
            owner = owners.get(ast.unparse(node.value))
            if owner == "yaml" and node.attr in UNSAFE_YAML:
                yield node.lineno, f"yaml.{node.attr} builds objects. Use vextir_os.yamlio"
            if owner == "builtins" and node.attr in BUILTINS:
                yield node.lineno, f"{node.attr}() makes code of text"
        elif isinstance(node, ast.Call) and _loads_yaml(node, owners):
            yield node.lineno, "yaml.load without a safe loader. Use vextir_os.yamlio"


def _owners(source: ast.Module) -> dict[str, str]:
    """Return the names under which a file knows yaml and builtins: `import yaml as y` is `{"y": "yaml"}`."""
    aliases = [alias for node in ast.walk(source) if isinstance(node, ast.Import) for alias in node.names]
    return {alias.asname or alias.name: alias.name for alias in aliases if alias.name in {"yaml", "builtins"}}


def _loads_yaml(call: ast.Call, owners: dict[str, str]) -> bool:
    """Whether a call is `yaml.load` or `yaml.load_all` without a loader; a loader it names is judged by its name."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in {"load", "load_all"}):
        return False
    bare = len(call.args) < 2 and not any(keyword.arg == "Loader" for keyword in call.keywords)
    return bare and owners.get(ast.unparse(call.func.value)) == "yaml"


@pytest.mark.parametrize("path", files(*FOLDERS), ids=module_of)
def test_nothing_that_makes_code_of_data_is_used(path: Path) -> None:
    findings = banned(tree(path), may_load=module_of(path) in MAY_LOAD, may_compile=module_of(path) in MAY_COMPILE)
    assert [f"{shown(path, line)}: {reason}" for line, reason in findings] == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param("import pickle", "pickle reads objects", id="pickle"),
        pytest.param("from pickle import loads", "pickle reads objects", id="from-pickle"),
        pytest.param("def f():\n    import marshal", "marshal reads objects", id="marshal-in-a-function"),
        pytest.param("import shelve as s", "shelve reads objects", id="shelve-renamed"),
        pytest.param("eval('1')", "eval() makes code", id="eval"),
        pytest.param("run = exec", "exec() makes code", id="exec-renamed"),
        pytest.param("import builtins\nbuiltins.eval('1')", "eval() makes code", id="builtins-eval"),
        pytest.param("compile('1', '', 'eval')", "compile() makes code", id="compile"),
        pytest.param("__import__('os')", "__import__() makes code", id="dunder-import"),
        pytest.param("import importlib", "importlib loads modules", id="importlib"),
        pytest.param("from importlib import import_module", "importlib.import_module loads", id="import-module"),
        pytest.param("import importlib.util", "importlib.util loads", id="importlib-util"),
        pytest.param("import runpy", "runpy loads", id="runpy"),
        pytest.param("import yaml\nyaml.load(x)", "yaml.load without", id="yaml-load"),
        pytest.param("import yaml\nyaml.load(x, Loader=yaml.Loader)", "yaml.Loader builds", id="yaml-loader"),
        pytest.param("import yaml\nyaml.load(x, yaml.CUnsafeLoader)", "yaml.CUnsafeLoader builds", id="yaml-unsafe"),
        pytest.param("import yaml as y\ny.load(x)", "yaml.load without", id="yaml-renamed"),
        pytest.param("from yaml import full_load", "yaml.full_load builds", id="yaml-full-load"),
    ],
)
def test_each_way_around_is_found(code: str, reason: str) -> None:
    assert [found for _, found in banned(ast.parse(code)) if found.startswith(reason)], list(banned(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("from importlib.metadata import version", id="metadata"),
        pytest.param("import importlib.resources", id="resources"),
        pytest.param("import re\nre.compile('x')", id="re-compile"),
        pytest.param("import yaml\nyaml.load(x, Loader=yaml.CSafeLoader)", id="safe-yaml"),
        pytest.param("import yaml\nyaml.compose(x, yaml.SafeLoader)", id="compose"),
        pytest.param("model.eval()", id="a-method-named-eval"),
    ],
)
def test_what_only_looks_alike_is_left_alone(code: str) -> None:
    assert list(banned(ast.parse(code))) == []
