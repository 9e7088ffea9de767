"""What a check finds, and what it is given to look at."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from vextir_os.settings.sources import Found

DATABASE = "vextir.db"

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: Which check found it: `disk`.
        level: `problem`: the OS does not work, or is not safe. `warning`: it works, and somebody should know.
        what: What was seen.
        means: What follows from it; empty for what is well.
        advice: What to do about it, a command where there is one; empty for what is well.
    """

    check: str
    level: Level
    what: str
    means: str = ""
    advice: str = ""


class Reading(NamedTuple):
    """One moment on both clocks, in seconds."""

    wall: float
    monotonic: float


def read_clocks() -> Reading:
    """Return what both clocks say now."""
    return Reading(time.time(), time.monotonic())


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A project on a machine.

    Attributes:
        root: The project; the current folder where there is none.
        found: What the settings are, also where some are wrong.
        began: When the doctor came.
        mounts: The kernel's table of mounted file systems.
    """

    root: Path
    found: Found
    environ: Mapping[str, str]
    began: Reading = field(default_factory=read_clocks)
    mounts: Path = Path("/proc/self/mountinfo")

    @property
    def data_dir(self) -> Path:
        """The data directory; it may not be there yet."""
        path: Path = self.found.values["data_dir"]
        return path

    @property
    def database(self) -> Path:
        """The database file; it may not be there yet."""
        return self.data_dir / DATABASE


def who() -> int:
    """Return the user that the doctor runs as; 0 where the system has no numbers for them."""
    geteuid = getattr(os, "geteuid", None)
    return int(geteuid()) if geteuid is not None else 0
