"""The kernel of the current context: set by a test or a notebook, used by the global names for drivers."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from vextir_os.bus.current import use_bus
from vextir_os.errors import DriverError
from vextir_os.kernel import Kernel

_KERNEL: ContextVar[Kernel] = ContextVar("vextir_kernel")


@contextmanager
def use_kernel(kernel: Kernel) -> Iterator[Kernel]:
    """Make a kernel, and its bus, that of the current context and of all tasks started within."""
    token = _KERNEL.set(kernel)
    try:
        with use_bus(kernel.bus):
            yield kernel
    finally:
        _KERNEL.reset(token)


def current_kernel() -> Kernel:
    """Return the kernel of the current context. Raises `DriverError` without one."""
    try:
        return _KERNEL.get()
    except LookupError:
        raise DriverError(
            "there is no OS in this context",
            hint="Run within `with use_kernel(kernel):`, or put the driver into a file",
        ) from None
