"""Agents in markdown: what is refused, with its place; all problems of all files together; nothing left out."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vextir_os.registry.forms.agents import Agents, load_agents
from vextir_os.registry.forms.files import agent_files, slug_of
from vextir_os.registry.forms.triggers import REFUSED, TRIGGERS

HEAD = "name: A\ndescription: B\n"
REACHED = HEAD + "builtin_endpoints: true\n"


def agent(front: str, body: str = "Be brief.") -> str:
    return f"---\n{front}---\n{body}\n"


def load(root: Path, files: dict[str, str], **environ: str) -> Agents:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return load_agents(root, environ=environ)


def said(root: Path, front: str, **environ: str) -> list[str]:
    return [str(one) for one in load(root, {"a.agent.md": agent(front)}, **environ).problems]


@pytest.mark.parametrize(
    ("front", "problem"),
    [
        pytest.param(
            "name: 5\ndescription: B\nbuiltin_endpoints: true\n",
            "a.agent.md:2:7: `name` is a whole number, not text. Quote it",
            id="number-as-name",
        ),
        pytest.param(
            "name: A\nbuiltin_endpoints: true\n", "a.agent.md:2:1: the agent has no `description`", id="no-description"
        ),
        pytest.param(
            REACHED + "modle: gpt\n",
            "a.agent.md:5:1: unknown key `modle` in the agent. Did you mean `model`?",
            id="slip",
        ),
        pytest.param(
            HEAD + "trigger: {type: http_trigger, args: {route: a}, nam: x}\n",
            "a.agent.md:4:49: unknown key `nam` in `trigger`. The keys are: type, args",
            id="slip-inside",
        ),
        pytest.param(
            REACHED + "tools: {only: [a]}\n",
            "a.agent.md:5:9: unknown key `only` in `tools`. The keys are: exclude",
            id="no-allow-list",
        ),
        pytest.param(REACHED + "mcp: [a]\n", "a.agent.md:5:6: `mcp` is a list, not a boolean", id="bare-list"),
        pytest.param(
            REACHED + "subagents: [helper]\n",
            "a.agent.md:5:13: `subagents.0` is text, not a mapping",
            id="subagent-as-text",
        ),
        pytest.param(
            REACHED + "workflows: {enabled: 'true'}\n",
            "a.agent.md:5:22: `workflows.enabled` is text, not a boolean",
            id="switch-as-text",
        ),
        pytest.param(
            REACHED + "timeout: -5\n",
            "a.agent.md:5:10: `timeout` `-5` is no time-out. Write seconds, up to 3600",
            id="negative-timeout",
        ),
        pytest.param(
            REACHED + "timeout: 7200\n",
            "a.agent.md:5:10: `timeout` `7200` is no time-out. Write seconds, up to 3600",
            id="long-timeout",
        ),
        pytest.param(
            REACHED + "timeout: soon\n", "a.agent.md:5:10: `timeout` is text, not a number", id="timeout-as-word"
        ),
        *(
            pytest.param(
                REACHED + f"{key}: x\n",
                f"a.agent.md:5:1: unknown key `{key}` in the agent. ",
                id=key,
            )
            for key in ("instructions", "source_file", "is_main")
        ),
        pytest.param(
            REACHED + "system_tools: {web_reqest: false}\n",
            "a.agent.md:5:16: unknown key `web_reqest` in `system_tools`. Did you mean `web_request`?",
            id="slip-in-system-tools",
        ),
        pytest.param(
            HEAD + "builtin_endpoints: {http_auth: {mode: entra, entra: {tenant: x}}}\n",
            "a.agent.md:4:54: unknown key `tenant` in `builtin_endpoints.http_auth.entra`. Did you mean `tenant_id`?",
            id="deep",
        ),
        pytest.param(
            REACHED + "input_schema: {type: object}\n",
            "a.agent.md:5:15: `input_schema` is for an http_trigger alone. Remove it",
            id="schema-without-http",
        ),
        pytest.param(
            REACHED + "mcp: {exclude: [crm]}\n",
            "a.agent.md:5:17: `mcp.exclude` names `crm`, which is not there. There are none",
            id="no-such-server",
        ),
        pytest.param(
            REACHED + "subagents: [{agent: a}]\n",
            "a.agent.md:5:21: the agent `a` names itself. Name another agent",
            id="itself",
        ),
        pytest.param(
            REACHED + "subagents: [{agent: b}]\n",
            "a.agent.md:5:21: there is no agent `b`. There are: no others",
            id="nobody",
        ),
        pytest.param(
            REACHED + "description: again\n",
            "a.agent.md:5:1: the key `description` stands twice; first at a.agent.md:3:1. Keep one of them",
            id="twice",
        ),
        pytest.param("- a\n- b\n", "a.agent.md:2:1: the agent is a list, not a mapping", id="list"),
        pytest.param("just words\n", "a.agent.md:2:1: the agent is text, not a mapping", id="text"),
    ],
)  # fmt: skip
def test_what_is_refused_is_said_with_its_place(tmp_path: Path, front: str, problem: str) -> None:
    (found,) = said(tmp_path, front)
    assert found == problem if not problem.endswith(". ") else found.startswith(problem)


@pytest.mark.parametrize("kind", [*REFUSED, "my.own_trigger"])
def test_a_trigger_that_sets_off_no_agent_is_refused(tmp_path: Path, kind: str) -> None:
    (problem,) = said(tmp_path, HEAD + f"trigger: {{type: {kind}}}\n")
    assert problem.startswith(f"a.agent.md:4:17: an agent cannot be set off by `{kind}`. There are: http_trigger, ")


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        pytest.param(
            "{type: http_trigger, args: {}}", "4:37: a http_trigger needs `route`. Write `route: …`", id="route"
        ),
        pytest.param(
            "{type: queue_trigger, args: {queue: a, connection: B}}",
            "4:38: a queue_trigger needs `queue_name`. Rename `queue`",
            id="slip",
        ),
        pytest.param(
            "{type: timer_trigger, args: {schedule: '* *'}}",
            "4:49: `schedule` is no cron expression. Write five or six fields: `0 9 * * MON-FRI`",
            id="schedule",
        ),
        pytest.param(
            "{type: blob_trigger, args: {path: 5, connection: B}}",
            "4:44: `path` of a blob_trigger is no text",
            id="number",
        ),
        pytest.param(
            "{type: event_grid_trigger, args: {arg_name: e}}",
            "4:54: `arg_name` is not the author's to set. Remove it",
            id="arg-name",
        ),
        pytest.param(
            "{type: tmer_trigger, args: {}}", "4:17: unknown trigger `tmer_trigger`. Did you mean `timer_trigger`?",
            id="unknown",
        ),
    ],
)  # fmt: skip
def test_a_trigger_without_what_it_needs_is_refused(tmp_path: Path, args: str, problem: str) -> None:
    assert said(tmp_path, HEAD + f"trigger: {args}\n") == [f"a.agent.md:{problem}"]


@pytest.mark.parametrize("kind", TRIGGERS)
def test_every_trigger_has_an_event_type_of_its_own(tmp_path: Path, kind: str) -> None:
    values = {"schedule": "0 9 * * *"}
    args = ", ".join(f"{name}: '{values.get(name, 'x')}'" for name in TRIGGERS[kind].needs)
    found = load(tmp_path, {"a.agent.md": agent(HEAD + f"trigger: {{type: {kind}, args: {{{args}}}}}\n")})
    assert found.problems == []
    assert found.manifests[0].capabilities == ("agent.a", f"agent.a.{kind.removesuffix('_trigger')}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("Be brief.\n", "a.agent.md:1: the file has no front matter. ", id="none"),
        pytest.param("", "a.agent.md:1: the file has no front matter. ", id="empty"),
        pytest.param("---\nname: A\n", "a.agent.md:1: the front matter has no end. ", id="no-end"),
        pytest.param(agent(REACHED, ""), "a.agent.md: the agent has no instructions. ", id="no-body"),
        pytest.param(agent(REACHED, "a\u202eb"), "a.agent.md:6:2: the character U+202E is not allowed", id="hidden"),
        pytest.param(agent(REACHED, "x" * 1_000_000), "a.agent.md: more than 1000000 bytes", id="large"),
        pytest.param(agent(REACHED + "x: &a [*a]\n"), "a.agent.md:5:4: `&a` is an anchor", id="anchor"),
        pytest.param(agent(REACHED + "x: !!python/name:os.system\n"), "a.agent.md:5:4: the tag ", id="tag"),
    ],
)
def test_a_file_that_is_no_agent_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert str(load(tmp_path, {"a.agent.md": text}).problems[0]).startswith(problem)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.agent.md").write_bytes(b"---\nname: \xff\n---\nx\n")
    (problem,) = map(str, load_agents(tmp_path, environ={}).problems)
    assert problem.startswith("a.agent.md:2: not UTF-8: byte 10 cannot be decoded")


def test_a_file_that_cannot_be_read_is_a_problem_and_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.agent.md")
    (tmp_path / "gone.agent.md").symlink_to(tmp_path / "nowhere")
    assert load_agents(tmp_path, environ={}) == Agents()


def test_a_bare_file_without_front_matter_is_a_note_and_no_agent(tmp_path: Path) -> None:
    found = load(tmp_path, {"CLAUDE.md": "# How we write code\n"})
    assert (found.manifests, found.problems) == ([], [])
    (note,) = map(str, found.notes)
    assert note == (
        "CLAUDE.md: it has no front matter and is no agent. Begin it with `---`, `name:` and `description:` if it is "
        "to be one"
    )


def test_files_are_found_by_their_endings_in_any_case_and_no_deeper(tmp_path: Path) -> None:
    names = ["B.Agent.MD", "c.claude.md", "x.agents.md", ".hidden.agent.md", "agents/d.agent.md", "agents/AGENT.md"]
    for name in [*names, "agents/deep/e.agent.md", "other/f.agent.md", "agent.md.txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [(file.path.name, file.slug) for file in agent_files(tmp_path)] == [
        ("B.Agent.MD", "B"),
        ("c.claude.md", "c"),
        ("AGENT.md", "main"),
        ("d.agent.md", "d"),
    ]


@pytest.mark.parametrize(
    ("stem", "slug"),
    [
        ("daily-report", "daily_report"),
        ("_a_", "a"),
        ("9lives", "fn_9lives"),
        ("Größe", "Gr__e"),
        ("---", "agent_function"),
        ("a b.c", "a_b_c"),
    ],
)
def test_a_slug_is_made_of_letters_digits_and_underscores(stem: str, slug: str) -> None:
    assert slug_of(stem) == slug


@pytest.mark.parametrize(
    ("other", "how"),
    [
        pytest.param("agents/daily_report.agent.md", "is that of", id="same"),
        pytest.param("agents/Daily_Report.agent.md", "differs only in case from that of", id="case"),
    ],
)
def test_two_files_of_one_name_are_refused(tmp_path: Path, other: str, how: str) -> None:
    found = load(tmp_path, {"daily-report.agent.md": agent(REACHED), other: agent(REACHED)})
    slug = other.partition("/")[2].partition(".")[0]
    assert [str(problem) for problem in found.problems] == [
        f"{other}: the agent's name `{slug}` {how} daily-report.agent.md. Rename one of the files"
    ]


def test_all_problems_of_all_files_come_together(tmp_path: Path) -> None:
    files = {
        "a.agent.md": agent(REACHED + "modle: x\ntimeout: -1\n"),
        "b.agent.md": "no front matter\n",
        "agents.config.yaml": "timeot: 5\nsystem_tools: {web_request: true}\n",
        "mcp.json": '{"servers": {"x": {"command": "npx", "url": "https://x"}, "y": {}, "z": {"type": "sse"}}}',
        "skills/one/SKILL.md": "---\nname: Bad Name\ndescription: x\n---\nx\n",
    }
    assert [str(problem).partition(". ")[0] for problem in load(tmp_path, files).problems] == [
        "agents.config.yaml:1:1: unknown key `timeot` in the file",
        "agents.config.yaml:2:29: `system_tools.web_request` is `true`, which is not known",
        "mcp.json:1:19: `servers.x` has a `url` and a `command`",
        "mcp.json:1:64: `servers.y` has neither `url` nor `command`",
        "mcp.json:1:73: `servers.z` is of type `sse`, which MCP has given up",
        "skills/one/SKILL.md:2:7: `name` `Bad Name`: string should match pattern '^[a-z0-9]+(?:-[a-z0-9]+)*$'",
        "a.agent.md:5:1: unknown key `modle` in the agent",
        "a.agent.md:6:10: `timeout` `-1` is no time-out",
        "b.agent.md:1: the file has no front matter",
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["trigger", "builtin_endpoints", "timeout", "mcp", "skills", "tools", "subagents", "workflows", "system_tools",
     "input_schema", "metadata", "logger", "model", "name"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_values_give_an_agent_or_problems_with_places(tmp_path: Path, front: dict[str, object]) -> None:
    whole = {"name": "A", "description": "B", "builtin_endpoints": True} | front
    (tmp_path / "a.agent.md").write_text(agent(json.dumps(whole) + "\n"), encoding="utf-8", errors="surrogatepass")
    found = load_agents(tmp_path, environ={})
    assert len(found.manifests) + len(found.problems) > 0
    assert all(problem.where.startswith("a.agent.md") for problem in found.problems)
