"""Policies: what may happen, decided for every action by values alone. Denied is what no policy allows.

`compile_condition` is public: a `Condition` may be asked by itself, without a policy around it.
"""

from vextir_os.policy.conditions import Condition, compile_condition

__all__ = ["Condition", "compile_condition"]
