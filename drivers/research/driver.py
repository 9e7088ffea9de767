"""Research: turns a question into a plan of searches. Honest about it: nothing is searched, no model is asked."""

import re

from pydantic import BaseModel, Field

from vextir_os import Event, Result, driver

QUOTED = re.compile(r'"([^"]{1,200})"')
WORD = re.compile(r"[^\W_][\w'.+-]*")
PARTS = re.compile(r"[?;]|\bversus\b|\bvs\b\.?|,?\s+\band\b", re.IGNORECASE)
SMALL_WORDS = frozenset({
    "a", "about", "an", "and", "are", "as", "at", "be", "by", "can", "could", "do", "does", "for", "from",
    "has", "have", "how", "in", "into", "is", "it", "its", "of", "on", "or", "our", "should", "that", "the",
    "their", "there", "this", "to", "versus", "vs", "was", "we", "what", "when", "where", "which", "who", "why",
    "will", "with", "would",
})  # fmt: skip
MOST_TERMS = 12


class ResearchRequest(BaseModel):
    """A question, and optionally the field that it belongs to."""

    query: str = Field(min_length=1, max_length=2_000)
    topic: str = Field(default="", max_length=200)


class ResearchPlan(BaseModel):
    """What to search for: phrases and words by weight, and the question in its parts."""

    query: str
    topic: str
    terms: list[str]
    questions: list[str]


@driver("research.planner", kind="agent", capabilities=["research.request"], permissions=["emit:research.completed"])
async def plan_research(data: ResearchRequest) -> Result:
    """Split a question into search terms and parts, and say that the plan is ready."""
    plan = ResearchPlan(query=data.query, topic=data.topic, terms=terms(data.query), questions=parts(data.query))
    return Result(output=plan, events=[Event(type="research.completed", data=plan.model_dump())])


def terms(query: str) -> list[str]:
    """Return the search terms of a question: quoted phrases first, then its words without the small ones, each once."""
    phrases = [" ".join(phrase.split()) for phrase in QUOTED.findall(query)]
    words = [word.rstrip(".'-") for word in WORD.findall(QUOTED.sub(" ", query))]
    found = dict.fromkeys([*filter(None, phrases), *(word for word in words if word.lower() not in SMALL_WORDS)])
    return list(found)[:MOST_TERMS]


def parts(query: str) -> list[str]:
    """Return the parts of a question that can be searched for one by one; the whole question when it has only one."""
    found = [part for part in (" ".join(piece.split()) for piece in PARTS.split(query)) if terms(part)]
    return found if len(found) > 1 else [" ".join(query.split())]
