"""Conditions of policies: a safe subset of Python's expressions, compiled once and asked for every event.

The whole language is what these modules name; whatever they do not name is refused when a policy is loaded. Nothing
here reads a clock, a file or the environment.
"""

from vextir_os.policy.conditions.condition import Condition, Outcome, compile_condition

__all__ = ["Condition", "Outcome", "compile_condition"]
