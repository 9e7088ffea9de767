"""Faults in how the driver index is read."""

from tests.sabotage.planted import Planted

INDEX, MANY, MODULES = (
    "unit/registry/test_index.py",
    "unit/registry/test_many_drivers.py",
    "unit/registry/test_modules.py",
)

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
)
