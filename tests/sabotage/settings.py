"""Planted faults in settings: where they come from, and what is shown of them. Data only."""

from tests.sabotage.planted import Planted

SOURCES = "unit/settings/test_sources.py"

OF_SETTINGS = (
    Planted(
        "the file wins over the environment",
        "settings/sources.py",
        "reading.file()\n    reading.environment(environ)",
        "reading.environment(environ)\n    reading.file()",
        (SOURCES, "environment_wins"),
    ),
    Planted(
        "an address is shown with its password",
        "settings/kinds.py",
        '"***@" if found[0].endswith("@") else "?***"',
        "found[0]",
        (SOURCES, "no_password"),
    ),
    Planted(
        "a wrong address is repeated with its password",
        "settings/sources.py",
        'told = "its value" if kind.private else _told(value)',
        "told = _told(value)",
        (SOURCES, "password"),
    ),
    Planted(
        "a file of settings that somebody else put there is read",
        "cli/root.py",
        'folder / "policies", folder / NAME) if path.exists()]',
        'folder / "policies") if path.exists()]',
        ("unit/cli/test_project.py", "somebody_else"),
    ),
)
