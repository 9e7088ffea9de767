"""Planted faults in pauses, limits and turns: what is held back, how many at once, who goes next. Data only."""

from tests.sabotage.planted import Planted

PAUSE, FLOW, BURSTS = "scenario/test_pause.py", "scenario/test_flow.py", "scenario/test_flow_of_bursts.py"
SLOTS = "unit/runs/test_slots.py"

OF_LIMITS = (
    Planted(
        "a pause holds nothing back",
        "runs/start.py",
        "        if entry is not None:\n",
        "        if entry is not None and False:\n",
        (PAUSE, "takes_events_in"),
    ),
    Planted(
        "a knock tells nobody of a resume",
        "processor/admit.py",
        '    if "waits" in turn.keeper.record:\n',
        '    if "waits" in turn.keeper.record and False:\n',
        (PAUSE, "a_knock_tells_a_process"),
    ),
    Planted(
        "a pause that is over is forgotten before all have heard of it",
        "processor/pausing.py",
        "HEARD_S = 30.0",
        "HEARD_S = 0.0",
        (PAUSE, "by_who_had_not_heard"),
    ),
    Planted(
        "a pause outlasts its time",
        "runs/pauses.py",
        'or (entry["until"] is not None and entry["until"] <= now)',
        "",
        (PAUSE, "ends_by_its_time"),
    ),
    Planted(
        "who comes later overtakes the line",
        "runs/slots.py",
        'if places - len(doc["held"]) > before:',
        'if places - len(doc["held"]) > 0:',
        (SLOTS, "does_not_overtake"),
    ),
    Planted(
        "there is always a place",
        "runs/slots.py",
        "    if places - len",
        "    if True or places - len",
        (FLOW, "no_more_than_the_limit"),
    ),
    Planted(
        "a duplicate takes its original's place",
        "runs/slots.py",
        "if held[0] not in (owner, instead_of):",
        "if held[0] is None:",
        (SLOTS, "a_duplicate_of_a_run"),
    ),
    Planted(
        "an heir that claims nothing keeps the place",
        "runs/slots.py",
        "            held[record] = [*back]\n",
        "            pass\n",
        (SLOTS, "an_heir_takes_the_place"),
    ),
    Planted(
        "the place of a dead worker is held for ever",
        "runs/slots.py",
        "if place[1] > now}",
        "}",
        (SLOTS, "comes_free_by_its_time"),
    ),
    Planted(
        "a place is given up and nobody is called",
        "processor/places.py",
        "        await call(self.desk, called)\n        if is_short:",
        "        if is_short:",
        (FLOW, "waits_in_the_store_and_is_called"),
    ),
    Planted(
        "a tenant's turn is the next one however many it has had",
        "adapters/sqlite/fairness.py",
        "        last = self._last.get(key, 0)\n",
        "        last = 0\n",
        ("scenario/test_fairness.py", "no_more_than_a_round"),
    ),
)
