"""Faults that no single test was written for: worlds in which everything goes wrong find them. Data only."""

from tests.sabotage.planted import Planted

WORLDS = ("simulation/test_simulation.py", "seeds-0-to-49")
TRAPS, ORDERED, GARBAGE = (
    "scenario/test_traps.py",
    "scenario/test_ordered_traps.py",
    "scenario/test_garbage.py",
)

SEEDED = (
    Planted(
        "a change that was refused is written again as it was",
        "runs/keeper.py",
        "            wanted = change(self.record, now)\n            record = _stored(",
        "            wanted = wanted or change(self.record, now)\n            record = _stored(",
        WORLDS,
    ),
    Planted(
        "the last of what was committed is not sent",
        "runs/keeper.py",
        "        for effect in effects:\n            if isinstance(effect, Emit):",
        "        for effect in effects[:-1]:\n            if isinstance(effect, Emit):",
        WORLDS,
    ),
    Planted(
        "a commit forgets what others have still to publish",
        "runs/keeper.py",
        'outbox = [*wanted.record["outbox"], *(effect',
        "outbox = [*(effect",
        WORLDS,
    ),
    Planted(
        "the sweep says that it has knocked, and has not",
        "processor/sweep.py",
        "await desk.queue_of(lane).send([knock])",
        "desk.queue_of(lane)",
        WORLDS,
    ),
    Planted(
        "a record that was read too old counts as gone",
        "processor/admit.py",
        "        if turn.event is not None:\n            # Its creation",
        "        if turn.keeper is not None:\n            # Its creation",
        (ORDERED, "older_than"),
    ),
    Planted(
        "what nobody can read goes back under another id",
        "processor/sweep.py",
        'if kind_of(desk.signer, message) == "foreign":',
        "if message.properties:",
        (GARBAGE, "of_one_message"),
    ),
    Planted(
        "an entry of an outbox is named without its rerun",
        "runs/record.py",
        'gone = {(entry["run"], entry["rerun"], entry["n"]) for entry in applied}',
        'gone = {(entry["run"], rerun, entry["n"]) for entry in applied for rerun in range(2)}',
        (TRAPS, "later_rerun"),
    ),
)  # fmt: skip
