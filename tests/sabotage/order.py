"""Planted faults in what keeps the order of a key. Data only."""

from tests.sabotage.planted import Planted

KEYS, TRAPS = "scenario/test_ordered_keys.py", "scenario/test_ordered_traps.py"

OF_ORDER = (
    Planted(
        "an event enters its key's list without the proof",
        "processor/keys.py",
        "    await keeper.write(prove, durable=False)\n",
        "",
        (TRAPS, "enters_its_keys_list_once"),
    ),
    Planted(
        "a copy of a key's document is never too old",
        "runs/ordering.py",
        'return doc["head"] < ticket or doc["head"] + len(doc["list"]) <= ticket',
        "return False",
        (TRAPS, "old_copy"),
    ),
    Planted(
        "an absent document of a key is taken for an empty list",
        "processor/keys.py",
        "        await key.write(key.doc)\n",
        "        pass\n",
        (TRAPS, "old_copy"),
    ),
    Planted(
        "the enrol entry of a cancelled event is just removed",
        "runs/ordering.py",
        'return {**record, "outbox": [*others, _entry("move", record["key"]["turn"], ticket)]}',
        'return {**record, "outbox": others}',
        (TRAPS, "head_that_is_cancelled"),
    ),
    Planted(
        "a cancelled event leaves its key with its enrol entry",
        "processor/keys.py",
        "if same and ordering.enrolment(record) is not None:",
        "if not same:",
        (TRAPS, "wherever_a_worker_dies"),
    ),
    Planted(
        "a key moves on while its head waits",
        "runs/ordering.py",
        'return all(run["state"] in FINAL for run in record["runs"].values()) and not halts(record)',
        'return all(run["state"] in FINAL | {"retry"} for run in record["runs"].values()) and not halts(record)',
        (KEYS, "tried_again_holds"),
    ),
    Planted(
        "a dead head halts no key",
        "runs/record.py",
        'if "key" not in record or record["key"]["on_poison"] != "halt" or record["key"]["n"] is None:',
        "if record:",
        (KEYS, "halts"),
    ),
    Planted(
        "no entry lets a key move on",
        "runs/ordering.py",
        "if ticket is None or is_over(before) or not is_over(after):",
        "if ticket is None or ticket:",
        (TRAPS, "head_that_is_cancelled"),
    ),
    Planted(
        "the next one begins before the head has published",
        "processor/keys.py",
        'if not own and any(entry["n"] == ticket for entry in ordering.moves(record)):',
        "if record is None:",
        (TRAPS, "before_the_next"),
    ),
    Planted(
        "an ordered event is run at once",
        "processor/ordered.py",
        "if turn.knock is not None or not turn.the_event.ordered or not turn.drivers:",
        "if turn is not None:",
        (KEYS, "tried_again_holds"),
    ),
)
