"""What a driver's code reaches outside past `client.py`: read from its source, which is not run. Pure.

It finds slips and shows reviewers where to look. It is no lock: code that wants to hide an import can. What a driver
may do is held by its isolation, and what it asks of the OS by its permissions.
"""

import ast
from typing import NamedTuple

OUTSIDE = (
    "socket", "subprocess", "http.client", "httpx", "httpx2", "requests", "aiohttp", "urllib.request", "urllib3",
)  # fmt: skip
"""Modules that talk to other machines or start programs."""

_ENVIRON = frozenset({"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"})
_HOLDERS = frozenset({"os", "posix", "nt"})
_RUNNERS = frozenset({"eval", "exec"})


class Reach(NamedTuple):
    """One place in a file; `what` reads on from the driver: ``imports `socket` ``."""

    line: int
    what: str


def reaches(source: str) -> list[Reach]:
    """Return each place of a Python file that reaches outside, by line. Raises `SyntaxError`."""
    finder = _Finder()
    tree = ast.parse(source)
    finder.aliases(tree)
    finder.visit(tree)
    return sorted(set(finder.found))


class _Finder(ast.NodeVisitor):
    """Walks a file twice: first for the names that modules go by in it, then for what is done with them."""

    def __init__(self) -> None:
        self.found: list[Reach] = []
        self._modules: dict[str, str] = {}

    def aliases(self, tree: ast.AST) -> None:
        """Learn what the names of a file stand for, wherever in it they are bound."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for one in node.names:
                    top = one.name.partition(".")[0]
                    self._modules[one.asname or top] = one.name if one.asname else top
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for one in node.names:
                    self._modules[one.asname or one.name] = f"{node.module}.{one.name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                meant = self._meaning(node.value)
                if meant:
                    self._modules[node.targets[0].id] = meant

    def visit_Import(self, node: ast.Import) -> None:
        for one in node.names:
            self._import(node.lineno, one.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level:
            return
        module = node.module or ""
        if module in _HOLDERS:
            for one in node.names:
                if one.name in _ENVIRON or one.name == "*":
                    self._add(node.lineno, f"imports `{one.name}` of {module}: settings are the OS's to hand over")
        for name in (module, *(f"{module}.{one.name}" for one in node.names)):
            if self._import(node.lineno, name):
                return

    def visit_Attribute(self, node: ast.Attribute) -> None:
        holder = self._meaning(node.value)
        if holder in _HOLDERS and node.attr in _ENVIRON:
            self._add(node.lineno, f"reads `os.{node.attr}`")
        elif holder and f"{holder}.{node.attr}" in OUTSIDE:
            self._add(node.lineno, f"uses `{holder}.{node.attr}`")
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if self._meaning(node.value) == "sys.modules":
            self._add(node.lineno, "takes a module out of `sys.modules`")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = self._meaning(node.func) or (node.func.id if isinstance(node.func, ast.Name) else "")
        first = node.args[0] if node.args else None
        text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
        if called in ("__import__", "builtins.__import__", "importlib.import_module", "importlib.__import__"):
            if text is None:
                self._add(node.lineno, "imports a module whose name is made when it runs, which cannot be checked")
            elif not text.startswith("."):
                self._import(node.lineno, text)
        elif called in _RUNNERS or called.removeprefix("builtins.") in _RUNNERS:
            self._add(node.lineno, f"calls `{called}`, which cannot be checked")
        elif called == "getattr" and self._meaning(first) in _HOLDERS:
            name = node.args[1] if len(node.args) > 1 else None
            known = isinstance(name, ast.Constant) and name.value not in _ENVIRON
            if not known:
                self._add(node.lineno, "reads `os.environ` by `getattr`")
        self.generic_visit(node)

    def _import(self, line: int, name: str) -> bool:
        module = next((one for one in OUTSIDE if name == one or name.startswith(f"{one}.")), "")
        if module:
            self._add(line, f"imports `{module}`")
        return bool(module)

    def _meaning(self, node: ast.AST | None) -> str:
        """Return the module or dotted name that an expression stands for, as far as it can be read; or nothing."""
        if isinstance(node, ast.Name):
            return self._modules.get(node.id, "")
        if isinstance(node, ast.Attribute):
            holder = self._meaning(node.value)
            return f"{holder}.{node.attr}" if holder else ""
        if isinstance(node, ast.Call):
            called = self._meaning(node.func) or (node.func.id if isinstance(node.func, ast.Name) else "")
            first = node.args[0] if node.args else None
            if called in ("__import__", "importlib.import_module") and isinstance(first, ast.Constant):
                return str(first.value)
        return ""

    def _add(self, line: int, what: str) -> None:
        self.found.append(Reach(line, what))
