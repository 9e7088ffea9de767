"""Faults in how the driver index is read, and in what is told of the drivers in it."""

from tests.sabotage.planted import Planted

INDEX, MODULES = (
    "unit/registry/test_index.py",
    "unit/registry/test_modules.py",
)
SHELF = "unit/schemas/test_shelf.py"

OF_THE_INDEX = (
    Planted(
        "an index that was changed by hand is believed",
        "registry/manifest_json.py",
        'raise _stale("it was changed by hand")',
        "return sealed",
        (INDEX, "did_not_write"),
    ),
    Planted(
        "an index of other fields is read",
        "registry/manifest_json.py",
        'if head.get("shape") != _shape():',
        "if False:",
        (INDEX, "did_not_write"),
    ),
    Planted(
        "every manifest is decoded at the start",
        "registry/stored.py",
        "self.heads = tuple(_head(raw, first) for first, _ in self._spans)",
        "self.heads = tuple(Head(each.id, each.capabilities, each.form) for each in self)",
        (INDEX, "decodes_no_manifest"),
    ),
    Planted(
        "an init file of a driver's folder is passed over",
        "registry/modules.py",
        "if Path(file).is_file():",
        "if False:",
        (MODULES, "init_file"),
    ),
    Planted(
        "definitions of one name are taken for the same",
        "schemas/shelf.py",
        "return json.dumps([name, found], sort_keys=True)",
        "return name",
        (SHELF, "differ"),
    ),
    Planted(
        "values that look like references are changed",
        "schemas/shelf.py",
        "if key in _AS_IT_IS:",
        "if False:",
        (SHELF, "looks_like"),
    ),
)
