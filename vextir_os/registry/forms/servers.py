"""`mcp.json` read: which MCP servers a project names. JSON with comments, checked against its model."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from vextir_os.errors import ManifestError, UndecodableError, VextirError, YamlProblemsError, shown
from vextir_os.events.jsonio import loads_strict
from vextir_os.registry.forms.environ import Environ, substituted_values
from vextir_os.registry.forms.files import SERVERS
from vextir_os.yamlio import YAML_BYTES, YamlDocument, load_yaml

_SERVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_TEXT_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


def read_servers(
    folder: Path, name: str, environ: Environ, problems: list[VextirError], unset: set[str]
) -> tuple[str, ...] | None:
    """Return the names of the servers that are not switched off; none where there is no file, None for a bad one.

    Args:
        folder: Where `mcp.json` is.
        name: How it is called in messages.
        environ: What stands for names of the environment.
        problems: Gets what is wrong with it.
        unset: Gets the names of the environment that it uses and that are not set.
    """
    from vextir_os.registry.forms.fitting import fit
    from vextir_os.registry.forms.mcp_model import McpFile

    path = folder / SERVERS
    if not path.is_file():
        return ()
    try:
        document = _document(path, name)
    except YamlProblemsError as error:
        problems += error.problems
        return None
    except (VextirError, OSError) as error:
        what = error.what if isinstance(error, VextirError) else f"cannot be read: {error.strerror or error}"
        problems.append(ManifestError(what, where=name))
        return None
    value = substituted_values(document.value, environ, unset)
    fitted = fit(McpFile, document, whole="the file", value=value)
    problems += fitted.problems
    if fitted.value is None:
        return None
    servers = fitted.value.all()
    problems += _name_problems(document, servers)
    return tuple(server for server, part in servers.items() if not part.disabled)


def _name_problems(document: YamlDocument, servers: Iterable[str]) -> Iterator[VextirError]:
    """Yield names that cannot stand in permissions as themselves; one that is a glob would name other servers too."""
    key = "servers" if "servers" in document.value else "mcpServers"
    for server in servers:
        if not _SERVER.fullmatch(server):
            hint = "Use letters, digits, `.`, `_` and `-`: it stands in permissions, `tool:NAME/*`"
            what = f"the name {shown(server)} of a server cannot be used"
            yield ManifestError(what, hint=hint, where=document.key_place([key, server]))


def _document(path: Path, name: str) -> YamlDocument:
    with path.open("rb") as file:
        raw = file.read(YAML_BYTES + 1)
    if len(raw) > YAML_BYTES:
        raise ManifestError(f"more than {YAML_BYTES} bytes")
    text = _TEXT_OR_COMMENT.sub(_blank, raw.decode("utf-8-sig", "replace"))
    try:
        value = loads_strict(text.encode())
    except UndecodableError as error:
        raise ManifestError(error.what) from error
    # JSON is YAML but for its tabs, so the YAML reader knows where each value stands.
    return YamlDocument(name=name, value=value, root=load_yaml(text.replace("\t", " "), name).root)


def _blank(found: re.Match[str]) -> str:
    """Leave texts alone; put blanks in the place of a comment, so that everything else stays where it is."""
    text = found[0]
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)
