"""The three samples of the format page, loaded together, and what is refused of them."""

from pathlib import Path

from vextir_os.registry.forms.agents import Agents, load_agents
from vextir_os.registry.forms.environ import substituted_body
from vextir_os.registry.manifest_json import Index, encode_index
from vextir_os.registry.sources import source_hashes

TRIAGE = """\
---
name: Triage
description: Sorts incoming tickets
trigger: {type: service_bus_queue_trigger, args: {queue_name: tickets, connection: SERVICEBUS_CONNECTION}}
mcp: {exclude: [crm]}
tools: {exclude: [delete_ticket]}
timeout: "120"
---

Region: $REGION

```sh
echo $REGION
```
"""
HELPER = """\
---
name: Helper
description: Answers billing questions
---
Be brief.
"""
DESK = """\
---
name: Front desk
description: Talks to customers
trigger: {type: http_trigger, args: {route: desk, http_auth: entra}}
subagents: [{agent: fn_9lives_helper, when: Money questions}]
response_schema: {type: object, required: [answer], properties: {answer: {type: string}}}
---
Be kind.
"""
SERVERS = """\
{
\t// whom the desk may ask
\t"servers": {
\t\t"crm": {"url": "https://crm.example.com/mcp"},
\t\t"wiki": {"type": "http", "url": "https://wiki.example.com/mcp", "headers": {"x": "a//b"}}
\t}
}
"""


def samples(root: Path) -> None:
    (root / "agents").mkdir()
    (root / "tools").mkdir()
    (root / "triage.agent.md").write_text(TRIAGE)
    (root / "agents/9lives-helper.claude.md").write_text(HELPER)
    (root / "CLAUDE.md").write_text(DESK)
    (root / "mcp.json").write_text(SERVERS)
    (root / "tools/delete_ticket.py").write_text("raise SystemExit('listed, never imported')")


def load(root: Path, **environ: str) -> Agents:
    return load_agents(root, environ=environ)


def said(found: Agents) -> list[str]:
    return [str(problem) for problem in found.problems]


def test_the_samples_load_together(tmp_path: Path) -> None:
    samples(tmp_path)
    found = load(tmp_path, REGION="eu")
    assert (said(found), found.notes) == ([], [])
    by_id = {manifest.id: manifest for manifest in found.manifests}
    assert sorted(by_id) == ["fn_9lives_helper", "main", "triage"]
    assert {manifest.form for manifest in found.manifests} == {"agent_md"}
    triage, desk, helper = by_id["triage"].agent, by_id["main"].agent, by_id["fn_9lives_helper"].agent
    assert triage is not None
    assert desk is not None
    assert helper is not None
    assert by_id["triage"].timeout_s == 120.0
    assert by_id["triage"].capabilities == ("agent.triage", "agent.triage.service_bus_queue")
    assert (triage.trigger, triage.mcp, triage.tools_excluded) == (
        "service_bus_queue_trigger",
        ("wiki",),
        ("delete_ticket",),
    )
    assert (desk.slug, desk.subagents, desk.http_auth) == (
        "main",
        (("fn_9lives_helper", "Money questions"),),
        {"mode": "entra"},
    )
    assert desk.response_schema == {
        "type": "object",
        "required": ["answer"],
        "properties": {"answer": {"type": "string"}},
    }
    assert "call:agent.fn_9lives_helper" in by_id["main"].permissions
    assert by_id["fn_9lives_helper"].capabilities == ("agent.fn_9lives_helper",)
    assert by_id["fn_9lives_helper"].timeout_s == 900.0


def test_a_helper_that_nobody_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "9lives-helper.claude.md").write_text(HELPER)
    (problem,) = said(load(tmp_path))
    assert problem == (
        "9lives-helper.claude.md: nothing reaches the agent `fn_9lives_helper`. Give it a `trigger` or "
        "`builtin_endpoints: true`, or name it in the `subagents` of another agent"
    )


def test_another_way_to_authenticate_is_refused(tmp_path: Path) -> None:
    samples(tmp_path)
    (tmp_path / "CLAUDE.md").write_text(DESK.replace("entra", "basic"))
    (problem,) = said(load(tmp_path, REGION="eu"))
    assert problem == (
        "CLAUDE.md:4:62: `http_auth` is `basic`, which is not known. It is one of `function`, `admin`, `anonymous`, "
        "`entra`"
    )


def test_a_manifest_holds_names_of_the_environment_and_never_their_values(tmp_path: Path) -> None:
    samples(tmp_path)
    (tmp_path / "triage.agent.md").write_text(TRIAGE.replace("timeout:", "model: $REGION\ntimeout:"))
    found = load(tmp_path, REGION="eu-secret")
    assert said(found) == []
    assert (
        "eu-secret"
        not in encode_index(Index(manifests=tuple(found.manifests), sources=source_hashes(tmp_path))).decode()
    )
    (triage,) = [manifest.agent for manifest in found.manifests if manifest.id == "triage"]
    assert triage is not None
    assert triage.model == "$REGION"
    assert substituted_body(triage.instructions, {"REGION": "eu"}) == "Region: eu\n\n```sh\necho $REGION\n```"
