import pytest

from tests.support.stock import run
from vextir_os.errors import InvalidPayloadError

ANN = {"login": "ann"}
SHOP = {"full_name": "acme/shop"}


async def test_an_opened_issue_is_summarised_and_goes_to_triage() -> None:
    issue = {"number": 7, "title": "Crash\n at  checkout", "html_url": "https://github.com/acme/shop/issues/7"}
    data = {"action": "opened", "sender": ANN, "repository": SHOP, "issue": issue}
    result = await run("github.activity", "github.issues", data)
    assert result.output == {
        "who": "ann",
        "did": "issues opened",
        "what": "#7 Crash at checkout",
        "where": "acme/shop",
        "url": "https://github.com/acme/shop/issues/7",
        "summary": "ann: issues opened #7 Crash at checkout in acme/shop",
    }
    assert [(event.type, event.data) for event in result.events] == [
        (
            "github.issue.triage",
            {
                "repository": "acme/shop",
                "number": 7,
                "title": "Crash at checkout",
                "url": "https://github.com/acme/shop/issues/7",
            },
        )
    ]


@pytest.mark.parametrize(
    ("type_", "data", "summary"),
    [
        ("github.push", {"sender": ANN, "repository": SHOP, "ref": "main"}, "ann: push main in acme/shop"),
        ("github.ping", {"zen": "Keep it logically awesome."}, "somebody: ping"),
        ("github.star", {"action": "created", "sender": ANN, "starred_at": None}, "ann: star created"),
        ("github.release", {"action": "released", "release": {"tag_name": "v1"}}, "somebody: release released v1"),
        ("github.issues", {"action": "closed", "issue": {"number": 7, "title": "T"}}, "somebody: issues closed #7 T"),
        ("github.pull_request", {"pull_request": {"number": 2}}, "somebody: pull request #2"),
    ],
)  # fmt: skip
async def test_any_other_webhook_is_summarised_and_emits_nothing(
    type_: str, data: dict[str, object], summary: str
) -> None:
    result = await run("github.activity", type_, data)
    assert result.output["summary"] == summary
    assert result.events == ()


async def test_a_title_from_outside_is_cut() -> None:
    result = await run("github.activity", "github.issues", {"action": "edited", "issue": {"title": "x" * 9_000}})
    assert result.output["what"] == "x" * 119 + "…"


async def test_what_is_no_webhook_is_refused() -> None:
    with pytest.raises(InvalidPayloadError, match=r"sender\.login: Input should be a valid string, found 3"):
        await run("github.activity", "github.push", {"sender": {"login": 3}})


@pytest.mark.parametrize(
    ("title", "kind", "priority"),
    [
        ("Crash at checkout", "bug", "high"),
        ("Tokens leak into the log", "security", "high"),
        ("How do I deploy?", "question", "normal"),
        ("Add a dark theme", "other", "normal"),
    ],
)
async def test_an_issue_becomes_a_task_by_the_words_of_its_title(title: str, kind: str, priority: str) -> None:
    data = {"repository": "acme/shop", "number": 7, "title": title, "url": "https://example.com/7"}
    result = await run("github.triage", "github.issue.triage", data)
    assert result.output == {"kind": kind}
    assert [(event.type, event.data) for event in result.events] == [
        (
            "task.created",
            {"title": f"acme/shop#7: {title}", "details": "https://example.com/7", "priority": priority},
        )
    ]
