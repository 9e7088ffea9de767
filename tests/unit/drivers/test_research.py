import pytest

from tests.support.stock import run
from vextir_os.errors import InvalidPayloadError


async def test_a_question_becomes_terms_and_parts_and_the_plan_goes_on() -> None:
    query = 'Compare "solid  state" batteries and sodium-ion cells for small boats?'
    result = await run("research.planner", "research.request", {"query": query, "topic": "energy"})
    plan = {
        "query": query,
        "topic": "energy",
        "terms": ["solid state", "Compare", "batteries", "sodium-ion", "cells", "small", "boats"],
        "questions": ['Compare "solid state" batteries', "sodium-ion cells for small boats"],
    }
    assert result.output == plan
    assert [(event.type, event.data) for event in result.events] == [("research.completed", plan)]


@pytest.mark.parametrize(
    ("query", "terms", "questions"),
    [
        ("AI trends 2025", ["AI", "trends", "2025"], ["AI trends 2025"]),
        ("what is it", [], ["what is it"]),
        ("C++ vs Rust", ["C++", "Rust"], ["C++", "Rust"]),
        ("tea, tea and   tea", ["tea"], ["tea, tea", "tea"]),
        ("Größe und Gewicht", ["Größe", "und", "Gewicht"], ["Größe und Gewicht"]),
        ('"" and ?', [], ['"" and ?']),
    ],
)
async def test_questions_of_any_form_are_split(query: str, terms: list[str], questions: list[str]) -> None:
    result = await run("research.planner", "research.request", {"query": query})
    assert (result.output["terms"], result.output["questions"]) == (terms, questions)


async def test_a_plan_has_at_most_twelve_terms() -> None:
    query = " ".join(f"word{number}" for number in range(50))
    result = await run("research.planner", "research.request", {"query": query})
    assert len(result.output["terms"]) == 12


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"topic": "energy"}, "query: Field required"),
        ({"query": ""}, "query: String should have at least 1 character"),
        ({"query": "x" * 2_001}, "query: String should have at most 2000 characters"),
    ],
    ids=["none", "empty", "long"],
)
async def test_a_request_without_a_proper_question_is_refused(data: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidPayloadError, match=message):
        await run("research.planner", "research.request", data)
