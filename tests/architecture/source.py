"""The project's own source, as files and syntax trees, for the rules of this folder. Nothing is imported or run."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported name, absolute: `from a.b import c` is `a.b.c`, of the module `a.b`."""

    module: str
    name: str
    line: int


def files(*folders: str) -> list[Path]:
    """Return all Python files below the folders that exist, sorted; absolute paths."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "node_modules" not in path.parts)


def shown(path: Path, line: int) -> str:
    """Return a place as errors show it: `vextir_os/errors.py:12`."""
    return f"{path.relative_to(ROOT)}:{line}"


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file; read once."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def module_of(path: Path) -> str:
    """Return the dotted name of a file's module: `vextir_os.events.ids`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: ast.AST, package: str = "") -> Iterator[Import]:
    """Yield what a tree imports, anywhere in it, inside functions and `if TYPE_CHECKING` too.

    Args:
        source: The tree of a file.
        package: Dotted name of the package that the file is in, for relative imports.
    """
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module=alias.name, name=alias.name, line=node.lineno)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(module=module, name=f"{module}.{alias.name}", line=node.lineno)


def imports_of(path: Path) -> list[Import]:
    """Return what a file of the project imports."""
    module = module_of(path)
    return list(imports(tree(path), module if path.name == "__init__.py" else module.rpartition(".")[0]))


def within(name: str, *packages: str) -> bool:
    """Whether a dotted name is one of the packages or lies below one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)
