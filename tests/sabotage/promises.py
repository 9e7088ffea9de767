"""The faults that the issue names, in its words, and which of those that are planted each one is. Data only."""

from tests.sabotage.planted import Planted

RECOVERY, DEPARTED, DEATHS = "scenario/test_recovery.py", "scenario/test_departed.py", "scenario/test_deaths.py"
MATRIX = "scenario/test_crash_matrix.py"

PROMISED = (
    Planted(
        "a message is settled before anything of it is committed",
        "local/pool.py",
        "            else:\n                settlement = await self._processor.process(delivery)\n",
        "            else:\n                await self._queue.complete(delivery.token)\n"
        "                settlement = await self._processor.process(delivery)\n",
        (MATRIX, "killed and queue.complete and after-one-worker"),
    ),
    Planted(
        "what a run emits is published before its commit",
        "runs/keeper.py",
        "            await self._follow_up(await self._write_record(change))\n            return False",
        "            await self._follow_up(change(self.record, self._desk.clock.time()))\n"
        "            await self._write_record(change)\n            return False",
        (RECOVERY, "zombie and outbox"),
    ),
    Planted(
        "a lease is never renewed",
        "processor/execute.py",
        "await turn.the_keeper.write(change, durable=False)",
        "change(turn.the_keeper.record, 0.0)",
        (RECOVERY, "keeps_its_lease"),
    ),
    Planted(
        "a unit that fails leaves what it wrote",
        "adapters/sqlite/database.py",
        '                connection.execute("ROLLBACK TO unit")\n',
        "",
        ("unit/sqlite/test_database.py", "takes_back_its_own"),
    ),
    Planted(
        "every attempt knocks under one message id",
        "runs/messages.py",
        'return f"{event_id}#{driver}.{rerun}.{attempt}"',
        'return f"{event_id}#{driver}.{rerun}"',
        ("scenario/test_retries.py", "both_retried"),
    ),
    Planted(
        "a run that is taken over is not gone on with",
        "processor/admit.py",
        "    turn.holds = own_claims(turn)\n    for driver in ended",
        "    turn.holds = {}\n    for driver in ended",
        (DEPARTED, "looks_dead_commits_nothing"),
    ),
    Planted(
        "what was asserted once is written whatever is there by then",
        "runs/keeper.py",
        "wanted = change(self.record, now)\n            after = with_move",
        "wanted = wanted or change(self.record, now)\n            after = with_move",
        (RECOVERY, "zombies_commit and one-transaction"),
    ),
    Planted(
        "a key moves on while its head waits for its next attempt",
        "runs/ordering.py",
        'return all(run["state"] in FINAL for run in record["runs"].values()) and not halts(record)',
        'return all(run["state"] in {*FINAL, "retry"} for run in record["runs"].values()) and not halts(record)',
        ("scenario/test_ordered_keys.py", "tried_again_holds"),
    ),
    Planted(
        "the leases of workers that live are ended too",
        "runs/transitions.py",
        '.startswith(f"{worker}.")',
        '.startswith("")',
        (DEPARTED, "nothing_of_workers_that_live"),
    ),
    Planted(
        "the messages of a worker that is gone stay locked",
        "processor/departed.py",
        "messages=await self._give_up(worker)",
        "messages=0",
        (DEPARTED, "idempotent_driver"),
    ),
    Planted(
        "the locks of all processes look the same",
        "adapters/sqlite/core.py",
        "return bytes.fromhex(worker)[:_MARK_BYTES]",
        "return bytes(_MARK_BYTES)",
        ("unit/sqlite/test_give_up.py", "handed_out_again"),
    ),
    Planted(
        "a process that lives is taken for gone",
        "local/presence.py",
        "            _lock(descriptor, wait=False)\n",
        "",
        ("unit/local/test_presence.py", "frozen"),
    ),
    Planted(
        "a worker whose death could not be dealt with is forgotten",
        "local/deaths.py",
        "            left.leave()\n        except BaseException:",
        "            left.remove()\n        except BaseException:",
        (DEATHS, "outage"),
    ),
    Planted(
        "what another process committed is not seen",
        "adapters/sqlite/database.py",
        "changed_elsewhere=version != self._seen_version",
        "changed_elsewhere=False",
        ("unit/sqlite/test_processes.py", "processes"),
    ),
)

IN_THE_WORDS_OF_THE_ISSUE = {
    "fence not checked": "nobody asks who owns a run",
    "settle before commit": "a message is settled before anything of it is committed",
    "publish before commit": "what a run emits is published before its commit",
    "lease never renewed": "a lease is never renewed",
    "savepoint removed": "a unit that fails leaves what it wrote",
    "outbox not swept": "what a crash left is published by nobody",
    "attempt not in the message id": "every attempt knocks under one message id",
    "takeover without resume": "a run that is taken over is not gone on with",
    "conflict treated as absent": "a record that is there is written over",
    "key moves on while its head waits": "a key moves on while its head waits for its next attempt",
    "stale attempt taken": "a retry starts whenever somebody knocks",
    "zombie's late commit accepted": "what was asserted once is written whatever is there by then",
}
