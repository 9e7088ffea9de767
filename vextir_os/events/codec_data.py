"""From bytes to the data of an event, as its content type says: JSON, or text. Pure."""

import base64
import binascii
from typing import Any

from vextir_os.errors import UndecodableError
from vextir_os.events import jsonio

_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})


def media_type(content_type: str) -> str:
    """Return the type without parameters, in lower case: `application/json`."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether data of this content type is JSON; without a type it is."""
    media = media_type(content_type)
    return not media or media.endswith(("/json", "+json"))


def check_charset(content_type: str) -> None:
    """Refuse a content type that names another charset than UTF-8. Raises `UndecodableError`."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in _CHARSETS:
            raise UndecodableError(f"charset {value.strip()[:40]!r} is not read here", hint="Send UTF-8")


def bytes_data(body: bytes, content_type: str) -> Any:
    """Return the data that a body of this content type holds: JSON, or text for `text/*`.

    Raises:
        UndecodableError: The body is not what its type says, or the type is neither JSON nor text.
        TooLargeError: JSON nested too deeply.
    """
    check_charset(content_type)
    if is_json(content_type):
        return jsonio.loads_strict(body)
    if not media_type(content_type).startswith("text/"):
        raise UndecodableError(
            f"data of type {content_type[:80]!r} is neither JSON nor text", hint="Send JSON, and put bytes elsewhere"
        )
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UndecodableError(f"data is not UTF-8: byte {error.start} cannot be decoded", hint="Send UTF-8") from error


def base64_data(encoded: object, content_type: str) -> Any:
    """Return the data that `data_base64` holds. Raises as `bytes_data`, and for what is no base64 (RFC 4648)."""
    if type(encoded) is not str:
        raise UndecodableError(f"data_base64 is a {type(encoded).__name__}, not text")
    try:
        body = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UndecodableError(f"data_base64 is no base64: {error}") from error
    return bytes_data(body, content_type)
