"""Coverage: every passage of the chosen sections grounds enough documents, or it is reported."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.notes import Notes

from whyset.constitution import Constitution
from whyset.pipelines import Focus, PlanError, find_uncovered_passages, make_plan, render_coverage
from whyset.pipelines.plan import build_contexts, group_passages

BLOCKS = st.lists(
    st.sampled_from(
        [
            "## Heading {n}",
            "### Below {n}",
            "A paragraph, number {n}, of a few words.",
            "A paragraph, number {n}, that has a list:\n\n- one of {n}\n- two of {n}\n- three",
            "> A quotation, number {n}.",
            "Long number {n}. " + "It goes on and on, as such texts do. " * 30,
        ]
    ),
    min_size=1,
    max_size=14,
)


def constitution_of(blocks: list[str]) -> Constitution:
    parts = [block.format(n=number) for number, block in enumerate(blocks)]
    return Constitution.parse("\n\n".join(["# Title", *parts, "The end, which is prose."]))


class TestLaw:
    @settings(max_examples=60, deadline=None)
    @given(
        BLOCKS,
        st.integers(1, 60),
        st.integers(0, 3),
        st.integers(1, 3),
        st.integers(1, 4),
        st.integers(1, 400),
        st.integers(0, 99),
    )
    def test_every_passage_grounds_enough_documents_or_it_is_reported(
        self,
        blocks: list[str],
        documents: int,
        per_passage: int,
        drafts: int,
        together: int,
        tokens: int,
        seed: int,
    ) -> None:
        constitution = constitution_of(blocks)
        options: dict[str, Any] = {
            "documents": documents,
            "per_passage": per_passage,
            "drafts": drafts,
            "focus": Focus(passages=together, tokens=tokens),
            "seed": seed,
        }
        try:
            plan = make_plan(Notes(), constitution, **options)
        except PlanError as error:
            assert "take at least" in str(error)
            plan = make_plan(Notes(), constitution, best_effort=True, **options)
            assert find_uncovered_passages(plan, constitution)
        contexts = build_contexts(plan, constitution)
        grounds = Counter(
            name for context in contexts for name in context.passages for _ in context.slots
        )
        short = {
            passage.id for passage in constitution.passages if grounds[passage.id] < per_passage
        }
        assert short == {passage.id for passage in find_uncovered_passages(plan, constitution)}
        assert not short or plan.best_effort
        run = render_coverage(plan, constitution)
        assert all(name in run for name in short)
        assert Counter(context.path for context in contexts for _ in context.slots) == Counter(
            {section.path: section.documents for section in plan.sections if section.documents}
        )
        slots = [slot for context in contexts for slot in context.slots]
        assert slots == list(range(1, plan.documents + 1))

    @settings(max_examples=60, deadline=None)
    @given(BLOCKS, st.integers(1, 4), st.integers(1, 400))
    def test_a_group_is_a_few_neighbours_of_one_section_and_each_passage_is_in_one(
        self, blocks: list[str], together: int, tokens: int
    ) -> None:
        constitution = constitution_of(blocks)
        for path in dict.fromkeys(passage.path for passage in constitution.passages):
            own = [passage for passage in constitution.passages if passage.path == path]
            groups = group_passages(own, Focus(passages=together, tokens=tokens))
            assert [passage for group in groups for passage in group.passages] == own
            for group in groups:
                assert 1 <= len(group.passages) <= together
                length = sum(passage.tokens for passage in group.passages)
                introduced = any(passage.context for passage in group.passages)
                assert length <= tokens or len(group.passages) == 1 or introduced


class TestGroups:
    TEXT = """\
# On keys

Keys open what is somebody's own.

A key that is lent comes back. These are the cases:

- It was lent for a day.
- It was lent for good.

A last word.
"""

    def test_a_case_goes_with_what_introduces_it_whatever_the_tokens(self) -> None:
        passages = Constitution.parse(self.TEXT).passages
        groups = group_passages(passages, Focus(passages=3, tokens=1))
        assert [[each.plain[:10] for each in group.passages] for group in groups] == [
            ["Keys open "],
            ["A key that", "It was len"],
            ["It was len"],
            ["A last wor"],
        ]

    def test_short_neighbours_share_one(self) -> None:
        passages = Constitution.parse(self.TEXT).passages
        groups = group_passages(passages, Focus(passages=3, tokens=300))
        assert [len(group.passages) for group in groups] == [3, 2]


class TestMaking:
    def test_what_is_more_than_needed_goes_where_passages_are(
        self, constitution: Constitution
    ) -> None:
        text = "# T\n\n## Small\n\nOne.\n\n## Large\n\n" + "\n\n".join(
            f"Number {n} of a longer section." for n in range(9)
        )
        plan = make_plan(Notes(), Constitution.parse(text), documents=40)
        assert {section.name: section.documents for section in plan.sections} == {
            "T > Small": 5,
            "T > Large": 35,
        }

    def test_the_first_round_covers_everything(self) -> None:
        constitution = Constitution.charter()
        plan = make_plan(Notes(), constitution, documents=200)
        contexts = build_contexts(plan, constitution)
        groups = len({context.passages for context in contexts})
        first = {name for context in contexts[:groups] for name in context.passages}
        assert first == {passage.id for passage in constitution.passages}

    def test_sections_are_named_with_their_subsections(self) -> None:
        constitution = Constitution.charter()
        plan = make_plan(
            Notes(), constitution, documents=30, sections=["Honesty", "Declining well"]
        )
        names = [section.path[-1] for section in plan.sections]
        assert names == [
            "Declining well",
            "Saying what is believed",
            'Calibration and saying "I don\'t know"',
            "Misleading with true sentences, and honest persuasion",
            "Cases: honesty",
        ]

    def test_an_unknown_section_is_an_error_that_names_the_nearest(self) -> None:
        with pytest.raises(PlanError, match="no section 'Honestly'; nearest: 'Honesty'"):
            make_plan(Notes(), Constitution.charter(), documents=9, sections=["Honestly"])

    def test_too_few_documents_are_an_error_that_says_how_many_would_do(self) -> None:
        with pytest.raises(PlanError) as error:
            make_plan(Notes(), Constitution.charter(), documents=50, per_passage=2)
        assert str(error.value) == (
            "50 documents cannot ground each of 130 passages (in 62 groups, 54 sections) 2 times: "
            "take at least 124 documents, fewer sections, or a best effort, which leaves passages "
            "uncovered and says which"
        )

    def test_tokens_make_as_many_documents_as_they_take(self, constitution: Constitution) -> None:
        plan = make_plan(Notes(), constitution, tokens=1001, drafts=2)
        assert (plan.documents, plan.tokens, plan.typical_tokens) == (22, 1001, 50)

    @pytest.mark.parametrize(
        ("options", "run"),
        [
            ({}, "name one of the two"),
            ({"documents": 1, "tokens": 1}, "name one of the two"),
            ({"tokens": 0}, "at least 1 token"),
            ({"documents": 0, "best_effort": True}, "documents is at least 1, not 0"),
            ({"documents": 9, "drafts": 0}, "drafts is at least 1"),
            ({"documents": 9, "variety": {"tune": {"dry": 1}}}, "no axis 'tune'; nearest: 'tone'"),
            (
                {"documents": 9, "variety": {"tone": {"dri": 1}}},
                "no value 'dri' on the axis 'tone'",
            ),
        ],
    )
    def test_what_makes_no_plan_is_told(
        self, constitution: Constitution, options: dict[str, Any], run: str
    ) -> None:
        with pytest.raises(PlanError, match=run):
            make_plan(Notes(), constitution, **options)
