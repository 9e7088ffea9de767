"""Planted faults in the life of drivers: classes, versions, what is off, what does not beat. Data only."""

from tests.sabotage.planted import Planted

VERSIONS, OFF = "scenario/test_versions.py", "scenario/test_off.py"
RELOAD = "scenario/test_reload.py"
HEARTBEAT, HEALTH = "scenario/test_heartbeat.py", "scenario/test_health.py"
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
        "runs/failure.py",
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
    Planted(
        "a run goes on with whatever version is current",
        "processor/choice.py",
        'version = record["runs"][driver].get("version", "")',
        'version = "0"',
        (VERSIONS, "retry_stays or takeover_goes_on"),
    ),
    Planted(
        "a replay stays with the version of before",
        "runs/acts.py",
        'if name not in ("version", "began_with")',
        'if name != "began_with"',
        (VERSIONS, "replay_takes"),
    ),
    Planted(
        "a run that changed its version does not say so",
        "runs/transitions.py",
        "    if version is not None:\n        after",
        "    if version is None:\n        after",
        (VERSIONS, "version_that_is_gone"),
    ),
    Planted(
        "which version gets an event is drawn",
        "driverkit/versions.py",
        'digest = hashlib.blake2b(f"{driver}\\n{record}".encode(), digest_size=7).digest()',
        "digest = __import__('os').urandom(7)",
        (VERSIONS, "same_events_choose or larger_part_keeps"),
    ),
    Planted(
        "what people said of weights is not heard",
        "processor/choice.py",
        'entry["of"] if entry is not None else _NOBODY',
        "_NOBODY",
        (VERSIONS, "changed_without_a_restart"),
    ),
    Planted(
        "a driver that is off gets events",
        "processor/choice.py",
        "if off is not None:",
        "if off is None and off:",
        (OFF, "gets_no_new_events"),
    ),
    Planted(
        "anybody turns drivers off",
        "processor/switching.py",
        "if not decision.allowed:",
        "if decision is None:",
        (OFF, "who_may_not_switch"),
    ),
    Planted(
        "a worker that was idle goes by old switches",
        "processor/decide.py",
        "if parts.paused.is_stale:",
        "if parts.paused.is_stale is None:",
        (OFF, "another_process_hears"),
    ),
    Planted(
        "an instance is stopped while its last call goes on",
        "local/reload.py",
        "await instance.idle()\n",
        "await asyncio.sleep(0)\n",
        (RELOAD, "ends_on_the_old_code"),
    ),
    Planted(
        "the modules of a changed driver stay imported",
        "local/reload.py",
        "forget_folders(self._kernel.settings.root, folders)",
        "forget_folders(self._kernel.settings.root, ())",
        (RELOAD, "ends_on_the_old_code"),
    ),
    Planted(
        "a reload forgets what has not changed",
        "registry/registry.py",
        "return found is not None and _code(found) == _code(manifest)",
        "return found is manifest",
        (RELOAD, "keeps_its_instance"),
    ),
    Planted(
        "silence ends a turn as any time-out",
        "processor/within.py",
        "raise missed(manifest, beats) from None",
        "raise",
        (HEARTBEAT, "never_beats"),
    ),
    Planted(
        "beats are not counted",
        "processor/heartbeat.py",
        "self._silent = 0 if self._beats.count != self._seen else self._silent + 1",
        "self._silent = self._silent + 1",
        (HEARTBEAT, "beats_goes_on"),
    ),
    Planted(
        "what a dead process said of its drivers counts for ever",
        "runs/healthfile.py",
        'said = [one for one in by_worker.values() if one["until"] > now]',
        "said = [*by_worker.values()]",
        (HEALTH, "that_is_gone"),
    ),
    Planted(
        "one worker takes back what another said",
        "runs/healthfile.py",
        'if name != worker and said["until"] > now',
        'if name == worker and said["until"] > now',
        (HEALTH, "leave_what_others_said"),
    ),
    Planted(
        "a driver's words reach the terminal as they are",
        "processor/health.py",
        'char if char.isprintable() else "\\N{REPLACEMENT CHARACTER}"',
        "char",
        (HEALTH, "what_a_driver_says"),
    ),
    Planted(
        "drivers are exchanged beside policies that cannot be used",
        "local/reload.py",
        "            PolicyEngine(bundle)\n",
        "            pass\n",
        (RELOAD, "change_no_driver"),
    ),
)
