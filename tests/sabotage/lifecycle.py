"""Planted faults in the life of drivers: classes, versions, what is off, what does not beat. Data only."""

from tests.sabotage.planted import Planted

CLASSES, DECLARED = "scenario/test_classes.py", "unit/driverkit/test_classes.py"

OF_LIFECYCLE = (
    Planted(
        "each of the first events starts an instance",
        "driverkit/instance.py",
        "if self._starting is None or self._starting.done():",
        "if True:",
        (CLASSES, "hundred_events"),
    ),
    Planted(
        "the end of one run ends the start that others wait for",
        "driverkit/instance.py",
        "await asyncio.shield(self._starting)",
        "await self._starting",
        (CLASSES, "does_not_end_the_start"),
    ),
    Planted(
        "a start that fails counts as a bug of the driver",
        "processor/failure.py",
        "return failure.kind if is_known else DriverStartError.kind, failure.retry_after_s",
        "return failure.kind, failure.retry_after_s",
        (CLASSES, "start_that_fails"),
    ),
    Planted(
        "an instance that does not stop holds up the others",
        "registry/instances.py",
        "async with asyncio.timeout(STOP_S):",
        "async with asyncio.timeout(None):",
        (CLASSES, "holds_nobody_up"),
    ),
    Planted(
        "a subclass of a driver is that driver",
        "driverkit/call.py",
        'getattr(target, "__dict__", {}).get(MANIFEST)',
        "getattr(target, MANIFEST, None)",
        (DECLARED, "subclass_of_a_driver"),
    ),
)
