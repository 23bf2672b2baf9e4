"""A plan as a file: what is written is read back, and what a hand changes is checked by line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.notes import Notes

from whyset.constitution import Constitution
from whyset.pipelines import (
    Focus,
    Plan,
    PlanError,
    PlannedConstitution,
    make_plan,
    parse_plan,
    read_plan,
    render_plan,
    write_plan,
)
from whyset.pipelines.plan import parse_amount, plan_record

from .conftest import TEXT

CONSTITUTION = Constitution.parse(TEXT)
ASKING, THINGS = "Manners > Asking first", "Manners > Other people's things"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def plan(**options: Any) -> Plan:
    return make_plan(Notes(), CONSTITUTION, **{"documents": 12, **options})


def text_of(planned: Plan) -> str:
    return render_plan(planned, CONSTITUTION, axes=Notes().axes)


def parsed(text: str) -> Plan:
    return parse_plan(text, CONSTITUTION, generator=Notes(), name="plan.yaml")


def read_error(text: str) -> str:
    with pytest.raises(PlanError) as error:
        parsed(text)
    return str(error.value)


class TestRoundTrip:
    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(1, 400),
        st.sampled_from([None, 1, 40, 700]),
        st.integers(1, 3),
        st.integers(1, 3),
        st.integers(-(2**40), 2**40),
        st.integers(1, 9),
        texts,
        st.sampled_from([Focus(), Focus(passages=1, tokens=1)]),
    )
    def test_gives_the_same_plan(
        self,
        documents: int,
        tokens: int | None,
        per_passage: int,
        drafts: int,
        seed: int,
        attempts: int,
        held_out: str,
        focus: Focus,
    ) -> None:
        planned = make_plan(
            Notes(),
            CONSTITUTION,
            documents=documents if tokens is None else None,
            tokens=tokens,
            per_passage=per_passage,
            drafts=drafts,
            seed=seed,
            attempts=attempts,
            held_out=held_out,
            focus=focus,
            best_effort=True,
        )
        assert parsed(text_of(planned)) == planned

    def test_through_a_file_too(self, tmp_path: Path) -> None:
        path = tmp_path / "plan.yaml"
        write_plan(plan(), path, CONSTITUTION)
        assert read_plan(path, CONSTITUTION, generator=Notes()) == plan()
        assert [each.name for each in tmp_path.iterdir()] == ["plan.yaml"]

    @settings(max_examples=60, deadline=None)
    @given(texts.filter(lambda text: text != "generated"))
    def test_keeps_every_text(self, text: str) -> None:
        planned = plan(variety={"subject": {text: 1}}, held_out=text)
        assert parsed(text_of(planned)) == planned

    @pytest.mark.parametrize("word", ["no", "on", "3", "1e3", "~", "2026-11-24", "=", "0x1f"])
    def test_a_value_of_an_axis_is_a_word_whatever_yaml_makes_of_it(self, word: str) -> None:
        read = parsed(changed("    generated: 3", f"    {word}: 12"))
        assert read.variety["subject"].counts == {word: 12}

    def test_its_repr_stays_which_a_dry_run_is_recognised_by(self) -> None:
        assert repr(plan(documents=4)) == (
            "Plan(generator='notes', constitution=PlannedConstitution(title='Manners', "
            f"sha256='{CONSTITUTION.digest}'), documents=4, "
            f"sections=(PlannedSection(path={tuple(THINGS.split(' > '))!r}, passages=1, "
            f"documents=2), PlannedSection(path={tuple(ASKING.split(' > '))!r}, passages=1, "
            "documents=2)), variety={'tone': PlannedAxis(counts={'dry': 3, 'warm': 1}, "
            "generated=0), 'subject': PlannedAxis(counts={}, generated=3)}, "
            "options={'length': 40, 'revisions': False}, typical_tokens=50, tokens=None, "
            "language='en', seed=0, drafts=1, per_passage=1, best_effort=False, attempts=3, "
            "wave=32, focus=Focus(passages=3, tokens=300), held_out='')"
        )

    def test_is_yaml_that_others_read_as_it_is_meant(self) -> None:
        planned = plan(tokens=3_000_000, documents=None)
        assert yaml.safe_load(text_of(planned)) == {
            **{key: value for key, value in plan_record(planned).items() if key != "documents"},
            "tokens": "3M",
            "held_out": None,
        }


class TestText:
    def test_explains_each_part_and_shows_coverage(self) -> None:
        assert text_of(
            plan(held_out="evals.jsonl", variety={"tone": {"dry": 1, "warm": 1}})
        ).endswith(
            """\
sections:
  - section: Manners > Other people's things
    passages: 1  # in 1 group
    documents: 6
  - section: Manners > Asking first
    passages: 1  # in 1 group
    documents: 6

# How documents differ: how many get each value. Write counts, which add up to all documents, or
# shares (`25%`), which add up to 100 %; leave an axis out to have it spread by the generator's
# weights. `generated: 40` has a model list 40 values, each for its even share.
variety:
  # How a note sounds.
  tone:
    dry: 6
    warm: 6
  # What a note is about.
  subject:
    generated: 3

# The generator's options.
options:
  length: 40
  revisions: false

# A file of evaluation scenarios that no document may resemble.
held_out: evals.jsonl
"""
        )

    def test_names_the_passages_that_a_best_effort_leaves_out(self) -> None:
        text = text_of(plan(documents=1, best_effort=True))
        (short,) = (line for line in text.splitlines() if "uncovered:" in line)
        assert short.split("uncovered: ")[1] in {each.id for each in CONSTITUTION.passages}

    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ("3M", 3_000_000),
            ("500k", 500_000),
            ("1.5m", 1_500_000),
            ("2,000,000", 2_000_000),
            (7, 7),
        ],
    )
    def test_amounts_are_read_as_people_write_them(self, written: str | int, value: int) -> None:
        assert parse_amount(written) == value

    @settings(max_examples=60, deadline=None)
    @given(st.integers(1, 10**12))
    def test_and_written_so_that_nothing_is_lost(self, value: int) -> None:
        planned = plan(tokens=value, documents=None, best_effort=True)
        assert parsed(text_of(planned)).tokens == value


def changed(before: str, after: str, planned: Plan | None = None) -> str:
    text = text_of(planned or plan())
    assert text.count(before) == 1, text
    return text.replace(before, after)


class TestEdits:
    def test_shares_become_counts(self) -> None:
        read = parsed(changed("    dry: 8\n    warm: 4", "    dry: 25%\n    warm: 75%"))
        assert read.variety["tone"].counts == {"dry": 3, "warm": 9}

    def test_an_axis_left_out_is_spread_by_the_generators_weights(self) -> None:
        read = parsed(changed("  tone:\n    dry: 8\n    warm: 4\n", ""))
        assert read == plan()

    def test_sections_without_documents_are_spread_anew(self) -> None:
        text = (
            text_of(plan())
            .replace("    documents: 6\n", "")
            .replace("documents: 12", "documents: 20")
        )
        text = text.replace("    dry: 8\n    warm: 4", "    dry: 100%")
        assert [section.documents for section in parsed(text).sections] == [10, 10]

    def test_a_section_may_be_named_by_its_last_heading(self) -> None:
        assert parsed(changed(f"section: {ASKING}", "section: Asking first")) == plan()

    def test_values_of_ones_own_take_the_place_of_a_generated_list(self) -> None:
        read = parsed(changed("    generated: 3", "    bees: 5\n    boats: 7"))
        assert read.variety["subject"].counts == {"bees": 5, "boats": 7}

    def test_what_has_a_usual_value_may_be_left_out(self) -> None:
        text = f"generator: notes\nconstitution: {{sha256: {CONSTITUTION.digest}}}\ndocuments: 12\n"
        text += f'sections: [{{section: "{THINGS}"}}, {{section: Asking first}}]\n'
        read = parsed(text)
        expected = PlannedConstitution(sha256=CONSTITUTION.digest)
        assert read == plan().model_copy(update={"constitution": expected})


SHA = CONSTITUTION.digest

# What is wrong, how it came, and the message: each with how the line begins that it is reported of.
EDITS: list[tuple[str, Callable[[], str], dict[str, str]]] = [
    (
        "an unknown axis",
        lambda: changed("  tone:", "  tune:"),
        {"  tune:": "no axis 'tune'; nearest: 'tone'"},
    ),
    (
        "an unknown value",
        lambda: changed("    warm: 4", "    warn: 4"),
        {"    warn: 4": "no value 'warn' on the axis 'tone'; nearest: 'warm'"},
    ),
    (
        "counts that do not add up",
        lambda: changed("    warm: 4", "    warm: 5"),
        {
            "  tone:": "the counts of 'tone' add up to 13, but the plan is for 12 documents: "
            "change them, write shares (`25%`), or leave the axis out to have it spread by the "
            "generator's weights"
        },
    ),
    (
        "shares that do not add up",
        lambda: changed("    dry: 8\n    warm: 4", "    dry: 50%\n    warm: 40%"),
        {"  tone:": "the shares of 'tone' add up to 90 %, not to 100 %"},
    ),
    (
        "counts among shares",
        lambda: changed("    warm: 4", "    warm: 40%"),
        {"  tone:": "'tone' mixes counts and shares: write counts for all values, or shares"},
    ),
    (
        "a count that is none",
        lambda: changed("    warm: 4", "    warm: many"),
        {"    warm:": "'warm' must be a count (`12`) or a share (`25%`), not 'many'"},
    ),
    (
        "a count below 0",
        lambda: changed("    dry: 8\n    warm: 4", "    dry: 13\n    warm: -1"),
        {"    warm:": "a count is 0 or more, not -1"},
    ),
    (
        "a list that is not generated",
        lambda: changed("    dry: 8\n    warm: 4", "    generated: 9"),
        {"    generated: 9": "the values of 'tone' are listed, not generated"},
    ),
    (
        "more documents than sections have",
        lambda: changed("documents: 12\n", "documents: 18\n").replace("dry: 8", "dry: 14"),
        {
            "sections:": "the documents of all sections add up to 12, but the plan is for 18: "
            "change them, or leave `documents` out of every section to have them spread anew"
        },
    ),
    (
        "documents of some sections only",
        lambda: text_of(plan()).replace("    documents: 6\n", "", 1),
        {
            f"  - section: {THINGS}": "has no `documents`, but other sections do: set it for every "
            "section, or for none"
        },
    ),
    (
        "a section that is not there",
        lambda: changed(f"section: {ASKING}", "section: Asking last"),
        {"  - section: Asking last": "no section 'Asking last'; nearest: 'Asking first'"},
    ),
    (
        "a section that is there twice",
        lambda: changed(f"section: {ASKING}", f"section:  {THINGS}"),
        {f"  - section:  {THINGS}": f'"{THINGS}" is planned twice; keep one'},
    ),
    (
        "another number of passages",
        lambda: text_of(plan()).replace("passages: 1  #", "passages: 2  #", 1),
        {
            "    passages: 2": f'"{THINGS}" has 1 passage of its own, not 2; the number is only '
            "informative, so write 1"
        },
    ),
    (
        "too few documents for a section",
        lambda: (
            changed("    documents: 6\n\n", "    documents: 4\n\n")
            .replace("    documents: 6", "    documents: 8")
            .replace("per_passage: 1", "per_passage: 7")
        ),
        {
            "    documents: 4": f"4 documents cannot ground each passage of {ASKING!r} (1, in 1 "
            "group) 7 times: that takes 7; write more, lower per_passage, or set best_effort: true"
        },
    ),
    (
        "drafts that documents are no multiple of",
        lambda: (
            changed("drafts: 1", "drafts: 5")
            .replace("documents: 6\n", "documents: 5\n", 1)
            .replace("documents: 6\n", "documents: 5\n", 1)
            .replace("dry: 8\n    warm: 4", "dry: 50%\n    warm: 50%")
        ),
        {
            "documents: 12": "documents must be a multiple of drafts: with 5 drafts from each "
            "context, write 10 or 15, not 12",
            "sections:": "the documents of all sections add up to 10, but the plan is for 12: "
            "change them, or leave `documents` out of every section to have them spread anew",
            "  tone:": "the counts of 'tone' add up to 10, but the plan is for 12 documents: "
            "change them, write shares (`25%`), or leave the axis out to have it spread by the "
            "generator's weights",
        },
    ),
    (
        "an amended constitution",
        lambda: changed(SHA, "0" * 64),
        {
            "  sha256:": f"the plan is for another version of the text than 'Manners' as it stands "
            f"now ({SHA}): make it anew, or name the constitution it was made for"
        },
    ),
    (
        "documents and tokens",
        lambda: changed("documents: 12\n", "documents: 12\ntokens: 3M\n"),
        {
            "tokens: 3M": "a plan is for so many `documents` or so many `tokens`: write one of the "
            "two"
        },
    ),
    (
        "an amount that is none",
        lambda: changed("documents: 12\n", "tokens: lots\n"),
        {"tokens:": "tokens: an amount is a number such as 3M, 500k or 250000, not 'lots'"},
    ),
    (
        "a name that nothing has",
        lambda: changed("attempts: 3", "attemps: 3"),
        {"attemps:": "a plan has no field 'attemps'; nearest: 'attempts'"},
    ),
    (
        "a number out of bounds",
        lambda: changed("wave: 32", "wave: 0"),
        {"wave:": "wave is at least 1, not 0"},
    ),
    (
        "a word for a number",
        lambda: changed("seed: 0", "seed: lucky"),
        {"seed:": "seed must be a whole number, not 'lucky'"},
    ),
    (
        "something said twice",
        lambda: changed("seed: 0", "seed: 0\nseed:  1"),
        {"seed:  1": "'seed' is a duplicate key; keep one"},
    ),
    (
        "another generator",
        lambda: changed("generator: notes", "generator: nodes"),
        {"generator:": "the plan is for 'nodes', not for 'notes'"},
    ),
    (
        "another option than the generator was opened with",
        lambda: changed("  length: 40", "  length: 50"),
        {
            "  length:": "the plan has length: 50, but the generator was opened with 40; change "
            "one of them"
        },
    ),
    (
        "what is needed left out",
        lambda: "documents: 3\nseed: 1\n",
        {"documents": "constitution is missing; a plan needs it"},
    ),
]


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "expected"), [each[1:] for each in EDITS], ids=[each[0] for each in EDITS]
    )
    def test_are_reported_with_their_line_and_what_to_do(
        self, text: Callable[[], str], expected: dict[str, str]
    ) -> None:
        lines = text().splitlines()
        for (begin, message), line in zip(
            expected.items(), read_error(text()).splitlines(), strict=False
        ):
            number = next(n for n, each in enumerate(lines, start=1) if each.startswith(begin))
            assert line == f"plan.yaml:{number}: {message}"
        assert len(read_error(text()).splitlines()) >= len(expected)

    @pytest.mark.parametrize("text", ["- a list", "", "7", "# nothing but this"])
    def test_what_is_no_mapping_is_no_plan(self, text: str) -> None:
        assert read_error(text) == (
            "plan.yaml: not a plan: it must be a mapping of names to values"
        )

    @pytest.mark.parametrize(
        "text",
        [
            *("a: &x [*x]", "? [1]\n: 2", "!!python/object:os.system x", "\x00", "a: b: c"),
            *(
                "- " * 99,
                "seed: 1e9",
                "seed: !!int",
                "seed: !!bool maybe",
                "%YAML 9.9\n---\nseed: 1",
            ),
        ],
    )
    def test_hostile_yaml_is_an_error_too(self, text: str) -> None:
        assert read_error(text).startswith("plan.yaml")

    def test_a_directive_in_one_text_does_not_reach_the_next(self) -> None:
        read_error("%YAML 1.2\n---\nseed: 1")
        assert "language: 'no'" in text_of(plan().model_copy(update={"language": "no"}))

    def test_aliases_of_aliases_do_not_fill_memory(self) -> None:
        lines = ["a0: &a0 [x]"] + [
            f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 15)
        ]
        assert "too much of it" in read_error("\n".join(lines))

    @settings(max_examples=60, deadline=None)
    @given(st.text(max_size=60) | st.binary(max_size=30).map(lambda raw: raw.decode("latin-1")))
    def test_no_text_is_more_than_an_error(self, text: str) -> None:
        assert read_error(text).startswith("plan.yaml")

    def test_a_file_that_is_not_there_or_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / "plan.yaml"
        with pytest.raises(PlanError, match=r"plan\.yaml: cannot be read: No such file"):
            read_plan(path)
        path.write_bytes(b"seed: \xff")
        with pytest.raises(PlanError, match="not UTF-8 at byte 7"):
            read_plan(path)

    def test_a_plan_that_cannot_be_written_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(PlanError, match="cannot be written: No such file"):
            write_plan(plan(), tmp_path / "none" / "plan.yaml")
        assert list(tmp_path.iterdir()) == []

    def test_a_generator_is_opened_by_its_name_with_the_plans_options(self) -> None:
        with pytest.raises(PlanError, match=r"plan\.yaml:5: no generator 'notes'; installed: "):
            parse_plan(text_of(plan()), CONSTITUTION, name="plan.yaml")
        text = changed("generator: notes", "generator: deliberation")
        text = text.replace("  length: 40\n  revisions: false\n", "  k: 3\n").replace(
            "language: en", ""
        )
        with pytest.raises(PlanError, match="deliberation works on rows"):
            parse_plan(text, CONSTITUTION, name="plan.yaml")
        with pytest.raises(PlanError, match=r"plan\.yaml:\d+: k must be at least 1"):
            parse_plan(text.replace("k: 3", "k: 0"), CONSTITUTION, name="plan.yaml")
