"""The writes that the protocol allows to a run, as functions from run to run. Pure.

Each asserts on the very copy that will be written; a failed assertion is a `LostRunError`: drop the run, touch nothing
more of it. ETags make the write atomic and say nothing about who owns a run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from vextir_os.driverkit.manifest import Manifest, Retry
from vextir_os.errors import Kind, LostRunError
from vextir_os.runs.record import CLOCK_SKEW_S, RunDoc, State, WaitDoc, claimable

MAX_TAKEOVERS = 5
"""A run whose owners died this often is dead: a driver that kills its process never commits an attempt."""

_LEASE_MARGIN_S = 15.0
_LONG_S = 60.0
LONGEST_LEASE_S = 90.0
"""No lease ends later than this after the write that gave it."""

_OVER_S = 1.0
_BUG_ATTEMPTS = 3
_TRIED = 10
_TRIED_CHARS = 200


class Hold(NamedTuple):
    """What recognises a worker's own claim: the fence it was given and the nonce of its delivery."""

    fence: int
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an attempt failed, as it stands on the record.

    Attributes:
        kind: `transient`, `throttled`, `invalid`, `permission` or `bug`: may the same call succeed later?
        retry_after_s: The delay that the upstream named, in seconds.
        detail: `{"class", "code", "message", "kind", "traceback"}`, bounded. On the record `tried` comes beside it: of
            the last ten attempts `{"attempt", "at", "class", "code", "kind", "message", "delay_s"}`, the delay in
            seconds after it, null after the last one.
    """

    kind: Kind
    detail: Mapping[str, Any]
    retry_after_s: float | None = None


def lease_s(timeout_s: float) -> float:
    """Return the lease of a run in seconds: its time-out + 15 up to 60 s, else 90, to be renewed at a third."""
    return timeout_s + _LEASE_MARGIN_S if timeout_s <= _LONG_S else LONGEST_LEASE_S


def needs_renewal(timeout_s: float) -> bool:
    """Whether the lease is shorter than the driver's time-out, so that its owner must renew it."""
    return timeout_s > _LONG_S


def claim(run: RunDoc, *, owner: str, now: float, lease: float) -> RunDoc:
    """Return the run claimed by this owner under the next fence; dead, when its owners died too often.

    The caller has seen on this copy that the run is claimable.
    """
    takeovers = run["takeovers"] + (run["state"] == "running")
    if takeovers > MAX_TAKEOVERS:
        return _ended(
            {**run, "fence": run["fence"] + 1, "takeovers": takeovers},
            state="dead",
            now=now,
            error={
                "class": "WorkerLost",
                "code": "VX600",
                "kind": "bug",
                "message": f"the worker died {takeovers} times while it ran this driver, "
                f"at most {MAX_TAKEOVERS} are allowed",
                "tried": _tried(run),
            },
        )
    return {
        **run,
        "state": "running",
        "fence": run["fence"] + 1,
        "owner": owner,
        "lease_until": now + lease,
        "takeovers": takeovers,
        "not_before": None,
        "wait": None if run["state"] == "ready" else run["wait"],
        "started": now,
    }


def moved(run: RunDoc, manifest: Manifest) -> RunDoc:
    """Return a run that goes on with the version that is here, and says with which one it began."""
    version = run.get("version")
    after: RunDoc = {**run, "version": manifest.version, "hashes": {**run["hashes"], "code": manifest.code_hash}}
    if version is not None:
        after["began_with"] = run.get("began_with", version)
    return after


def set_aside(run: RunDoc, wait: WaitDoc, *, look_at: float) -> RunDoc:
    """Return a claimable run that may not begin now: ready, with what it waits for and when it is looked at again.

    Of a run whose owner died the fence rises, as at a claim, and the death is counted.

    Args:
        run: Claimable, on the copy that is written.
        wait: What it waits for.
        look_at: Epoch seconds.
    """
    died = run["state"] == "running"
    return {
        **run,
        "state": "ready",
        "fence": run["fence"] + died,
        "owner": None,
        "lease_until": None,
        "takeovers": run["takeovers"] + died,
        "not_before": look_at,
        "wait": {**wait},
    }


def dropped(run: RunDoc, error: Mapping[str, Any], *, now: float) -> RunDoc:
    """Return a run that is not over cancelled for this reason; its fence rises, so that nothing of it lands.

    Args:
        run: The run on the copy that is written.
        error: What stands on it.
        now: Epoch seconds.
    """
    after = _ended(run, state="cancelled", now=now, error=dict(error))
    return {**after, "fence": run["fence"] + 1, "not_before": None, "wait": None}


def leased_by(run: RunDoc, worker: str, *, now: float) -> bool:
    """Whether a delivery of this worker owns the run under a lease that is not over yet."""
    return run["state"] == "running" and (run["owner"] or "").startswith(f"{worker}.") and not claimable(run, now=now)


def lease_ended(run: RunDoc, worker: str, *, now: float) -> RunDoc:
    """Return the run claimable at once: the worker's process is gone. Fence and owner stay; the next claim raises them.

    A lease may die at any moment; were the worker alive after all, its fence would stop it. Raises `LostRunError`.
    """
    if not leased_by(run, worker, now=now):
        raise LostRunError(f"the run is {run['state']}, not under a lease of worker {worker}")
    return {**run, "lease_until": now - CLOCK_SKEW_S - _OVER_S}


def owned(run: RunDoc | None, hold: Hold) -> RunDoc:
    """Return the run when it is running under this hold. Raises `LostRunError`."""
    if run is None or run["state"] != "running" or run["fence"] != hold.fence or run["owner"] != hold.owner:
        found = "gone" if run is None else f"{run['state']} under fence {run['fence']}"
        raise LostRunError(f"the run is {found}, not running under fence {hold.fence} any more")
    return run


def renew(run: RunDoc, hold: Hold, *, now: float, lease: float) -> RunDoc:
    """Return the run with its lease counted anew from now. Raises `LostRunError`."""
    return {**owned(run, hold), "lease_until": now + lease}


def done(
    run: RunDoc, hold: Hold, *, now: float, output: Any, output_ref: str | None, decisions: list[dict[str, Any]]
) -> RunDoc:
    """Return the run committed with its output, or with the claim check of it. Raises `LostRunError`."""
    return {
        **owned(run, hold),
        "state": "done",
        "owner": None,
        "lease_until": None,
        "output": output,
        "output_ref": output_ref,
        "decisions": decisions,
        "error": None,
        "ended": now,
    }


def failed(run: RunDoc, hold: Hold, failure: Failure, retry: Retry, *, now: float, draw: float) -> RunDoc:
    """Return the run after a failed attempt: in retry with a time, or dead. Raises `LostRunError`.

    Args:
        run: The run on the copy that is written.
        hold: The caller's claim.
        failure: What went wrong.
        retry: The driver's manifest on retries.
        now: Epoch seconds.
        draw: A uniform random number in [0, 1).
    """
    run = owned(run, hold)
    attempt = run["attempt"] + 1
    delay = retry_delay_s(failure, retry, attempt=attempt, draw=draw)
    tried = {
        "attempt": attempt,
        "at": now,
        **{name: failure.detail.get(name, "") for name in ("class", "code", "kind")},
        "message": str(failure.detail.get("message", ""))[:_TRIED_CHARS],
        "delay_s": delay,
    }
    error = {**failure.detail, "tried": [*_tried(run), tried][-_TRIED:]}
    run = {**run, "attempt": attempt}
    if delay is None:
        return _ended(run, state="dead", now=now, error=error)
    return {
        **run,
        "state": "retry",
        "owner": None,
        "lease_until": None,
        "not_before": now + delay,
        "error": error,
        "ended": now,
    }


def retry_delay_s(failure: Failure, retry: Retry, *, attempt: int, draw: float) -> float | None:
    """Return the seconds until the next attempt, or None when there is none. Full jitter: uniform in [0, ceiling].

    What counts is the kind of the failure that has just happened: its rule, and all attempts of the run so far.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
    """
    if failure.kind in {"invalid", "permission"}:
        return None
    own = next((rule for kind, rule in retry.on.items() if kind == failure.kind), None)
    rule = own or retry
    allowed = min(rule.max_attempts, _BUG_ATTEMPTS) if failure.kind == "bug" and own is None else rule.max_attempts
    if attempt >= allowed:
        return None
    if failure.retry_after_s is not None:
        # The upstream knows its own limit better than we do: obeyed as it is, without jitter.
        return min(failure.retry_after_s, rule.cap_s)
    ceiling: float = min(rule.cap_s, rule.base_s * 2 ** (attempt - 1))
    return draw * ceiling


def _ended(run: RunDoc, *, state: State, now: float, error: dict[str, Any] | None) -> RunDoc:
    return {**run, "state": state, "owner": None, "lease_until": None, "error": error, "ended": now}


def _tried(run: RunDoc) -> list[dict[str, Any]]:
    tried: list[dict[str, Any]] = (run["error"] or {}).get("tried", [])
    return tried
