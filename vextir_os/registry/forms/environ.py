"""Names of the environment in texts: `$NAME`, `%NAME%`; doubled they mean themselves. Pure, and one pass.

One pass means that a value is never read for names again: what the environment holds is text, not a template.
"""

import re
from collections.abc import Mapping
from typing import Any

Environ = Mapping[str, str]

_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_MARK = re.compile(rf"\$\$({_NAME})|%%({_NAME})%%|\$({_NAME})|%({_NAME})%")
_FENCE = "```"


def substituted(text: str, environ: Environ, unset: set[str] | None = None) -> str:
    """Return a text with its names replaced. One that is not set stays as it is, one that is set to nothing goes.

    `$$NAME` and `%%NAME%%` give `$NAME` and `%NAME%`; `${NAME}`, `$5` and `100%` are no names.

    Args:
        text: What is written.
        environ: The environment.
        unset: Gets the names that are not set.
    """

    def value(found: re.Match[str]) -> str:
        dollars, percents, *names = found.groups()
        if dollars or percents:
            return f"${dollars}" if dollars else f"%{percents}%"
        name = names[0] or names[1]
        if name not in environ and unset is not None:
            unset.add(name)
        return environ.get(name, found[0])

    return _MARK.sub(value, text)


def substituted_body(text: str, environ: Environ, unset: set[str] | None = None) -> str:
    """Return a body of markdown with its names replaced, but for those between lines of three backticks."""
    lines, fenced = [], False
    for line in text.splitlines(keepends=True):
        if line.lstrip(" ").startswith(_FENCE):
            fenced = not fenced
            lines.append(line)
        else:
            lines.append(line if fenced else substituted(line, environ, unset))
    return "".join(lines)


def substituted_values(value: Any, environ: Environ, unset: set[str] | None = None) -> Any:
    """Return a JSON value with the names in all its texts replaced; keys stay as they are."""
    if isinstance(value, str):
        return substituted(value, environ, unset)
    if isinstance(value, dict):
        return {key: substituted_values(item, environ, unset) for key, item in value.items()}
    if isinstance(value, list):
        return [substituted_values(item, environ, unset) for item in value]
    return value
