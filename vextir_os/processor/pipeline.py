"""The universal processor: one delivery in, one settlement out. The order of the stages is the list below."""

import itertools
from collections.abc import Awaitable
from functools import partial

from vextir_os.ports.queue import Delivery
from vextir_os.processor.admit import admit
from vextir_os.processor.at_once import at_once
from vextir_os.processor.decide import authorize, route
from vextir_os.processor.decode import decode, quarantine
from vextir_os.processor.execute import execute
from vextir_os.processor.gate import gate
from vextir_os.processor.ordered import line_up, move_on
from vextir_os.processor.turn import Next, Parts, Settlement, Stage, Turn

STAGES: tuple[Stage, ...] = (
    quarantine,  # what no stage behind it can read is kept whole, as a dead letter
    decode,      # bytes -> event, identity asserted; or a knock at a record that is there
    authorize,   # policy: a grant or a denial; pure
    route,       # registry: the drivers; pure
    line_up,     # ordered events: a record of its own, in line for its key; it is claimed at the head alone
    gate,        # which of them this worker begins now: lanes, pauses
    at_once,     # drivers that may run twice: run, then one record with their outcome
    admit,       # one record per event: created with its runs claimed, or found and claimed
    execute,     # each run: the driver under its limits, then commit, publish and settle in one write
    move_on,     # ordered events: the next of the key begins
)  # fmt: skip


class Processor:
    """Processes deliveries; holds no state between them. Safe to use for many deliveries at once on one event loop."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        chain: Next = _end
        for stage in reversed(STAGES):
            chain = partial(stage, parts, following=chain)
        self._chain = chain
        self._numbers = itertools.count()

    def process(self, delivery: Delivery) -> Awaitable[Settlement]:
        """Take one delivery all the way.

        Returns:
            `complete`: the message is to be completed. `settled`: it is already.

        Raises:
            StoreUnavailableError: The store or queue did not answer; the message is to be given back, later.
        """
        return self._chain(Turn(delivery, f"{self.parts.worker}.{next(self._numbers):x}"))


async def _end(turn: Turn) -> Settlement:
    return "settled" if turn.settled else "complete"
