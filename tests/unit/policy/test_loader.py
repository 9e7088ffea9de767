"""Policy files: what they may say, and every problem with its place."""

import os
from pathlib import Path

import pytest

from vextir_os.errors import PolicyProblemsError
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.loader import load_policies
from vextir_os.policy.model import Bundle, Match, Policy

GOOD = """\
# who may send
policies:
  - id: support-sends
    description: >
      Support
      writes mail.
    priority: 200
    effect: allow
    match: {action: tool:mail/send, event: "email.*", users: ["role:support"], drivers: ["agent:*"]}
  - id: nobody-deletes
    effect: deny
    match:
      action: [tool:mail/delete, "tool:mail/purge*"]
      tenants: acme
    reason: Mail is kept.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(PolicyProblemsError) as caught:
        load_policies(folder)
    return [str(problem) for problem in caught.value.problems]


def problems_of(folder: Path, text: str | bytes) -> list[str]:
    (folder / "a.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    return problems(folder)


def one(rest: str) -> str:
    """A file of one policy that is right but for what is given."""
    return f"policies:\n- id: a\n  effect: deny\n{rest}"


def test_a_file_becomes_policies_with_their_places(folder: Path) -> None:
    (folder / "mail.yaml").write_text(GOOD)
    assert load_policies(folder) == Bundle(
        policies=(
            Policy(
                id="support-sends",
                description="Support writes mail.",
                priority=200,
                effect="allow",
                match=Match(
                    action=("tool:mail/send",), event=("email.*",), users=("role:support",), drivers=("agent:*",)
                ),
                origin="policies/mail.yaml:3",
            ),
            Policy(
                id="nobody-deletes",
                effect="deny",
                match=Match(action=("tool:mail/delete", "tool:mail/purge*"), tenants=("acme",)),
                reason="Mail is kept.",
                origin="policies/mail.yaml:10",
            ),
        )
    )


def test_files_are_read_in_the_order_of_their_names(folder: Path) -> None:
    for name in ("b", "a", "c"):
        (folder / f"{name}.yaml").write_text(f"policies: [{{id: {name}, effect: deny, match: {{action: 'tool:**'}}}}]")
    assert [policy.id for policy in load_policies(folder).policies] == ["a", "b", "c"]


@pytest.mark.parametrize("content", [None, "", "# nothing yet\n", "policies: []\n"], ids=repr)
def test_without_policies_the_bundle_is_empty(folder: Path, content: str | None) -> None:
    if content is not None:
        (folder / "a.yaml").write_text(content)
    assert load_policies(folder) == Bundle()


def test_a_folder_that_is_missing_is_an_empty_bundle(tmp_path: Path) -> None:
    assert load_policies(tmp_path / "nowhere") == Bundle()


def test_hidden_files_and_other_kinds_of_files_are_passed_over(folder: Path) -> None:
    for name in (".a.yaml", "README.md", ".#a.yaml"):
        (folder / name).write_text("policies: {")
    assert load_policies(folder) == Bundle()


def test_one_file_for_development_makes_the_bundle_one(folder: Path) -> None:
    (folder / "a.yaml").write_text("development: true")
    (folder / "b.yaml").write_text("development: false")
    assert load_policies(folder).development is True


POLICY_KEYS = "The keys are: id, description, priority, effect, match, when, mode, reason"
SHOWN = "It is shown to people, in terminals too"
TAG = "the tag `!!python/object/apply:os.system` is not read here. Remove it; quotes make a value text"
YES = "`yes` is a boolean in YAML 1.1 and text in YAML 1.2. Quote it to mean text, or write true"
NO_HOST = (
    "`http:*evil.com` is no action: `*` stands for a whole part of a host, not as `*evil`. "
    "Write `http:api.example.com`, `http:*.example.com` or `http:**`"
)
NO_PATTERN = (
    "pattern 'Mail.*' is not a dotted lower-case type with `*` or `**` for whole segments. "
    "Write `github.issue.*` for one more segment, `github.**` for any number"
)
MATCH = "  match: {action: 'tool:**'}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[]", "policies/a.yaml:1:1: a policy file is a list, not a mapping"),
        ("policys: []", "policies/a.yaml:1:1: unknown key `policys` in a policy file. Did you mean `policies`?"),
        ("x: 1", "policies/a.yaml:1:1: unknown key `x` in a policy file. The keys are: policies, tests, development"),
        ("policies:", "policies/a.yaml:1:10: `policies` is empty, not a list"),
        ("policies: [a]", "policies/a.yaml:1:12: a policy is text, not a mapping"),
        ('development: "true"', "policies/a.yaml:1:14: `development` is text, not a boolean"),
        (one(""), "policies/a.yaml:2:3: the policy has no `match`"),
        (f"policies:\n- id: a\n{MATCH}", "policies/a.yaml:2:3: the policy has no `effect`"),
        (f"policies:\n- effect: deny\n{MATCH}", "policies/a.yaml:2:3: the policy has no `id`"),
        (one("  match: {event: '**'}"), "policies/a.yaml:4:10: `match` has no `action`"),
        (one("  match: tool:**"), "policies/a.yaml:4:10: `match` is text, not a mapping"),
        (
            one(f"{MATCH}  reson: x"),
            "policies/a.yaml:5:3: unknown key `reson` in a policy. Did you mean `reason`?",
        ),
        (
            one(f"{MATCH}  zzz: 'true'"),
            f"policies/a.yaml:5:3: unknown key `zzz` in a policy. {POLICY_KEYS}",
        ),
        (
            one("  match: {action: 'tool:**', user: ann}"),
            "policies/a.yaml:4:30: unknown key `user` in `match`. Did you mean `users`?",
        ),
        (one(f"{MATCH}  priority: 1001"),
         "policies/a.yaml:5:13: priority 1001 is not a whole number from 0 to 1000. The highest priority decides"),
        (one(f"{MATCH}  priority: -1"),
         "policies/a.yaml:5:13: priority -1 is not a whole number from 0 to 1000. The highest priority decides"),
        (one(f"{MATCH}  priority: true"), "policies/a.yaml:5:13: `priority` is a boolean, not a whole number"),
        (one(f"{MATCH}  priority: 1.5"), "policies/a.yaml:5:13: `priority` is a fraction, not a whole number"),
        (one(f"{MATCH}  reason: 7"), "policies/a.yaml:5:11: `reason` is a whole number, not text. Quote it"),
        (
            one(f'{MATCH}  reason: "\\e[31mred"'),
            f"policies/a.yaml:5:11: `reason` is not printable text of at most 1000 characters. {SHOWN}",
        ),
        (
            one("  match: {action: tol:mail/send}"),
            "policies/a.yaml:4:19: unknown verb `tol` in `tol:mail/send`. Did you mean `tool`?",
        ),
        (
            one("  match:\n    action:\n    - tool:**\n    - http:*evil.com"),
            f"policies/a.yaml:7:7: {NO_HOST}",
        ),
        (
            one("  match: {action: 'tool:**', event: Mail.*}"),
            f"policies/a.yaml:4:37: {NO_PATTERN}",
        ),
        (
            one("  match: {action: 'tool:**', users: ['rol:x']}"),
            "policies/a.yaml:4:38: unknown kind `rol` in user `rol:x`. Did you mean `role`?",
        ),
        (one("  match: {action: 'tool:**', users: [12]}"),
         "policies/a.yaml:4:38: `users` is a whole number, not text. Quote it"),
        (one("  match: {action: 'tool:**', users: [yes]}"),
         f"policies/a.yaml:4:38: {YES}"),
        (one("  match: {action: 'tool:**', users: []}"),
         "policies/a.yaml:4:37: `users` is an empty list, which matches nothing. Leave the key out to match all"),
        (one("  match: {action: []}"),
         "policies/a.yaml:4:19: `action` is an empty list, which matches nothing. Name at least one action"),
        (b"policies: \xff", "policies/a.yaml:1: not UTF-8: byte 10 cannot be decoded. Save the file as UTF-8"),
        ("policies: !!python/object/apply:os.system [id]",
         f"policies/a.yaml:1:11: {TAG}"),
        ("#" * 1_000_001, "policies/a.yaml: more than 1000000 bytes of YAML. Split the file"),
    ],
)  # fmt: skip
def test_a_problem_is_named_with_place_and_remedy(folder: Path, text: str | bytes, found: str) -> None:
    assert problems_of(folder, text) == [found]


@pytest.mark.parametrize(
    ("effect", "hint"),
    [("Deny", "Did you mean `deny`?"), ("alow", "Did you mean `allow`?"), ("audit", "The effects are: allow, deny")],
)
def test_an_unknown_effect_is_answered_with_the_known_ones(folder: Path, effect: str, hint: str) -> None:
    text = f"policies: [{{id: a, effect: {effect}, match: {{action: 'tool:**'}}}}]"
    assert problems_of(folder, text) == [f"policies/a.yaml:1:28: unknown effect `{effect}`. {hint}"]


@pytest.mark.parametrize("policy_id", ["A", "a b", "-a", "", "a" * 81], ids=repr)
def test_a_policy_id_is_a_lower_case_name(folder: Path, policy_id: str) -> None:
    text = f"policies: [{{effect: deny, match: {{action: 'tool:**'}}, id: '{policy_id}'}}]"
    [problem] = problems_of(folder, text)
    assert problem.endswith("is no lower-case name. Use 1 to 80 characters a-z 0-9 . _ -")


def test_all_problems_of_all_files_are_reported_together(folder: Path) -> None:
    (folder / "a.yaml").write_text(one("  match: {action: tol:a/b}\n- id: b\n"))
    (folder / "b.yaml").write_text("a: 1\na: 2\n")
    (folder / "c.yml").write_text(GOOD)
    with pytest.raises(PolicyProblemsError) as caught:
        load_policies(folder)
    assert str(caught.value) == (
        "5 problems found:\n"
        "  policies/c.yml: only files named *.yaml are read. Rename it to c.yaml\n"
        "  policies/a.yaml:4:19: unknown verb `tol` in `tol:a/b`. Did you mean `tool`?\n"
        "  policies/a.yaml:5:3: the policy has no `effect`\n"
        "  policies/a.yaml:5:3: the policy has no `match`\n"
        "  policies/b.yaml:2:1: the key `a` stands twice; first at policies/b.yaml:1:1. Keep one of them"
    )


def test_an_id_that_two_files_use_is_refused(folder: Path) -> None:
    (folder / "a.yaml").write_text(one(MATCH))
    (folder / "b.yaml").write_text(one(MATCH))
    assert problems(folder) == [
        "policies/b.yaml:2: policy id `a` stands also at policies/a.yaml:2. Give one of them another id"
    ]


def test_policies_in_a_folder_inside_are_not_passed_over_in_silence(folder: Path) -> None:
    (folder / "team").mkdir()
    assert load_policies(folder) == Bundle()
    (folder / "team" / "a.yaml").write_text(GOOD)
    assert problems(folder) == [
        "policies/team: policies in a folder inside this one are not read. Move the files one folder up"
    ]


@pytest.mark.parametrize("name", ["deny.yml", "DENY.YAML", "deeper/deny.yaml"])
def test_no_spelling_hides_a_denial_in_a_folder_inside(folder: Path, name: str) -> None:
    (folder / "a.yaml").write_text(GOOD)
    (folder / "team" / name).parent.mkdir(parents=True)
    (folder / "team" / name).write_text(GOOD)
    assert problems(folder) == [
        "policies/team: policies in a folder inside this one are not read. Move the files one folder up"
    ]


def test_a_pipe_among_the_policies_is_a_problem_and_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "a.yaml")
    assert problems(folder) == ["policies/a.yaml: is no file. Remove it"]


def test_a_file_in_the_place_of_the_folder_is_a_problem(folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD)
    assert problems(folder / "a.yaml") == [f"{folder / 'a.yaml'}: no folder of policies: Not a directory"]


def test_a_file_that_cannot_be_opened_is_a_problem(folder: Path) -> None:
    (folder / "a.yaml").symlink_to(folder / "gone.yaml")
    assert problems(folder) == ["policies/a.yaml: cannot be read: No such file or directory"]


def test_the_hash_does_not_change_with_files_order_and_comments(folder: Path, tmp_path: Path) -> None:
    (folder / "mail.yaml").write_text(GOOD)
    first, second = GOOD.split("policies:\n")[1].split("  - id: nobody", 1)
    other = tmp_path / "other"
    other.mkdir()
    (other / "1.yaml").write_text("# moved\npolicies:\n  - id: nobody" + second)
    (other / "2.yaml").write_text("policies:\n" + first)
    assert load_policies(other).hash == load_policies(folder).hash
    assert load_policies(folder).hash.startswith("sha256:")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tool:mail/send", "tool:mail/sent"),
        ("priority: 200", "priority: 201"),
        ("effect: deny", "effect: allow"),
        ("tenants: acme", "tenants: acne"),
        ("Mail is kept", "Mail is held"),
        ("nobody-deletes", "none-deletes"),
        ("# who", "development: true # who"),
    ],
)
def test_the_hash_changes_with_whatever_a_policy_says(folder: Path, old: str, new: str) -> None:
    (folder / "mail.yaml").write_text(GOOD)
    before = load_policies(folder).hash
    (folder / "mail.yaml").write_text(GOOD.replace(old, new, 1))
    assert load_policies(folder).hash != before


def test_the_policies_that_come_along_load_and_are_marked_as_development() -> None:
    bundle = load_policies(Path(__file__).parents[3] / "policies")
    assert bundle.development is True
    assert PolicyEngine(bundle).bundle is bundle
