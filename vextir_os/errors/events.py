"""Errors of events and of the bus (2xx)."""

from typing import ClassVar

from vextir_os.errors.base import Kind, ProblemsError, VextirError


class EventError(VextirError):
    """Something about an event itself."""

    code = "VX200"
    kind: ClassVar[Kind] = "invalid"


class InvalidEventError(EventError):
    """An attribute or the data of an event has a wrong type, range or syntax."""

    code = "VX201"


class TooLargeError(EventError):
    """An event, its data or an output is over a size or depth limit."""

    code = "VX202"


class UndecodableError(EventError):
    """Bytes that are no event: broken JSON, no UTF-8, NaN, duplicate keys, no known form."""

    code = "VX203"


class ForgedError(EventError):
    """A message claims what only the OS may say, without the OS's signature."""

    code = "VX204"
    kind = "permission"


class PatternError(EventError):
    """A capability or subscription pattern has a wrong syntax."""

    code = "VX205"


class FilterError(EventError):
    """An event filter has an unknown key or a wrong value."""

    code = "VX206"


class EventProblemsError(ProblemsError, EventError):
    """A batch cannot be accepted; all its problems, each with the index of its event from 0."""

    code = "VX207"


class ForgedProblemsError(EventProblemsError, ForgedError):
    """A batch cannot be accepted, and an event in it claims what only the OS may say."""

    code = "VX209"


class BusError(EventError):
    """The event bus is closed, there is none in this context, or a stream is read outside of `async with`."""

    code = "VX208"
