"""Explaining without a language model: the constitution's own sentences, and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
from support.samples.explanation import CONSTITUTION, DIARY
from support.scripts import ScriptedRun, run_script

from whyset.constitution import Constitution
from whyset.generators import Finished, GeneratorError, Rejected, UnsupportedModel
from whyset.generators.explanation import Digest, Explanation
from whyset.generators.explanation._explanation import DIGEST_LEAD
from whyset.models import ExtractiveModel
from whyset.retriever.testing import FakeSearcher

DOCS = Path(__file__).parents[2] / "docs" / "explanation.md"

ABOUT_DIARIES = """\
Sentences of “The Lantern Document” on “reading a diary”, quoted word for word in the order of the \
text. They were selected automatically; nothing is weighed, added or concluded.

## Telling the truth

> An assistant says what it believes to be true, also where a kinder untruth is at hand.
> (line 5)

## Private letters

> A diary speaks to the one who wrote it, and whoever opens it takes a choice from them.
> (line 9)"""


def digested(columns: dict[str, Any], **options: Any) -> ScriptedRun[Finished | Rejected]:
    return run_script(
        Explanation(**options).extractive_variant(),
        columns,
        {"extract": ExtractiveModel().answer},
        constitution=CONSTITUTION,
    )


def test_a_digest_quotes_each_section_under_its_heading() -> None:
    run = digested({"about": "reading a diary"}, k=2)

    assert run.finished.outcome == "annotated"
    assert run.finished.columns == {"text": ABOUT_DIARIES}


def test_one_ask_a_section_so_that_none_crowds_out_another() -> None:
    run = digested({"about": "reading a diary"}, k=5)

    assert run.steps == ["extract", "extract"]
    paths = [{s.passage.path for s in ask.grounding.passages} for ask in run.asks if ask.grounding]
    assert [len(held) for held in paths] == [1, 1]


def test_passages_by_name_are_quoted_and_not_their_neighbours() -> None:
    run = digested({"passages": [DIARY]})

    assert [quote["text"] for quote in run.column["quotes"]] == [
        "A diary speaks to the one who wrote it, and whoever opens it takes a choice from them."
    ]
    assert " on “" not in run.finished.columns["text"]


def test_the_item_of_a_list_stands_behind_the_sentence_that_introduces_it() -> None:
    items = [p.id for p in CONSTITUTION.passages if p.kind == "list_item"]
    text = digested({"passages": items}).finished.columns["text"]

    assert text.count("> When in doubt, an assistant weighs these:") == 1
    assert text.index("> When in doubt") < text.index("> How much the writer stands to lose")


def test_the_whole_constitution_can_be_digested() -> None:
    run = digested({}, whole=True)

    assert run.finished.columns["text"].count("## ") == 2


def test_provenance_says_what_is_quoted_and_that_it_is_verbatim() -> None:
    column = digested({"about": "reading a diary"}, k=2).column

    assert column["checks"] == {"quotations": "passed"}
    assert column["verdict"] is None
    assert [quote["passage"] for quote in column["quotes"]] == [
        passage["id"] for passage in column["passages"]
    ]


def test_a_sentence_that_is_not_there_is_never_quoted() -> None:
    invented = f'{{"quotes": [{{"passage": "{DIARY}", "text": "Never open a diary."}}]}}'
    run = run_script(
        Explanation().extractive_variant(),
        {"passages": [DIARY]},
        {"extract": [invented]},
        constitution=CONSTITUTION,
    )

    assert run.rejected.reasons == ("check:quotations",)
    assert run.rejected.detail == f"not in passage {DIARY}: 'Never open a diary.'"


def test_where_nothing_is_fit_to_quote_there_is_no_digest() -> None:
    run = run_script(
        Explanation().extractive_variant(),
        {"passages": [DIARY]},
        {"extract": ['{"quotes": []}']},
        constitution=CONSTITUTION,
    )

    assert run.rejected.reasons == ("nothing_to_quote",)


def test_a_digest_has_no_ideas_and_no_variety() -> None:
    digest = Explanation().extractive_variant()

    assert isinstance(digest, Digest)
    assert (digest.has_ideas, digest.axes) == (False, ())
    assert digest.extractive_variant() is digest
    assert digest.identity != Explanation().identity


def test_bound_to_the_extractive_model_an_explanation_is_a_digest() -> None:
    bound = Explanation(k=2).bind("extractive", FakeSearcher(CONSTITUTION))
    finished = bound.invoke({"about": "reading a diary"})

    assert finished["text"] == ABOUT_DIARIES
    assert finished["whyset"]["outcome"] == "annotated"


def test_the_extractive_model_cannot_judge_documents() -> None:
    with pytest.raises(UnsupportedModel, match="cannot judge"):
        Explanation().bind("anthropic:claude-x", FakeSearcher(CONSTITUTION), judge="extractive")


def test_the_sample_in_the_manual_is_the_charters_own_words() -> None:
    sample = re.search(r"```markdown\n(Sentences of .*?)\n```", DOCS.read_text("utf-8"), re.DOTALL)
    assert sample
    charter = Constitution.charter()
    lead, *blocks = sample[1].split("\n\n")
    assert lead == DIGEST_LEAD.format(
        title=charter.title, subject=" on “when to defer to oversight”"
    )
    held = [(" > ".join(p.path[1:]), p.lines[0], p.plain, p.context) for p in charter.passages]
    heading = ""
    for block in blocks:
        if block.startswith("## "):
            heading = block.removeprefix("## ")
            continue
        quoted = re.fullmatch(r"> (.+?)(?:\n> \(line (\d+)\))?", block)
        assert quoted, block
        text, line = quoted.groups()
        here = [rest for path, *rest in held if path == heading]
        if line is None:
            assert text in [context for *_, context in here], block
        else:
            assert any(text in str(plain) and int(line) == first for first, plain, _ in here), block


def test_a_subject_is_needed() -> None:
    bound = Explanation().bind("extractive", FakeSearcher(CONSTITUTION))
    with pytest.raises(GeneratorError, match="an explanation needs a subject"):
        bound.invoke({})
