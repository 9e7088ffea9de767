"""The one place of the OS that makes code: of a checked condition, audited before it can run, without any builtins."""

from types import CodeType, FunctionType

from vextir_os.policy.conditions.audit import audit
from vextir_os.policy.conditions.lower import HELPERS, Lowered

FILE = "<condition>"
"""What compiled conditions are told from all other code by."""


def assemble(lowered: Lowered) -> FunctionType:
    """Return the function of a condition: of its state and its roots.

    Raises:
        AuditError: The compiled code holds something that it must not.
    """
    code = compile(lowered.tree, FILE, "eval", dont_inherit=True, optimize=0)
    function = next(constant for constant in code.co_consts if isinstance(constant, CodeType))
    names = audit(function, lowered.literals)
    used = {name: HELPERS[name] for name in names if name in HELPERS}
    return FunctionType(function, {"__builtins__": {}, **used, **lowered.literals})
