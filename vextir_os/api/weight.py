"""How heavy JSON will be once it is decoded, told from its bytes. Pure; decodes nothing and judges no syntax.

A number or an empty list of two bytes becomes an object of some fifty, and the decoder lets nothing else run until it
is done. So what is made of very many parts is refused before it is decoded.
"""

PARTS = 2_000_000
"""Values in the body of one request, at most; some 200 MB and a second once they are decoded."""

_ESCAPED_BACKSLASH, _ESCAPED_QUOTE = b"\\\\", b'\\"'


def is_heavy(body: bytes, limit: int = PARTS) -> bool:
    """Whether the JSON in a body has more than so many values, keys and brackets, give or take one each.

    Args:
        body: JSON, or any other bytes. Text inside of strings weighs nothing but its length.
        limit: How many are allowed.
    """
    if _marks(body, 0, len(body)) <= limit:
        return False
    if b"\\" in body:
        # Now every quote begins or ends a string.
        body = body.replace(_ESCAPED_BACKSLASH, b"").replace(_ESCAPED_QUOTE, b"")
    count = at = 0
    while True:
        quote = body.find(b'"', at)
        count += 1 + _marks(body, at, quote if quote >= 0 else len(body))
        if count > limit:
            return True
        at = body.find(b'"', quote + 1) + 1 if quote >= 0 else 0
        if at == 0:
            return False


def _marks(body: bytes, start: int, end: int) -> int:
    return body.count(b",", start, end) + body.count(b"[", start, end) + body.count(b"{", start, end)
