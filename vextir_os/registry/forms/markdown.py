"""A markdown file with YAML in front of it: both parts, with places that count from the file's first line. Pure."""

from dataclasses import dataclass

from vextir_os.errors import YamlError, YamlProblemsError
from vextir_os.yamlio import YamlDocument, decoded, load_yaml

_EDGE = "---"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One file.

    Attributes:
        front: The front matter; its value is None where it is empty.
        body: What stands below it, without blank lines around.
    """

    front: YamlDocument
    body: str


def has_front_matter(raw: bytes) -> bool:
    """Whether a file begins with the line that front matter begins with."""
    first = raw.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    return first.rstrip() == _EDGE.encode()


def read_page(raw: bytes, name: str) -> Page:
    """Read a file with front matter: its first line is `---`, and so is the line behind the YAML.

    Args:
        raw: What the file holds.
        name: How it is called in messages.

    Raises:
        YamlProblemsError: It is not UTF-8, holds characters that nobody sees, has no front matter, or that is no YAML.
    """
    try:
        text = decoded(raw, name)
        lines = text.splitlines()
        if not lines or lines[0].rstrip() != _EDGE:
            hint = "Begin the file with `---`, `name: …`, `description: …` and `---`"
            raise YamlError("the file has no front matter", hint=hint, where=f"{name}:1")
        end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == _EDGE), None)
        if end is None:
            raise YamlError("the front matter has no end", hint="Write a line `---` behind it", where=f"{name}:1")
    except YamlError as error:
        raise YamlProblemsError([error]) from error
    # An empty line in the place of the first one: so lines are counted as the file has them.
    front = load_yaml("\n".join(["", *lines[1:end]]), name)
    return Page(front=front, body="\n".join(lines[end + 1 :]).strip())
