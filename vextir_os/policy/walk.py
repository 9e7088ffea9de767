"""Walking a YAML document and collecting what is wrong with it, each with its place; no stop at the first problem."""

from collections.abc import Iterable
from typing import Any

from vextir_os.errors import PolicyFileError, VextirError, did_you_mean, shown
from vextir_os.yamlio import YamlDocument

_KINDS = {str: "text", bool: "a boolean", int: "a whole number", float: "a fraction", list: "a list", dict: "a mapping"}

Path = tuple[str | int, ...]


class Walk:
    """One document, and its problems so far."""

    def __init__(self, document: YamlDocument) -> None:
        self.document = document
        self.problems: list[VextirError] = []

    def is_a(self, value: Any, kind: type, path: Path, what: str) -> bool:
        """Whether a value is of a kind; if not, that is a problem."""
        if type(value) is kind:
            return True
        hint = "Quote it" if kind is str and isinstance(value, (bool, int, float)) else ""
        self.add(f"{what} is {_KINDS.get(type(value), 'empty')}, not {_KINDS[kind]}", hint, path)
        return False

    def check_keys(self, mapping: dict[str, Any], known: Iterable[str], path: Path, what: str) -> None:
        """Find keys that nothing reads."""
        for key in mapping:
            if key not in known:
                hint = did_you_mean(key, known) or f"The keys are: {', '.join(known)}"
                where = self.document.key_place((*path, key))
                self.problems.append(PolicyFileError(f"unknown key {shown(key)} in {what}", hint=hint, where=where))

    def check_present(self, mapping: dict[str, Any], needed: Iterable[str], path: Path, what: str) -> None:
        """Find keys that are missing."""
        for key in needed:
            if key not in mapping:
                self.add(f"{what} has no `{key}`", "", path)

    def add(self, what: str, hint: str, path: Path) -> None:
        """Add a problem at a place."""
        self.problems.append(PolicyFileError(what, hint=hint, where=self.document.place(path)))
