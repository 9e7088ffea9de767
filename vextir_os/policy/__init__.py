"""Policies: what may happen, decided for every action by values alone. Denied is what no policy allows.

`compile_condition` is public: a `Condition` may be asked by itself, without a policy around it. Both raise
`PolicyError` and nothing else.
"""

from vextir_os.errors import PolicyError
from vextir_os.policy.conditions import Condition, compile_condition

__all__ = ["Condition", "PolicyError", "compile_condition"]
