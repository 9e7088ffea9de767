"""Texts in a condition that mean something: patterns and zones. Understood once, when the policy is loaded."""

import ast
from datetime import tzinfo
from typing import Any

from vextir_os.policy.conditions.check import Refusal

_PATTERN_BYTES = 1 << 20
"""Memory of one compiled pattern, at most; RE2 refuses larger ones, and is linear in the text for all others."""


def literal(function: str, node: ast.expr) -> Any:
    """Return what the second argument of a function stands for.

    Raises:
        Refusal: It is no pattern that RE2 takes, or no known zone.
    """
    text: str = ast.literal_eval(node)
    if function == "matches":
        return _pattern(text, node)
    if function == "like":
        return text
    return _zone(text, node)


def _pattern(text: str, node: ast.expr) -> Any:
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.max_mem = _PATTERN_BYTES
    options.log_errors = False
    try:
        compiled = re2.compile(text, options=options)
    except re2.error as error:
        raise Refusal(
            node, f"no pattern that RE2 takes: {_said(error)}", "See github.com/google/re2/wiki/Syntax"
        ) from None
    return compiled.programsize, compiled


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _zone(text: str, node: ast.expr) -> tzinfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise Refusal(node, f"unknown time zone {text[:60]!a}", 'Write a name such as "Europe/Berlin"') from None
