"""Faults in how declared drivers and packs are read, and in what is said of them."""

from tests.sabotage.planted import Planted

AGENTS, AROUND, ENVIRON, YAMLS, PACKS = (
    "unit/registry/forms/test_agents.py",
    "unit/registry/forms/test_around.py",
    "unit/registry/forms/test_environ.py",
    "unit/registry/forms/test_yaml_drivers.py",
    "unit/registry/test_packs.py",
)
RUN, REACH, OUTSIDE = (
    "scenario/test_declared_agents.py",
    "unit/policy/test_reach.py",
    "unit/registry/test_outside.py",
)

OF_FORMS = (
    Planted(
        "a pack that the settings do not name runs from an old index",
        "registry/packs.py",
        'return sorted(pack for pack in held if pack.partition(" ")[0] not in allowed)',
        "return []",
        (PACKS, "not_named_any_more"),
    ),
    Planted(
        "a package in front of a pack's stands in for it",
        "registry/packs.py",
        "if not _is_editable(distribution) and folder.resolve() != own.resolve():",
        "if False:",
        (PACKS, "another_one_hides"),
    ),
    Planted(
        "agents of packs are given the environment",
        "registry/discover.py",
        "own_environ = NOTHING if home.package else environ",
        "own_environ = environ",
        (PACKS, "nothing_of_the_environment"),
    ),
    Planted(
        "a declared agent is looked for as a module",
        "registry/registry.py",
        "if manifest.agent is not None:",
        "if False:",
        (RUN, "says_why"),
    ),
    Planted(
        "what the environment holds gets into the index",
        "registry/forms/spec.py",
        'yield Delegate(part.agent, said.get("when", ""))',
        "yield Delegate(part.agent, part.when)",
        (AROUND, "gets_into_the_index"),
    ),
    Planted(
        "a message shows what the environment holds",
        "registry/forms/together.py",
        'yield _problem(draft, f"there is no agent {written}", hint, *place)',
        'yield _problem(draft, f"there is no agent {delegate.agent}", hint, *place)',
        (AROUND, "gets_into_the_index"),
    ),
    Planted(
        "the value of a variable is read for names again",
        "registry/forms/environ.py",
        "return _MARK.sub(value, text)",
        "return _MARK.sub(value, _MARK.sub(value, text))",
        (ENVIRON, "never_read_for_names or one_pass"),
    ),
    Planted(
        "two agents whose names differ only in case share one place",
        "registry/forms/together.py",
        "other = first.setdefault(draft.slug.lower(), draft)",
        "other = first.setdefault(draft.slug, draft)",
        (AGENTS, "two_files_of_one_name"),
    ),
    Planted(
        "an agent that nothing reaches is taken",
        "registry/forms/together.py",
        "problems += _lonely(draft, named)",
        "pass",
        ("unit/registry/forms/test_samples.py", "nobody_names"),
    ),
    Planted(
        "a changed agent leaves the index fresh",
        "registry/sources.py",
        "agents = [file.path for file in agent_files(root)]",
        "agents = list[Path]()",
        (YAMLS, "stale_too"),
    ),
    Planted(
        "an allow that a denial of its priority beats counts",
        "policy/reach.py",
        "and rule.policy.priority > denied_from",
        "and rule.policy.priority >= denied_from",
        (REACH, "no_policy_can_allow"),
    ),
    Planted(
        "a module under another name is not seen",
        "registry/outside.py",
        "self._modules[one.asname or top] = one.name if one.asname else top",
        "self._modules[top] = top",
        (OUTSIDE, "every_form or environment_is_found"),
    ),
)
