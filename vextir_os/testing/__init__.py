"""The kit for people who write drivers: an OS under test, with a clock that jumps and faults at hand.

Everything is real but the time: the processor with all its stages, the policies, SQLite. Importing this package imports
nothing of it: pytest does so at its start, also where no test needs it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vextir_os.testing.chamber import Tortured, torture
    from vextir_os.testing.opening import open_os
    from vextir_os.testing.system import OS
    from vextir_os.testing.views import DeadLetter, Decision, LogLine, Logs, Record, Run

__all__ = ["OS", "DeadLetter", "Decision", "LogLine", "Logs", "Record", "Run", "Tortured", "open_os", "torture"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from vextir_os.testing import chamber, opening, system, views

    return next(getattr(module, name) for module in (chamber, opening, system, views) if hasattr(module, name))
