"""Errors of calls to other hosts (44x): what keeps a call from being made, or its answer from being used."""

from vextir_os.errors.base import VextirError


class OutsideError(VextirError):
    """Something about a call to another host. No message holds a query, a header or a body: they may be secret."""

    code = "VX440"


class AddressRefusedError(OutsideError):
    """The address is none that may be called: not http, a private network, this machine, the cloud's own services."""

    code = "VX441"
    kind = "permission"


class UnreachableError(OutsideError):
    """No answer: the name is not known, nobody listens, the connection broke, or the time was over."""

    code = "VX442"
    kind = "transient"


class AnswerError(OutsideError):
    """An answer that is not used: too large, packed in an unknown way, redirected too often or with a body."""

    code = "VX443"
    kind = "invalid"
