"""Packs for tests: an installed distribution as it lies in site-packages, without an installer."""

from pathlib import Path

from tests.support.drivers import HEADER, simple_driver

ACME = {
    "acme_drivers/__init__.py": "",
    "acme_drivers/mail/__init__.py": "",
    "acme_drivers/mail/driver.py": HEADER + "from .words import ANSWER\n" + simple_driver("acme.mail", "acme.*"),
    "acme_drivers/mail/words.py": "ANSWER = 'done'\n",
    "acme_drivers/helpers/tools.py": "x = 1\n",
    "acme_drivers/desk.yml": (
        "driver: {id: acme.desk, system_prompt: Be kind to $USER., capabilities: [desk.asked]}\n"
    ),
    "acme_drivers/agents/helper.agent.md": (
        "---\nname: Helper\ndescription: Helps\nbuiltin_endpoints: true\n---\nBe brief, $USER.\n"
    ),
}
"""A pack with a driver in Python, one in YAML, an agent, and a module that is no driver."""


def install(
    site: Path,
    files: dict[str, str] = ACME,
    *,
    name: str = "Acme.Drivers",
    version: str = "1.2.0",
    points: dict[str, str] | None = None,
) -> Path:
    """Put a distribution into a folder that stands on the path, and return the folder.

    Args:
        site: The folder.
        files: What the distribution holds.
        name: Its name, as it spells it.
        version: Its version.
        points: Its entry points of the group of packs.
    """
    for file, text in files.items():
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        (site / file).write_text(text)
    about = site / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    about.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{point} = {value}" for point, value in (points or {"acme": "acme_drivers"}).items()]
    about.joinpath("entry_points.txt").write_text("\n".join(["[vextir.drivers]", *lines, ""]))
    return site
