"""What the values of an event's attributes may be: text, and names and values of extensions.

Pure; knows no event and no wire form.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from vextir_os.errors import InvalidEventError
from vextir_os.events.limits import ATTRIBUTE_CHARS, EXTENSIONS

Extension = str | int | bool
"""What the value of an extension attribute may be: text, a 32-bit integer or a boolean."""

OS_ONLY = frozenset({"attempt", "rerun", "fence"})
"""Fields of a run; no event carries them, whoever writes them into one means to deceive."""

OWN = {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", "category",
        "tenantid", "userid", "correlationid", "causationid", "partitionkey", "traceparent", "priority", "labels",
        "dataref", "lineage", "ordered"}  # fmt: skip
"""Names with a meaning of their own, so none of an extension."""

_NAME = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
_INT32 = 2**31

# What CloudEvents 1.0, "Type System", keeps out of its String: controls, surrogates, noncharacters.
_NO_TEXT = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
    + "]"
)


def check_name(name: str, value: str) -> None:
    """Check the text of an attribute that names something: all of it must be visible, so that two names look different.

    Raises:
        InvalidEventError: It is no text, longer than `ATTRIBUTE_CHARS` in characters or in UTF-8 bytes, or holds a
            character that does not print.
    """
    _check_length(name, value)
    if not value.isprintable():
        raise InvalidEventError(f"{name} {value[:40]!r} holds a character that does not print")
    if (size := len(value.encode())) > ATTRIBUTE_CHARS:
        raise InvalidEventError(f"{name} has {size} bytes in UTF-8, at most {ATTRIBUTE_CHARS} are allowed")


def check_prose(name: str, value: str) -> None:
    """Check the text of an attribute that people read: whatever CloudEvents calls a String.

    Raises:
        InvalidEventError: It is no text, longer than `ATTRIBUTE_CHARS`, or holds a control character or half a
            surrogate pair.
    """
    _check_length(name, value)
    if not value.isprintable() and _NO_TEXT.search(value):
        raise InvalidEventError(f"{name} {value[:40]!r} holds a control character or half a surrogate pair")


def check_extensions(extensions: Mapping[str, Extension]) -> Mapping[str, Extension]:
    """Return a read-only copy of the extension attributes, in the order of their names.

    Raises:
        InvalidEventError: A wrong name or value, a name with a meaning of its own, or more than `EXTENSIONS`.
    """
    if len(extensions) > EXTENSIONS:
        raise InvalidEventError(
            f"{len(extensions)} extension attributes on one event, at most {EXTENSIONS} are allowed"
        )
    for name, value in extensions.items():
        _check_extension(name, value)
    return MappingProxyType(dict(sorted(extensions.items())))


def _check_extension(name: object, value: object) -> None:
    if type(name) is not str or not _NAME.fullmatch(name):
        raise InvalidEventError(
            f"extension attribute {str(name)[:40]!r} is not named by 1 to 20 characters a-z 0-9",
            hint="CloudEvents allows no other; put other values into data",
        )
    if name in OWN or name in OS_ONLY:
        raise InvalidEventError(f"{name} cannot be an extension attribute: the name has a meaning of its own")
    if type(value) is str:
        check_prose(name, value)
    elif type(value) is int:
        if not -_INT32 <= value < _INT32:
            raise InvalidEventError(f"extension attribute {name} is an integer over 32 bits", hint="Send it as text")
    elif type(value) is not bool:
        raise InvalidEventError(f"extension attribute {name} is a {type(value).__name__}, not text, integer or boolean")


def _check_length(name: str, value: object) -> None:
    if type(value) is not str:
        raise InvalidEventError(f"{name} is a {type(value).__name__}, not text")
    if len(value) > ATTRIBUTE_CHARS:
        raise InvalidEventError(f"{name} has {len(value)} characters, at most {ATTRIBUTE_CHARS} are allowed")
