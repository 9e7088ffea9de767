"""Errors of records and the runs in them (6xx)."""

from vextir_os.errors.base import VextirError


class RunError(VextirError):
    """Something about the record of an event or a run in it."""

    code = "VX600"


class LostRunError(RunError):
    """The run belongs to another worker now: its fence, owner or state changed. Touch nothing more of it."""

    code = "VX601"


class WaitTimeoutError(RunError):
    """What somebody waits for did not end in the time that they give it; it goes on without them."""

    code = "VX603"
    kind = "transient"


class RunStateError(RunError):
    """What a person asks of a run does not fit its state: it is over, was replayed already, or still goes on."""

    code = "VX604"
    kind = "invalid"


class StormError(RunError):
    """A run would let more follow from one first event than the limits allow; nothing that it returned was published.

    Args:
        what: What happened, lower case.
        limit: Name of the limit, as the settings have it: `max_depth`.
        hint: What to do about it; a sentence.
    """

    code = "VX605"
    kind = "invalid"

    def __init__(self, what: str, *, limit: str = "", hint: str = "") -> None:
        self.limit = limit
        super().__init__(what, hint=hint)
