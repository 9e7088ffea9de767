"""Planted faults in the doctor: what it would change, tell or pass over. Data only."""

from tests.sabotage.planted import Planted

CHECKS, DATA, FILES = "unit/cli/doctor/test_checks.py", "unit/cli/doctor/test_data.py", "unit/cli/doctor/test_files.py"

OF_THE_DOCTOR = (
    Planted(
        "the doctor leaves a log beside a database that nobody has open",
        "adapters/sqlite/looking.py",
        "'mode=ro' if log.exists() else 'immutable=1'",
        "'mode=ro'",
        (DATA, "without_changing_a_byte"),
    ),
    Planted(
        "the doctor tells what it found with its secrets",
        "cli/doctor/checks.py",
        "return clean_text(",
        "return str(",
        (CHECKS, "no_finding_holds_a_secret"),
    ),
    Planted(
        "a check that fails ends the doctor's visit",
        "cli/doctor/checks.py",
        "found.append(_failed(name, error))",
        "pass",
        (CHECKS, "check_that_fails"),
    ),
    Planted(
        "a worker that lives counts as gone",
        "local/presence.py",
        'return "alive"',
        'return "gone"',
        (DATA, "nobody_works_on"),
    ),
    Planted(
        "a database that others can read is well",
        "cli/doctor/files.py",
        "if path.exists() and path.stat().st_mode & _OTHERS_ANY:",
        "if False:",
        (FILES, "others_can_read"),
    ),
)
