"""Planted faults in the kit for those who write drivers: a test that runs on it would say too little. Data only."""

from tests.sabotage.planted import Planted

TIME, TROUBLE = "scenario/kit/test_time.py", "scenario/kit/test_trouble.py"
LOOKING, TORTURE = "scenario/kit/test_looking.py", "scenario/kit/test_torture.py"

OF_THE_KIT = (
    Planted(
        "a dead worker of the kit goes on",
        "testing/loop.py",
        "        if self._life.over:\n",
        "        if self._life.over and False:\n",
        (TROUBLE, "nothing_of_a_dead_worker"),
    ),
    Planted(
        "time of the kit jumps past a thread that is waited for",
        "testing/loop.py",
        "if loop.outside and not loop.jumps:",
        "if loop.outside and loop.jumps:",
        (TIME, "waits_for_a_thread"),
    ),
    Planted(
        "what a dead worker of the kit held is not given up",
        "testing/crew.py",
        "await new.step(new.kernel.departed.release(old.kernel.worker))",
        "await new.step(new.kernel.departed.release(new.kernel.worker))",
        (TROUBLE, "has_another_after_it_at_once"),
    ),
    Planted(
        "a failure that no test awaited is lost",
        "testing/ground.py",
        "        given, self._given = self._given, []\n",
        "        given, self._given = [], []\n",
        (LOOKING, "failure_that_was_not_awaited"),
    ),
    Planted(
        "a torture compares no outputs",
        "testing/effect.py",
        '*(("output",) if exact else ())',
        '*(("output",) if not exact else ())',
        (TORTURE, "keeps_state_in_a_global"),
    ),
    Planted(
        "a torture asks no invariant",
        "testing/chamber.py",
        "if self._invariants is None:",
        "if self._invariants is not None:",
        (TORTURE, "held_against_an_invariant and not-keyed"),
    ),
)
