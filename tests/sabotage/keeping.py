"""Planted faults in what keeps data: backups, restoring, ids that are remembered, blobs, history from elsewhere."""

from tests.sabotage.planted import Planted

BACKUP, RESTORE = "scenario/test_backup.py", "scenario/test_restore.py"
ARCHIVE = "unit/local/test_archive.py"
KEEPING, MEMORY, ORPHANS = "scenario/test_keeping.py", "unit/sqlite/test_memory.py", "unit/sqlite/test_orphans.py"
MOVING, HISTORY, MIGRATING = "scenario/test_moving.py", "unit/runs/test_history.py", "scenario/test_migrating.py"

OF_KEEPING = (
    Planted(
        "whatever claims to be ours is sealed, and signed when it is restored",
        "runs/messages.py",
        "if kind is None or not signer.verify(kind, body, properties.get(_SIGNATURE)):",
        "if kind is None:",
        (BACKUP, "forged_before"),
    ),
    Planted(
        "a backup keeps the signatures",
        "local/keeping/backup.py",
        "        seal(connection, signer)\n",
        "",
        (BACKUP, "holds_no_key"),
    ),
    Planted(
        "data are replaced under a running OS",
        "local/keeping/restore.py",
        "    workers = lives(data_dir)\n",
        "    workers: list[str] = []\n",
        (RESTORE, "nothing_is_restored_under_a_running_os"),
    ),
    Planted(
        "what workers of a backup held is held by nobody that could be found dead",
        "local/keeping/restore.py",
        "leave_behind(data_dir, workers)",
        "leave_behind(data_dir, ())",
        (BACKUP, "goes_on_at_once"),
    ),
    Planted(
        "a database with triggers of somebody else is restored",
        "adapters/sqlite/copying.py",
        'return f"{strange[0]} is not as schema version {version} has it" if strange else ""',
        'return ""',
        (RESTORE, "not_ours"),
    ),
    Planted(
        "the hash of a backup is not compared",
        "local/keeping/archive.py",
        "if left or digest.hexdigest() != manifest.sha256:",
        "if left:",
        (ARCHIVE, "no_backup"),
    ),
    Planted(
        "a backup may hold any other file",
        "local/keeping/archive.py",
        "if member.filename not in (DATABASE, MANIFEST):",
        "if not member.filename:",
        (ARCHIVE, "no_backup"),
    ),
    Planted(
        "an id is forgotten at the moment its document expires",
        "adapters/sqlite/documents.py",
        "if not connection.execute(_FORGET, (container, pk, key, now - memory, -now)).rowcount:",
        "if not connection.execute(_FORGET, (container, pk, key, now, -now)).rowcount:",
        (KEEPING, "before_any_sweep"),
    ),
    Planted(
        "a purge forgets ids",
        "adapters/sqlite/documents.py",
        "        if until > now:\n",
        "        if until > now + 1e12:\n",
        (MEMORY, "as_long_as_it_is_remembered"),
    ),
    Planted(
        "a late duplicate is taken for an old copy that was read",
        "processor/admit.py",
        "    except GoneError:\n        return None\n    except NotFoundError as error:",
        "    except NotFoundError as error:",
        (KEEPING, "late_duplicate"),
    ),
    Planted(
        "one look is enough to call a blob an orphan",
        "adapters/sqlite/orphans.py",
        "gone = suspects & self._suspects",
        "gone = suspects",
        (ORPHANS, "second_look"),
    ),
    Planted(
        "a blob that was written again goes with the one before",
        "adapters/sqlite/orphans.py",
        '"DELETE FROM blobs WHERE name = ? AND at = ?"',
        '"DELETE FROM blobs WHERE name = ? AND at >= ?"',
        (ORPHANS, "another_one"),
    ),
    Planted(
        "nobody looks for blobs in outboxes",
        "adapters/sqlite/orphans.py",
        "for first in range(0, len(unfinished), _ROWS):",
        "for first in range(0, 0, _ROWS):",
        (ORPHANS, "waits_for_days"),
    ),
    Planted(
        "history is imported without a policy",
        "processor/importing.py",
        '        allow(self._parts, who, "import", event.type)\n',
        "",
        (MOVING, "needs_a_policy"),
    ),
    Planted(
        "history says itself whose it is",
        "processor/importing.py",
        '        userid=who.id if who.kind == "user" else "",\n',
        "",
        (MOVING, "believed_no_more"),
    ),
    Planted(
        "runs that go on are imported as history",
        "runs/history.py",
        "    if not shapes.is_final(run):\n",
        "    if False:\n",
        (HISTORY, "refused_with_a_reason"),
    ),
    Planted(
        "a dry run does not read the documents",
        "local/keeping/migrating.py",
        "            problems += _unreadable(connection)\n",
        "",
        (MIGRATING, "cannot_read"),
    ),
)
