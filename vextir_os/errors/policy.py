"""Errors of policies and what they deny (3xx)."""

from typing import ClassVar

from vextir_os.errors.base import Kind, ProblemsError, VextirError


class PolicyError(VextirError):
    """Something about policies."""

    code = "VX300"
    kind: ClassVar[Kind] = "invalid"


class PolicyFileError(PolicyError):
    """One problem in a policy file."""

    code = "VX301"


class PolicyProblemsError(ProblemsError, PolicyError):
    """The policy files cannot be loaded; all their problems."""

    code = "VX302"


class DeniedError(PolicyError):
    """The policy `policy_id` denies the action, or none allows it; then that is None."""

    code = "VX303"
    kind = "permission"

    def __init__(self, what: str, *, hint: str = "", policy_id: str | None = None) -> None:
        super().__init__(what, hint=hint)
        self.policy_id = policy_id


class ActionError(PolicyError):
    """A permission, or the action that a policy names, has a wrong syntax."""

    code = "VX304"


class ConditionError(PolicyError):
    """A condition of a policy cannot be compiled, or not be answered on the values that it was given.

    Attributes:
        line: Of the place in the condition's text, from 1.
        column: The same.
    """

    code = "VX305"

    def __init__(self, what: str, *, line: int = 1, column: int = 1, hint: str = "") -> None:
        super().__init__(what, hint=hint, where=f"line {line} column {column}")
        self.line = line
        self.column = column
