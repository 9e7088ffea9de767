"""The last look: what was compiled holds our names, plain constants and harmless instructions, and nothing else. Pure.

The check of the tree decides what is allowed; this one would notice if the generator of code, or a new version of
Python, made something else of it.
"""

import dis
from collections.abc import Iterable
from types import CodeType

from vextir_os.policy.conditions.lower import HELPERS

_INSTRUCTIONS = frozenset({
    "RESUME", "NOP", "CACHE", "EXTENDED_ARG", "PUSH_NULL", "POP_TOP", "COPY", "SWAP",
    "LOAD_CONST", "LOAD_FAST", "LOAD_FAST_LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_GLOBAL", "LOAD_DEREF", "LOAD_CLOSURE",
    "STORE_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST", "STORE_DEREF", "MAKE_CELL", "COPY_FREE_VARS",
    "PRECALL", "CALL", "RETURN_VALUE", "RETURN_CONST", "MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE",
    "UNARY_NOT", "TO_BOOL", "JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT",
    "POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE", "POP_JUMP_FORWARD_IF_FALSE", "POP_JUMP_FORWARD_IF_TRUE",
    "POP_JUMP_BACKWARD_IF_FALSE", "POP_JUMP_BACKWARD_IF_TRUE", "JUMP_IF_FALSE_OR_POP", "JUMP_IF_TRUE_OR_POP",
    "BUILD_TUPLE", "BUILD_LIST", "LIST_EXTEND", "LIST_APPEND", "LIST_TO_TUPLE", "BUILD_MAP", "BUILD_CONST_KEY_MAP",
    "MAP_ADD", "DICT_UPDATE",
    "GET_ITER", "FOR_ITER", "END_FOR", "YIELD_VALUE", "RETURN_GENERATOR", "UNPACK_SEQUENCE",
    "CALL_INTRINSIC_1", "RERAISE",
})  # fmt: skip
"""Instructions of CPython 3.11 to 3.13. None loads an attribute, imports, stores a global, or works on two values."""

_INTRINSICS = frozenset({3, 6})
"""Of generators, a StopIteration inside becomes a RuntimeError; of long tuples, a list becomes one."""

_CONSTANTS = frozenset({str, int, float, bool, type(None)})


class AuditError(Exception):
    """Something else was compiled than what was asked for; the policy is not loaded."""


def audit(code: CodeType, names: Iterable[str]) -> set[str]:
    """Check compiled code with all that is nested in it, and return the names that it calls.

    Args:
        code: Of a whole condition.
        names: What it may call beside our helpers: its literals.

    Raises:
        AuditError: It holds something that it must not.
    """
    allowed = HELPERS.keys() | set(names)
    found, stack = set[str](), [code]
    while stack:
        each = stack.pop()
        found.update(each.co_names)
        for instruction in dis.get_instructions(each):
            if instruction.opname not in _INSTRUCTIONS:
                raise AuditError(f"the instruction {instruction.opname}")
            if instruction.opname == "CALL_INTRINSIC_1" and instruction.arg not in _INTRINSICS:
                raise AuditError(f"the intrinsic {instruction.arg}")
        for constant in each.co_consts:
            if isinstance(constant, CodeType):
                stack.append(constant)
            else:
                _check_constant(constant)
    if found - allowed:
        raise AuditError(f"the name {min(found - allowed)}")
    return found


def _check_constant(constant: object) -> None:
    if type(constant) is tuple or type(constant) is frozenset:
        for each in constant:
            _check_constant(each)
    elif type(constant) not in _CONSTANTS:
        raise AuditError(f"a constant of type {type(constant).__name__}")
