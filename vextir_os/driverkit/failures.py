"""What a driver raises to tell the OS how to go on. Anything else it raises counts as a bug: few retries.

One question decides the class: may the same call succeed later?
"""

import math

from vextir_os.errors import DriverError


class TransientError(DriverError):
    """The same call may succeed soon: a broken socket, an upstream that answers 503. Tried again with back-off."""

    code = "VX410"
    kind = "transient"


class ThrottledError(DriverError):
    """The upstream asks to come back later: a 429. Tried again no sooner than it says.

    Args:
        what: What happened, lower case.
        retry_after_s: Seconds that the upstream named, 0 or more; None when it named none.
        hint: What to do about it; a sentence.
        where: The place, when there is one.
    """

    code = "VX411"
    kind = "throttled"

    def __init__(self, what: str, *, retry_after_s: float | None = None, hint: str = "", where: str = "") -> None:
        if retry_after_s is not None and not (math.isfinite(retry_after_s) and retry_after_s >= 0):
            raise ValueError(f"retry_after_s is {retry_after_s}, not a number of seconds from 0")
        self.retry_after_s = retry_after_s
        super().__init__(what, hint=hint, where=where)


class InvalidError(DriverError):
    """The request itself is wrong and stays wrong: an unknown customer, a 404. Never tried again."""

    code = "VX412"
    kind = "invalid"


class ForbiddenError(DriverError):
    """The upstream refuses us: a 401 or 403. Never tried again as it is."""

    code = "VX413"
    kind = "permission"
