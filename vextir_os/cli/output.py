"""Data on stdout in the form that `-o` names. JSON says what it is in `schema`; ids are never shortened.

`{"schema": "vextir.events.v1", "events": […]}`; as JSON lines each item alone: `{"schema": "vextir.event-row.v1", …}`
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vextir_os.cli.options import Format
from vextir_os.cli.screen import Line, Screen, Span, aligned
from vextir_os.cli.text import visible_json


def write_list(
    screen: Screen,
    form: Format,
    *,
    many: str,
    one: str,
    items: Sequence[Mapping[str, Any]],
    table: Sequence[Line],
    head: Sequence[str],
) -> None:
    """Write a list of items.

    Args:
        screen: Where to.
        form: In which form.
        many: Name of the list: `events`.
        one: Name of one item: `event`.
        items: The data.
        table: A row per item.
        head: Titles of the columns, shown on a terminal.
    """
    match form:
        case "table":
            screen.write(*table_lines(screen, table, head))
        case "jsonl":
            screen.write(*(visible_json({"schema": f"vextir.{one}.v1", **item}) for item in items))
        case "json" | "yaml":
            write_document(screen, form, {"schema": f"vextir.{many}.v1", many: [dict(item) for item in items]})


def write_document(screen: Screen, form: Format, document: Mapping[str, Any]) -> None:
    """Write one JSON object as JSON, as one line of JSON, or as YAML."""
    match form:
        case "yaml":
            screen.write(yaml_text(document))
        case "jsonl":
            screen.write(visible_json(document))
        case _:
            screen.write(visible_json(document, indent=2))


def table_lines(screen: Screen, rows: Sequence[Line], head: Sequence[str]) -> Iterable[str]:
    """Yield a table: columns with titles on a terminal, else one line per row with tabs between its values."""
    if not screen.terminal:
        return ("\t".join(span.text for span in row) for row in rows)
    titled = [[Span(title, "dim") for title in head], *rows] if rows else []
    return (screen.text(row) for row in aligned(titled))


def yaml_text(document: Mapping[str, Any]) -> str:
    """Return a document as YAML that prints: where some character does not, all that is not ASCII is escaped."""
    import yaml

    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000)
    if not all(line.isprintable() for line in text.split("\n")):
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=False, width=10_000)
    return text.rstrip("\n")
