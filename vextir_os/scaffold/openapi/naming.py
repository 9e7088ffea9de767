"""From texts of a document to what may stand in code: names, quoted literals, plain prose. Pure.

Whatever comes in, a name is ASCII `[A-Za-z][A-Za-z0-9_]*` and no keyword, a literal is one Python string on one line,
and prose holds no quote, backslash or line end.
"""

import keyword
import re
import unicodedata
from collections.abc import Set as AbstractSet

_WORDS = re.compile(r"[A-Za-z0-9]+")
_HUMPS = re.compile(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])")
_NO_PROSE = re.compile(r"[^A-Za-z0-9 .,;:()/_+*=?!%#@{}-]")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case: `listPets-byID` as list, pets, by, id."""
    plain = unicodedata.normalize("NFKD", text[:400]).encode("ascii", "ignore").decode("ascii")
    spaced = _HUMPS.sub(lambda found: f"{found[1] or found[3]} {found[2] or found[4]}", plain)
    return [word.lower() for word in _WORDS.findall(spaced)]


def snake(text: str, other: str, limit: int = 36) -> str:
    """Return a name such as `list_pets`; `other`, which is one, where a text has nothing for it."""
    found = "_".join(words(text))[:limit].rstrip("_")
    if not found:
        return other
    found = found if found[0].isalpha() else f"n{found}"
    return f"{found}_" if keyword.iskeyword(found) or found in ("match", "case", "type") else found


def camel(text: str, other: str, limit: int = 36) -> str:
    """Return a name such as `ListPets`; `other`, which is one, where a text has nothing for it."""
    found = "".join(word.capitalize() for word in words(text))[:limit]
    if not found:
        return other
    found = found if found[0].isalpha() else f"N{found}"
    return f"{found}_" if keyword.iskeyword(found) else found


def unique(name: str, taken: AbstractSet[str]) -> str:
    """Return the name, with a number behind it where it is taken."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}{number}", number + 1
    return found


def literal(text: str) -> str:
    """Return a Python string literal of ASCII on one line, with double quotes where that needs no more escapes."""
    quoted = ascii(text)
    if quoted[0] == "'" and '"' not in quoted and "\\'" not in quoted:
        return f'"{quoted[1:-1]}"'
    return quoted


def prose(text: object, limit: int) -> str:
    """Return a text from outside as prose of ASCII on one line, cut; empty for what is no text."""
    if not isinstance(text, str):
        return ""
    plain = unicodedata.normalize("NFKD", text[: limit * 4]).encode("ascii", "ignore").decode("ascii")
    line = " ".join(_NO_PROSE.sub(" ", plain.replace("'", "")).split())
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."
