"""Planted faults in conditions and what they decide: an escape, a bound that is gone, a grant by mistake. Data only."""

from tests.sabotage.planted import Planted

REFUSALS, BOUNDS = "unit/policy/conditions/test_refusals.py", "unit/policy/conditions/test_bounds.py"
LANGUAGE, DATA = "unit/policy/conditions/test_language.py", "unit/policy/conditions/test_data.py"
AUDIT, BINDING = "unit/policy/conditions/test_audit.py", "unit/policy/test_conditions_in_policies.py"

OF_CONDITIONS = (
    Planted(
        "a field may begin with an underscore",
        "policy/conditions/check.py",
        'if node.attr.startswith("_") or not node.attr.isascii():',
        "if not node.attr.isascii():",
        (REFUSALS, "none_of_a_family"),
    ),
    Planted(
        "a text can be formatted",
        "policy/conditions/vocabulary.py",
        '    "split": (0, 2),\n',
        '    "split": (0, 2),\n    "format": (0, 9),\n',
        (REFUSALS, "none_of_a_family"),
    ),
    Planted(
        "letters that look like others stand outside of texts",
        "policy/conditions/source.py",
        "        if not char.isascii():",
        "        if False:",
        (REFUSALS, "none_of_a_family"),
    ),
    Planted(
        "compiled code is not looked at",
        "policy/conditions/audit.py",
        "            if instruction.opname not in _INSTRUCTIONS:",
        "            if False:",
        (AUDIT, "never_holds or errs"),
    ),
    Planted(
        "compiled code calls whatever it names",
        "policy/conditions/audit.py",
        "    if found - allowed:",
        "    if False:",
        (AUDIT, "never_holds"),
    ),
    Planted(
        "loops cost nothing",
        "policy/conditions/operations.py",
        "    whole = len(value) * cost",
        "    whole = 0",
        (BOUNDS, "counted_over_all"),
    ),
    Planted(
        "patterns cost nothing",
        "policy/conditions/functions.py",
        '    state.spend(1 + len(_text("matches", text)) * size // _PATTERN_WORK)',
        '    _text("matches", text)',
        (BOUNDS, "heavy_work and half and 500"),
    ),
    Planted(
        "data of any class passes the gate",
        "policy/conditions/gate.py",
        "    elif kind is not float:\n",
        "    elif False:\n",
        (DATA, "no_plain_data"),
    ),
    Planted(
        "a cycle passes the gate",
        "policy/conditions/gate.py",
        '    raise _BadData(f"more than {DATA_DEPTH} levels")',
        "    return",
        (DATA, "no_plain_data"),
    ),
    Planted(
        "all over nothing is true",
        "policy/conditions/functions.py",
        "        return all(begin())\n    except AbsentLoop:\n        return False",
        "        return all(begin())\n    except AbsentLoop:\n        return True",
        (LANGUAGE, "any_and_all_over"),
    ),
    Planted(
        "a missing field is not noted",
        "policy/conditions/state.py",
        "        self.missing = True\n        return MISSING",
        "        return MISSING",
        (LANGUAGE, "nothing_is_granted"),
    ),
    Planted(
        "an allow rests on what is not there",
        "policy/rule.py",
        ' and not (state.missing and self.policy.effect == "allow")',
        "",
        (BINDING, "no_allow_rests"),
    ),
    Planted(
        "a condition that cannot be answered holds for an allow too",
        "policy/engine.py",
        '                if rule.policy.effect != "allow":',
        "                if True:",
        (BINDING, "cannot_be_answered"),
    ),
    Planted(
        "a denial whose condition cannot be answered is passed over",
        "policy/engine.py",
        '                if rule.policy.effect != "allow":',
        "                if False:",
        (BINDING, "cannot_be_answered"),
    ),
    Planted(
        "conditions see what a driver made of its event",
        "processor/attempt.py",
        '            event=lambda: decode_one(jsonio.dumps(record["event"])),',
        "            event=lambda: event,",
        ("scenario/test_conditions.py", "they_emit_are_asked"),
    ),
)
