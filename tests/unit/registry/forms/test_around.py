"""What stands beside agents, configuration, servers, skills, tools, environment, and what of it goes where."""

import json
from pathlib import Path

import pytest

from tests.unit.registry.forms.test_agents import HEAD, REACHED, agent, load, said
from vextir_os.registry.forms.agents import load_agents
from vextir_os.registry.manifest_json import manifest_json


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("[]", "mcp.json:1:1: the file is a list, not a mapping", id="list"),
        pytest.param("{", "mcp.json: not JSON: ", id="cut"),
        pytest.param("{}", "mcp.json:1:1: the file has no `servers`. Keep `servers`", id="none"),
        pytest.param(
            '{"servers": {}, "mcpServers": {}}',
            "mcp.json:1:1: the file has both `servers` and `mcpServers`. Keep `servers`",
            id="both",
        ),
        pytest.param(
            '{"servers": {}, "servers": {}}', "mcp.json: not JSON for us: the key 'servers' stands", id="twice"
        ),
    ],
)
def test_servers_that_cannot_be_read_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = map(str, load(tmp_path, {"mcp.json": text, "a.agent.md": agent(REACHED)}).problems)
    assert found.startswith(problem)


def test_servers_of_other_runtimes_are_read(tmp_path: Path) -> None:
    text = """{
      /* as others write it */
      "mcpServers": {
        "files": {"command": "npx", "args": ["-y", "server // not a comment"], "env": {"TOKEN": "${secret:T}"}},
        "off": {"url": "https://x", "disabled": true}, // not now
        "web": {"url": "https://web"}
      }
    }"""
    found = load(tmp_path, {"mcp.json": text, "a.agent.md": agent(REACHED)})
    assert found.problems == []
    (manifest,) = found.manifests
    assert manifest.agent is not None
    assert manifest.agent.mcp == ("files", "web")
    assert {"tool:files/*", "tool:web/*"} <= set(manifest.permissions)


def test_skills_and_tools_are_listed_and_names_that_none_has_are_noted(tmp_path: Path) -> None:
    files = {
        "skills/a/SKILL.md": "---\nname: sums\ndescription: x\nlicense: none\n---\nx\n",
        "skills/b/SKILL.md": "---\nname: sums\ndescription: x\n---\nx\n",
        "tools/calc.py": "raise SystemExit",
        "a.agent.md": agent(REACHED + "skills: {exclude: [sum]}\ntools: {exclude: [cal]}\n"),
    }
    found = load(tmp_path, files)
    assert [str(one) for one in found.problems] == [
        "skills/b/SKILL.md: skill `sums` stands also at skills/a/SKILL.md. Give one of them another name"
    ]
    assert [str(one) for one in found.notes] == [
        "a.agent.md:5:20: `skills.exclude` names `sum`, which is not there. Did you mean `sums`?",
        "a.agent.md:6:19: `tools.exclude` names `cal`, which is not there. Did you mean `calc`?",
    ]


def test_the_configuration_counts_where_the_agent_says_nothing(tmp_path: Path) -> None:
    files = {
        "agents.config.yaml": (
            "model: gpt\ntimeout: '60'\ntools: {exclude: [rm]}\nhttp_auth: admin\n"
            "system_tools: {web_request: {allowed_hosts: [api.example.com]}}\n"
        ),
        "a.agent.md": agent(REACHED),
        "b.agent.md": agent(REACHED + "model: own\ntimeout: 5\ntools: false\n"),
    }
    found = load(tmp_path, files)
    assert found.problems == []
    first, second = found.manifests
    assert first.agent is not None
    assert second.agent is not None
    assert (first.agent.model, first.timeout_s, first.agent.http_auth) == ("gpt", 60.0, {"mode": "admin"})
    assert first.permissions == ("model:chat/gpt", "tool:project/*", "http:api.example.com")
    assert (second.agent.model, second.timeout_s, second.agent.tools) == ("own", 5.0, ())
    assert second.permissions == ("model:chat/own",)


def test_the_environment_has_the_last_word_on_the_time_out(tmp_path: Path) -> None:
    files = {"a.agent.md": agent(REACHED)}
    found = load(tmp_path, files, AZURE_FUNCTIONS_AGENTS_TIMEOUT_SECONDS="77")
    assert found.manifests[0].timeout_s == 77.0


def test_names_that_are_not_set_are_noted_once_for_each_file(tmp_path: Path) -> None:
    text = agent(REACHED + "model: $MODEL\n", "For $WHOM, by %WHOM%, not ${WHOM}.\n```\n$INSIDE\n```")
    found = load(tmp_path, {"a.agent.md": text})
    (note,) = map(str, found.notes)
    assert note == (
        "a.agent.md: not set in this environment, so it stays as it is written: `MODEL`, `WHOM`. "
        "Set it, or double the sign to mean the text"
    )


def test_a_message_shows_what_is_written_and_not_the_value_of_the_environment(tmp_path: Path) -> None:
    assert said(tmp_path, REACHED + "timeout: $SECRET\n", SECRET="s3cret") == [
        "a.agent.md:5:10: `timeout` is text, not a number"
    ]
    assert "s3cret" not in str(said(tmp_path, REACHED + "subagents: [{agent: $SECRET}]\n", SECRET="s3cret"))


FULL = """\
trigger: {type: http_trigger, args: {route: $S, http_auth: {mode: entra, entra: {tenant_id: $S}}}}
builtin_endpoints: {chat_api: true, http_auth: {mode: entra, entra: {allowed_audiences: [$S]}}}
model: $S
subagents: [{agent: b, when: $S}]
workflows: {enabled: true, exclude: [$S], subagents: [{agent: b, when: $S}]}
tools: {exclude: [$S]}
skills: {exclude: [$S]}
input_schema: {type: $S}
response_schema: {type: $S}
response_example: $S
metadata: {a: [$S]}
"""


def test_no_value_of_the_environment_gets_into_the_index_or_a_message(tmp_path: Path) -> None:
    files = {
        "agent.md": agent("name: $S\ndescription: $S\n" + FULL, "Say $S."),
        "b.agent.md": agent(HEAD + "mcp: {exclude: [$S]}\n"),
        "c.agent.md": agent(HEAD + "trigger: {type: $S}\n"),
        "d.agent.md": agent(REACHED + "subagents: [{agent: $S}, {agent: $S}]\n"),
        "e.agent.md": agent(REACHED + "timeout: $S\nlogger: $S\nmcp: {exclude: $S}\n"),
        "agents.config.yaml": "model: $S\ntools: {exclude: [$S]}\nhttp_auth: {mode: entra, entra: {tenant_id: $S}}\n"
        "system_tools: {web_request: {allowed_hosts: [$S]}}\n",
        "mcp.json": '{"servers": {"x": {"url": "https://$S", "headers": {"Authorization": "$S"}}}}',
    }
    found = load(tmp_path, files, S="s3cret")
    assert "s3cret" not in " ".join(map(str, [*found.problems, *found.notes]))
    assert {problem.where[0] for problem in found.problems} == set("bcde")
    for name in ("c.agent.md", "d.agent.md", "e.agent.md"):
        (tmp_path / name).unlink()
    (tmp_path / "b.agent.md").write_text(agent(HEAD))
    clean = load_agents(tmp_path, environ={"S": "s3cret"})
    assert clean.problems == []
    assert "s3cret" not in json.dumps([manifest_json(manifest) for manifest in clean.manifests])


def test_names_that_are_not_set_are_noted_where_they_stand(tmp_path: Path) -> None:
    files = {
        "agents.config.yaml": "model: $MODEL\n",
        "mcp.json": '{"servers": {"x": {"url": "https://%HOST%"}}}',
        "a.agent.md": agent(REACHED),
    }
    assert [str(note).partition(". ")[0] for note in load(tmp_path, files).notes] == [
        "agents.config.yaml: not set in this environment, so it stays as it is written: `MODEL`",
        "mcp.json: not set in this environment, so it stays as it is written: `HOST`",
    ]


@pytest.mark.parametrize("name", ["*", "git*", "my server", "a/b", "", "-x", "caf\u00e9", "x" * 65])
def test_a_server_whose_name_would_mean_others_in_a_permission_is_refused(tmp_path: Path, name: str) -> None:
    files = {"mcp.json": json.dumps({"servers": {name: {"url": "https://x"}}}), "a.agent.md": agent(REACHED)}
    (problem,) = load(tmp_path, files).problems
    assert problem.where == "mcp.json:1:14"
    assert problem.what.endswith("` of a server cannot be used")
    assert problem.hint == "Use letters, digits, `.`, `_` and `-`: it stands in permissions, `tool:NAME/*`"


@pytest.mark.parametrize("host", ["*.example.com", "**", "https://example.com"])
def test_hosts_that_an_agent_may_reach_are_exact_names(tmp_path: Path, host: str) -> None:
    config = f"system_tools: {{web_request: {{allowed_hosts: ['{host}']}}}}\n"
    (problem,) = load(tmp_path, {"agents.config.yaml": config, "a.agent.md": agent(REACHED)}).problems
    assert str(problem) == (
        "agents.config.yaml:1:45: `system_tools.web_request.allowed_hosts` are no exact names of hosts. "
        "Write each host: api.example.com"
    )
