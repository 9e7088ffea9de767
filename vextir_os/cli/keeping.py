"""`vextir backup`, `vextir restore`, `vextir migrate`: the data of a project in one file, and back, and up to date."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit, warn
from vextir_os.cli.options import Flag, Output, Project
from vextir_os.cli.project import settings_of

File = Annotated[Path, Parameter(help="The file.")]
Overwrite = Annotated[Flag, Parameter(help="Replace the file when it is there already.")]
Into = Annotated[Path | None, Parameter(help="The data directory; by default that of the project.", show_default=False)]
Replace = Annotated[Flag, Parameter(help="Put data that is there aside, under another name in its folder.")]
DryRun = Annotated[Flag, Parameter(help="Do it to a copy and look at the result; the data stay as they are.")]
Check = Annotated[Flag, Parameter(help="Verify the backup, and restore nothing.")]


def backup(file: File, /, *, overwrite: Overwrite = False, project: Project = None) -> int:
    """Write all data of the project into one file, while it runs. It holds no keys, and everything else in clear."""
    from vextir_os.local.keeping.backup import make_backup

    settings = settings_of(project)
    place = file.expanduser().absolute()
    manifest = make_backup(settings.data_dir, settings.tenant, place, overwrite=overwrite)
    to = screen.stderr()
    to.write(_told(manifest.counts, f"in {_size(place.stat().st_size)}"))
    to.write(f"it holds all data in clear, and no keys. Next: vextir restore {file} --check")
    screen.stdout().write(str(place))
    return Exit.DONE


def restore(
    file: File, /, *, into: Into = None, replace: Replace = False, check: Check = False, project: Project = None
) -> int:
    """Make the data of the project, or another data directory, out of a backup. The OS must not run on it."""
    from vextir_os.cli.text import visible
    from vextir_os.local.keeping.restore import check_backup, restore_backup

    place, to = file.expanduser().absolute(), screen.stderr()
    if check:
        manifest = check_backup(place)
        to.write(f"{_told(manifest.counts, 'verified')}; made {visible(manifest.made)} by {visible(manifest.version)}")
        return Exit.DONE
    if into is None:
        settings = settings_of(project)
        data_dir, tenant = settings.data_dir, settings.tenant
    else:
        data_dir, tenant = into.expanduser().absolute(), None
    done = restore_backup(place, data_dir, replace=replace)
    if tenant not in (None, done.manifest.tenant):
        warn(
            to,
            f"the backup is of tenant {done.manifest.tenant}, this project of {tenant}: it shows its own events only",
        )
    to.write(f"{_told(done.manifest.counts, 'restored')} into {data_dir}, as of {visible(done.manifest.made)}")
    if done.aside is not None:
        to.write(f"the data before is in {done.aside}")
    to.write("what was not finished then goes on with: vextir dev")
    return Exit.DONE


def migrate(*, dry_run: DryRun = False, output: Output = "table", project: Project = None) -> int:
    """Bring the database up to the schema of this release. Opening it does the same by itself."""
    from vextir_os.cli.output import write_list
    from vextir_os.cli.text import duration, visible
    from vextir_os.local.keeping.migrating import migrate_copy, migrate_data

    data_dir, hints = settings_of(project).data_dir, screen.stderr()
    found = migrate_copy(data_dir) if dry_run else migrate_data(data_dir)
    items = [
        {"version": step.version, "does": step.says, "done": not dry_run, "seconds": round(step.seconds, 3)}
        for step in found.steps
    ]
    rows = [
        [screen.Span(str(step.version)), screen.Span(step.says), screen.Span(duration(step.seconds), "dim")]
        for step in found.steps
    ]
    write_list(
        screen.stdout(),
        output,
        many="migrations",
        one="migration",
        items=items,
        table=rows,
        head=("TO", "DOES", "TOOK"),
    )
    for problem in found.problems:
        hints.write(hints.paint(f"wrong: {visible(problem)}", "error"))
    end = "tried on a copy; nothing was changed" if dry_run else "done"
    if not found.steps:
        end = f"nothing to do{'; looked at a copy' if dry_run else ''}"
    hints.write(f"schema version {found.before}: {end}")
    return Exit.FAILED if found.problems else Exit.DONE


def _told(counts: Mapping[str, int], how: str) -> str:
    from vextir_os.cli.text import counted

    parts = [counted(counts.get("events", 0), "event"), counted(counts.get("messages", 0), "message")]
    return f"{', '.join(parts)}, {counted(counts.get('blobs', 0), 'blob')}: {how}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:,.1f} KB"
