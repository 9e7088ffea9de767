"""Policy files in, one checked bundle out, or all problems of all files together. Reads files; decides nothing."""

from pathlib import Path
from typing import NamedTuple

from vextir_os.errors import PolicyFileError, PolicyProblemsError, VextirError, YamlProblemsError
from vextir_os.policy.cases import Case
from vextir_os.policy.model import Bundle, Policy
from vextir_os.policy.reader import read_policies
from vextir_os.yamlio import YAML_BYTES, load_yaml

SUFFIX = ".yaml"

_SUFFIXES = (SUFFIX, ".yml")


def load_policies(folder: Path) -> Bundle:
    """Load all `*.yaml` files of a folder, by name; a folder that is missing or holds none gives an empty bundle.

    An empty bundle denies everything; whoever serves with it should say so. Hidden files are passed over.

    Raises:
        PolicyProblemsError: All problems of all files, each with `file:line:column`. A file that looks like
            policies but would not be read (`.yml`, a subfolder) is a problem too: a denial in it would be missing.
    """
    return load_files(folder).bundle


class Loaded(NamedTuple):
    """What the files of a folder say."""

    bundle: Bundle
    tests: tuple[Case, ...]


def load_files(folder: Path) -> Loaded:
    """Load a folder as `load_policies` does, with the tests that stand beside the policies. Raises as it does."""
    problems: list[VextirError] = []
    found: list[Policy] = []
    tests: list[Case] = []
    development = False
    for path in _files(folder, problems):
        name = f"{folder.name}/{path.name}" if folder.name else path.name
        try:
            document = load_yaml(_read(path), name)
        except YamlProblemsError as error:
            problems.extend(error.problems)
            continue
        except OSError as error:
            problems.append(PolicyFileError(f"cannot be read: {error.strerror or error}", where=name))
            continue
        part = read_policies(document)
        problems.extend(part.problems)
        found.extend(part.policies)
        tests.extend(part.tests)
        development = development or part.development
    problems.extend(_repeated(found))
    if problems:
        raise PolicyProblemsError(problems)
    return Loaded(Bundle(policies=tuple(found), development=development), tuple(tests))


def _files(folder: Path, problems: list[VextirError]) -> list[Path]:
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(PolicyFileError(f"no folder of policies: {error.strerror or error}", where=str(folder)))
        return []
    files = []
    for path in entries:
        name = f"{folder.name}/{path.name}" if folder.name else path.name
        if path.is_dir():
            if any(file.suffix.lower() in _SUFFIXES for file in path.rglob("*")):
                hint = "Move the files one folder up"
                problems.append(
                    PolicyFileError("policies in a folder inside this one are not read", hint=hint, where=name)
                )
        elif path.suffix == SUFFIX and path.exists() and not path.is_file():
            # Reading a pipe, or a device, may never end.
            problems.append(PolicyFileError("is no file", hint="Remove it", where=name))
        elif path.suffix == SUFFIX:
            files.append(path)
        elif path.suffix.lower() in _SUFFIXES:
            hint = f"Rename it to {path.stem}{SUFFIX}"
            problems.append(PolicyFileError(f"only files named *{SUFFIX} are read", hint=hint, where=name))
    return files


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        # One byte more than is allowed says that the file is too large, and no file can fill the memory.
        return file.read(YAML_BYTES + 1)


def _repeated(policies: list[Policy]) -> list[VextirError]:
    first: dict[str, str] = {}
    problems: list[VextirError] = []
    for policy in policies:
        if policy.id in first:
            problems.append(
                PolicyFileError(
                    f"policy id `{policy.id}` stands also at {first[policy.id]}",
                    hint="Give one of them another id",
                    where=policy.origin,
                )
            )
        first.setdefault(policy.id, policy.origin)
    return problems
