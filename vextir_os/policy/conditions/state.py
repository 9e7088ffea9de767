"""What one evaluation carries along: the steps that are left, and whether a field was missing. And what missing is."""

from typing import Any, Final

from vextir_os.policy.conditions.limits import CHARS_PER_STEP, STEPS


class Missing:
    """A field that is not there. It is false, equal to nothing, and every operation over it is missing as well."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Missing()


class Fault(Exception):  # noqa: N818 - it never leaves this package
    """An operation that cannot be carried out on these values."""


class AbsentLoop(Exception):  # noqa: N818 - it never leaves this package
    """A loop over something that is missing."""


class State:
    """One evaluation. Used by one thread."""

    __slots__ = ("left", "missing")

    def __init__(self) -> None:
        self.left = STEPS
        self.missing = False

    def clear(self) -> "State":
        """Begin anew, for the next condition; return itself."""
        self.left = STEPS
        self.missing = False
        return self

    def spend(self, steps: int) -> None:
        """Pay for work before it is done. Raises `Fault` when there are no steps left."""
        self.left -= steps
        if self.left < 0:
            raise Fault(f"it needs more than {STEPS} steps")

    def absent(self) -> Any:
        """Note that a missing field was touched; return what stands for it."""
        self.missing = True
        return MISSING


def text_steps(text: str) -> int:
    """Return what it costs to read a text once; letters outside ASCII cost more to map and to fold."""
    return len(text) // CHARS_PER_STEP if text.isascii() else len(text) // (CHARS_PER_STEP // 16)


def kind_of(value: object) -> str:
    """Return the name of a value's kind as messages show it."""
    return "null" if value is None else type(value).__name__
