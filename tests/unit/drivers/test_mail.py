import pytest

from tests.support.stock import run


@pytest.mark.parametrize(
    ("sender", "subject", "body", "kind", "emitted"),
    [
        pytest.param("Shop <no-reply@shop.example>", "Please pay", "", "bulk", None, id="robot"),
        pytest.param("ann@example.com", "Offers", "Unsubscribe here", "bulk", None, id="newsletter"),
        pytest.param(
            "ann@example.com", "Re: research: solid  state", "", "note", None, id="an-answer-to-research-is-a-note"
        ),
        pytest.param(
            "ann@example.com",
            "Research: solid  state batteries",
            "please",
            "research",
            ("research.request", {"query": "solid state batteries"}),
            id="research",
        ),
        pytest.param(
            "ann@example.com",
            "Which sensor is best?",
            "",
            "research",
            ("research.request", {"query": "Which sensor is best?"}),
            id="question",
        ),
        pytest.param(
            "ann@example.com",
            "Task: send the offer",
            "by\nFriday",
            "task",
            ("task.created", {"title": "send the offer", "details": "From ann@example.com: by Friday"}),
            id="task",
        ),
        pytest.param(
            "ann@example.com",
            "",
            "Could you call me?",
            "task",
            ("task.created", {"title": "(no subject)", "details": "From ann@example.com: Could you call me?"}),
            id="request-in-the-body",
        ),
        pytest.param("ann@example.com", "Holiday photos", "Here they are", "note", None, id="note"),
    ],
)
async def test_a_mail_is_sorted_by_the_first_rule_that_holds(
    sender: str, subject: str, body: str, kind: str, emitted: tuple[str, dict[str, str]] | None
) -> None:
    result = await run("mail.sorter", "email.received", {"from": sender, "subject": subject, "body": body})
    assert result.output["kind"] == kind
    assert [(event.type, event.data) for event in result.events] == ([emitted] if emitted else [])


async def test_a_long_body_is_cut_before_it_travels_on() -> None:
    result = await run(
        "mail.sorter", "email.received", {"from": "a@b.example", "subject": "Task: x", "body": "y" * 9_000}
    )
    assert result.events[0].data.details == f"From a@b.example: {'y' * 500}"
