"""Planted faults: one line of the OS each, made wrong, and the tests that must notice. Data only."""

from tests.sabotage.conditions import OF_CONDITIONS
from tests.sabotage.doctor import OF_THE_DOCTOR
from tests.sabotage.forms import OF_FORMS
from tests.sabotage.index import OF_THE_INDEX
from tests.sabotage.isolation import OF_ISOLATION
from tests.sabotage.keeping import OF_KEEPING
from tests.sabotage.kit import OF_THE_KIT
from tests.sabotage.lifecycle import OF_LIFECYCLE
from tests.sabotage.limits import OF_LIMITS
from tests.sabotage.observing import OBSERVED
from tests.sabotage.order import OF_ORDER
from tests.sabotage.outside import OF_OUTSIDE
from tests.sabotage.planted import Planted
from tests.sabotage.promises import PROMISED
from tests.sabotage.seeds import SEEDED
from tests.sabotage.settings import OF_SETTINGS

RECOVERY, RETRIES, OUTBOX = "scenario/test_recovery.py", "scenario/test_retries.py", "scenario/test_outbox.py"
ROUTING, FOREIGN, RETURNS = "scenario/test_routing.py", "scenario/test_foreign.py", "scenario/test_returns.py"
ANSWERS, DUPLICATES = "scenario/test_lost_answers.py", "scenario/test_duplicates.py"
FAILURES, ERRORS = "scenario/test_failures.py", "scenario/test_error_events.py"
PRESSURE = "scenario/test_pressure.py"
STORMS, LINEAGE = "scenario/test_storms.py", "unit/runs/test_lineage.py"
CANCEL, LETTERS = "scenario/test_cancel.py", "scenario/test_dead_letters.py"
MESSAGES = "scenario/test_dead_messages.py"
TRANSITIONS = "unit/runs/test_transitions.py"

LANES = "scenario/test_lanes.py"

PLANTED = (
    Planted(
        "any worker executes slow runs",
        "runs/lanes.py",
        'return worker is None or (worker == "slow") == (lane == "slow")',
        "return True",
        (LANES, "left_to_the_workers"),
    ),
    Planted(
        "the sweep knocks at the batch lane only",
        "processor/sweep.py",
        "await desk.queue_of(lane).send([knock])",
        "await desk.queue.send([knock])",
        (LANES, "slow_workers_death"),
    ),
    Planted(
        "nobody asks who owns a run",
        "runs/transitions.py",
        'if run is None or run["state"] != "running" or run["fence"] != hold.fence or run["owner"] != hold.owner:',
        "if run is None:",
        (RECOVERY, "zombie"),
    ),
    Planted(
        "a claim leaves the fence as it was",
        "runs/transitions.py",
        '"state": "running",\n        "fence": run["fence"] + 1,',
        '"state": "running",\n        "fence": run["fence"],',
        (RECOVERY, "zombies_commit"),
    ),
    Planted(
        "the fence alone owns a run",
        "runs/transitions.py",
        ' or run["owner"] != hold.owner:',
        ":",
        (TRANSITIONS, "fence_and_owner"),
    ),
    Planted(
        "a run is taken from an owner who lives",
        "runs/record.py",
        'return (run["lease_until"] or 0.0) + CLOCK_SKEW_S < now',
        "return True",
        ("unit/runs/test_record.py", "may_be_claimed"),
    ),
    Planted(
        "ids of emitted events are random",
        "events/ids.py",
        'return derive("emit", tenant, source, event_id, driver, rerun, step, index)',
        "return mint()",
        (ROUTING, "knows_where or same_in_every"),
    ),
    Planted(
        "a record that is there is written over",
        "runs/keeper.py",
        "etag = await desk.store.create(EVENTS, cast(Document, record))",
        "etag = await desk.store.upsert(EVENTS, cast(Document, record))",
        (DUPLICATES, "comes_again and outbox"),
    ),
    Planted(
        "a driver emits without the permission",
        "processor/attempt.py",
        "if not permits(manifest.permissions, action):",
        "if not action:",
        (RETURNS, "may_not_be_emitted"),
    ),
    Planted(
        "a policy does not bind what a driver emits",
        "processor/attempt.py",
        'if decision.effect != "allow":',
        "if not decision.effect:",
        (RETURNS, "may_not_be_emitted"),
    ),
    Planted(
        "what no policy allows is allowed",
        "policy/engine.py",
        "request, rules)\n        return self._deny(_unmatched(request), len(rules))",
        'request, rules)\n        return Decision(effect="allow", policy_id=None, bundle_hash=self._hash)',
        (ROUTING, "no_policy_allows"),
    ),
    Planted(
        "a retry starts whenever somebody knocks",
        "runs/record.py",
        'return (run["not_before"] or 0.0) <= now',
        "return True",
        (RETRIES, "before_its_time"),
    ),
    Planted(
        "a retry is brought by its message alone",
        "runs/record.py",
        'return run["not_before"]',
        "return None",
        (RETRIES, "loss_of_its_message"),
    ),
    Planted(
        "the outbox is emptied, whatever was sent",
        "runs/record.py",
        'not in gone]',
        'not in gone and not gone]',
        (OUTBOX, "only_sent"),
    ),
    Planted(
        "what a crash left is published by nobody",
        "runs/keeper.py",
        "await self._publish([_effect(self._desk.signer, entry) for entry in left])",
        "return",
        (OUTBOX, "crash_left"),
    ),
    Planted(
        "every signature is the same",
        "events/identity.py",
        "return hashlib.blake2b(body, digest_size=32, key=self._key, person=purpose.encode()).hexdigest()",
        'return "0" * 64',
        (FOREIGN, "forged"),
    ),
    Planted(
        "a signature does for any purpose",
        "events/identity.py",
        "person=purpose.encode()",
        'person=b"any"',
        (FOREIGN, "one_purpose"),
    ),
    Planted(
        "another's write costs a healthy run its work",
        "runs/keeper.py",
        "        if isinstance(error, StoreUnavailableError):\n            await asyncio.sleep(",
        '        if isinstance(error, ConflictError):\n            raise LostRunError("412")\n'
        "        if isinstance(error, StoreUnavailableError):\n            await asyncio.sleep(",
        (ANSWERS, "412"),
    ),
    Planted(
        "no answer counts as no",
        "runs/keeper.py",
        "return bool(wanted.touched) and all(",
        "return not wanted.touched and all(",
        (ANSWERS, "lost_answer"),
    ),
    Planted(
        "the own record is not recognised after a lost answer",
        "processor/admit.py",
        "    turn.holds = own_claims(turn)\n    if not turn.holds and not await",
        "    if not turn.holds and not await",
        (ANSWERS, "own_write and claim"),
    ),
    Planted(
        "the sweep knocks at once again",
        "processor/sweep.py",
        "desk.clock.time() + again",
        "desk.clock.time()",
        (RECOVERY, "sweep_never_owns"),
    ),
    Planted(
        "deaths of workers are not counted",
        "runs/transitions.py",
        'takeovers = run["takeovers"] + (run["state"] == "running")',
        'takeovers = run["takeovers"]',
        (RECOVERY, "kills_its_process"),
    ),
    Planted(
        "labels stay behind",
        "processor/attempt.py",
        "labels=merge_labels(event.labels, child.labels),",
        "labels=child.labels,",
        (ROUTING, "labels_and_identity"),
    ),
    Planted(
        "what nobody vouches for is trusted",
        "processor/intake.py",
        "labels=event.labels if trusted else merge_labels(event.labels, (UNTRUSTED,)),",
        "labels=event.labels,",
        (FOREIGN, "identity_comes or good_name"),
    ),
    Planted(
        "a message names its own tenant",
        "processor/intake.py",
        "tenantid=principal.tenant,",
        "tenantid=event.tenantid or principal.tenant,",
        (FOREIGN, "identity_comes"),
    ),
    Planted(
        "anybody publishes types of the OS",
        "processor/intake.py",
        'if outsider and is_reserved(event.type):',
        "if not event.type:",
        (FOREIGN, "forged"),
    ),
    Planted(
        "a batch is let in without asking",
        "processor/decode.py",
        'message.body, kind == "event"',
        "message.body, True",
        (FOREIGN, "each_event_of_a_batch"),
    ),
    Planted(
        "two drivers share one event",
        "processor/attempt.py",
        'if turn.event is not None and len(record["runs"]) == 1:',
        "if turn.event is not None:",
        (ROUTING, "stays_with_it"),
    ),
    Planted(
        "a message of the same id replaces the event",
        "processor/admit.py",
        'turn.event, turn.event_json = None, b""',
        'turn.event_json = turn.event_json or b""',
        (RECOVERY, "event_of_the_record"),
    ),
    Planted(
        "a run dies without a dead letter",
        "processor/commit.py",
        "effects=effects_of_death(parts, record, driver, after, now=now)",
        "effects=()",
        (RETRIES, "retried_alone"),
    ),
    Planted(
        "an upstream that names a time is asked before it",
        "runs/transitions.py",
        "if failure.retry_after_s is not None:",
        "if not failure.kind:",
        (TRANSITIONS, "named_by_the_upstream"),
    ),
    Planted(
        "what an upstream answered is not looked at",
        "runs/failure.py",
        "told(error, now=now) or (",
        "(",
        (FAILURES, "comes_when_the_error_says"),
    ),
    Planted(
        "a run dies and no event tells of it",
        "processor/death.py",
        "    if event is None:\n        return (letter,)",
        "    if letter:\n        return (letter,)",
        (ERRORS, "crash_left"),
    ),
    Planted(
        "a failure of who handles failures is told as well",
        "runs/errorevent.py",
        "if event.type == ERROR:",
        "if not event.type:",
        (ERRORS, "no_further"),
    ),
    Planted(
        "nobody counts how deep a chain is",
        "runs/lineage.py",
        "if depth >= limits.depth:",
        "if depth < 0:",
        (LINEAGE, "ends_at_the_depth"),
    ),
    Planted(
        "nobody sees that a driver feeds itself",
        "runs/lineage.py",
        "if _count(counts, driver, type_) > limits.loops:",
        "if _count(counts, driver, type_) < 0:",
        (LINEAGE, "feeds_itself"),
    ),
    Planted(
        "every branch has the whole allowance of its flow",
        "runs/lineage.py",
        "(share - emits) // emits",
        "share - emits",
        (LINEAGE, "never_more_events"),
    ),
    Planted(
        "whoever sends an event says where it stands",
        "processor/intake.py",
        '        lineage="",\n',
        "",
        (STORMS, "nobody_outside"),
    ),
    Planted(
        "a driver says where its events stand",
        "processor/attempt.py",
        "                lineage=lineage,\n",
        "",
        (STORMS, "knows_where_it_stands"),
    ),
    Planted(
        "a full queue takes more",
        "processor/pressure.py",
        "elif 0 < bounds.waiting < level.waiting:",
        "elif 0 < level.waiting < 0:",
        (PRESSURE, "over_its_bound"),
    ),
    Planted(
        "a full disk takes more",
        "processor/pressure.py",
        "if bounds.free_bytes > 0 and level.free_bytes < bounds.free_bytes:",
        "if level.free_bytes < 0:",
        (PRESSURE, "without_room"),
    ),
    Planted(
        "what cannot pass is tried again",
        "runs/transitions.py",
        'if failure.kind in {"invalid", "permission"}:',
        "if not failure.kind:",
        (TRANSITIONS, "never_retried"),
    ),
    *OBSERVED,
    *PROMISED,
    *SEEDED,
    *OF_FORMS,
    *OF_THE_INDEX,
    *OF_ISOLATION,
    *OF_KEEPING,
    *OF_LIMITS,
    *OF_CONDITIONS,
    *OF_SETTINGS,
    *OF_LIFECYCLE,
    *OF_THE_KIT,
    *OF_THE_DOCTOR,
    *OF_ORDER,
    *OF_OUTSIDE,
    Planted(
        "a cancelled run keeps its fence",
        "runs/acts.py",
        '"state": "cancelled",\n        "fence": run["fence"] + 1,',
        '"state": "cancelled",\n        "fence": run["fence"],',
        (CANCEL, "acknowledged"),
    ),
    Planted(
        "a cancel forgets the runs that wait",
        "runs/acts.py",
        'if run["state"] not in FINAL)\n    if not stopped:',
        'if run["state"] == "running")\n    if not stopped:',
        (CANCEL, "stands_on_the_record"),
    ),
    Planted(
        "a replay keeps the rerun",
        "runs/acts.py",
        '"rerun": run["rerun"] + 1,',
        '"rerun": run["rerun"],',
        (LETTERS, "ids_of_their_own"),
    ),
    Planted(
        "a replay keeps the fence",
        "runs/acts.py",
        '"state": "ready",\n        "fence": run["fence"] + 1,',
        '"state": "ready",\n        "fence": run["fence"],',
        ("unit/runs/test_acts.py", "begins_anew"),
    ),
    Planted(
        "a lost answer is asked for again",
        "runs/acts.py",
        'return any(done["id"] == act.id for done in record.get("acts", ()))',
        "return False",
        (LETTERS, "answer_is_lost"),
    ),
    Planted(
        "nobody asks whether a person may",
        "processor/control.py",
        "if not decision.allowed:",
        "if decision is None:",
        (CANCEL, "may_not_cancel"),
    ),
    Planted(
        "a message is sent again under its old id",
        "processor/edits.py",
        "id=f\"{letter['message_id'][:_ID_CHARS]}~r{letter['id'][:12]}\",",
        "id=letter['message_id'],",
        (MESSAGES, "come_back_as_another"),
    ),
    Planted(
        "an edited event loses the labels of the old one",
        "processor/edits.py",
        "labels=merge_labels(old.labels if old else (), base.labels),",
        "labels=edit.event.labels if edit.event else (),",
        (LETTERS, "caused_by_the_old_one"),
    ),
)  # fmt: skip
