"""Floors under what is found; docs and `make bench` have the whole measurement."""

import json
import re
from pathlib import Path

import pytest

from whyset.constitution import Constitution
from whyset.retriever import (
    LabelledQuery,
    PassageRetriever,
    evaluate_searcher,
    load_labelled_queries,
)
from whyset.retriever._minilm import MiniLM

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "sft.jsonl"


@pytest.fixture
def index_cache(pytestconfig: pytest.Config) -> Path:
    """A cache that outlives the session: what is measured here takes a minute to embed."""
    cache = pytestconfig.cache
    if cache is None:
        pytest.skip("there is no place to keep the indexes")
    return cache.mkdir("whyset-indexes")


def example_labels(constitution: Constitution) -> list[LabelledQuery]:
    """Return the examples' last words of the user, and the headings their tags name."""
    headings = {
        re.sub(r"\W+", "-", section.title.casefold()): section.title
        for section in constitution.sections
        if len(section.path) == 2
    }
    labels = []
    for line in EXAMPLES.read_text("utf-8").splitlines():
        record = json.loads(line)
        tags = record["tags"]
        sections = [tag.removeprefix("section:") for tag in tags if tag.startswith("section:")]
        said = [m["content"] for m in record.get("messages", []) if m["role"] == "user"]
        query = record.get("prompt") or (said[-1] if said else None)
        if sections and isinstance(query, str) and "kind:language" not in tags:
            labels.append(LabelledQuery(query, tuple(headings[section] for section in sections)))
    return labels


def test_the_examples_meet_their_sections_of_the_charter(charter: PassageRetriever) -> None:
    labels = example_labels(charter.constitution)
    assert len(labels) >= 25

    default = evaluate_searcher(charter, labels).by_section
    by_words = evaluate_searcher(
        PassageRetriever.open(charter.constitution, embedder="lexical"), labels
    ).by_section

    assert default.recall_at[5] >= 0.75
    assert default.mrr >= 0.55
    assert default.mrr > by_words.mrr


@pytest.mark.parametrize(
    ("document", "by_default", "by_words"),
    [("claude-constitution", 0.95, 0.9), ("openai-model-spec", 0.85, 0.75)],
)
def test_the_development_set_meets_its_sections(
    document: str,
    by_default: float,
    by_words: float,
    shared: Path,
    minilm: MiniLM,
    index_cache: Path,
) -> None:
    constitution = Constitution.load(shared / "constitutions" / f"{document}.md")
    labels = [
        label
        for label in load_labelled_queries(shared / "holdouts" / "retrieval-dev.jsonl")
        if label.document == document
    ]

    default = PassageRetriever.open(constitution, embedder=minilm, cache_dir=index_cache)
    lexical = PassageRetriever.open(constitution, embedder="lexical")

    assert evaluate_searcher(default, labels).by_section.recall_at[5] >= by_default
    assert evaluate_searcher(lexical, labels).by_section.recall_at[5] >= by_words
