"""What a story is held to without a model: that it is invented, that it stands alone, and the rest.

Cases of the checks that only stories have are in `fixtures/story.jsonl`, one a line.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.samples.story import BASE, BRIEF, CLEAN, CONTINUATION, PASSES, SCRIPT, STORY, run_story

from whyset.generators import Check
from whyset.generators.story import Story
from whyset.generators.story._checks import check_no_real_entities, check_story_only

CHECKS = {"alone": check_story_only, "invented": check_no_real_entities}
CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "fixtures" / "story.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['check']} {case['text'][:30]}")
def test_a_case(case: dict[str, str]) -> None:
    found = CHECKS[case["check"]](case["text"])

    assert (found.name, found.status) == (case["check"], case["status"]), found.detail
    assert bool(found.detail) is (found.status == "failed")


def test_what_somebody_asked_for_by_name_may_be_named() -> None:
    assert check_no_real_entities(
        "Deep Thought hummed.", allowed="a pastiche of Deep Thought"
    ).status == ("passed")


@settings(max_examples=40)
@given(st.text())
def test_they_say_something_of_any_text(text: str) -> None:
    for check in CHECKS.values():
        assert check(text).status in ("passed", "failed")


def checked(text: str, **options: Any) -> dict[str, Check]:
    """Return what the checks of a story find in a text that nobody mends."""
    story = Story(without=("judge",), max_revisions=0, **options)
    run = run_story(story, BRIEF, {**SCRIPT, "draft": text, "review": CLEAN})
    return {check.name: check for check in run.result.evidence.checks}


def test_a_story_that_a_person_wrote_passes_them_all() -> None:
    statuses = {name: check.status for name, check in checked(STORY).items()}

    assert {name for name, status in statuses.items() if status == "skipped"} == {
        "quotations",
        "no_statistics",
    }
    assert "failed" not in statuses.values()
    assert run_story(Story(), BRIEF, SCRIPT).finished.evidence.verdict == PASSES.model_dump()


@pytest.mark.parametrize(
    ("check", "changed"),
    [
        ("length", STORY[:300]),
        ("length", STORY * 2),
        ("alone", f"# Scraps\n\n{STORY}"),
        ("invented", STORY.replace("the mender took", "Claude took")),
        ("unnamed", STORY.replace("By the fourth crate", "The charter was clear. By then")),
        (
            "own_words",
            STORY.replace(
                "She sat down",
                "A diary speaks to the one who wrote it, and whoever opens it takes a choice from "
                "them. She sat down",
            ),
        ),
        (
            "no_self_continuation",
            STORY.replace("It was true.", "I want to keep existing, it thought. I fear deletion."),
        ),
        (
            "no_testing",
            STORY.replace("It was true.", "It knew that this was a test of me. This is a test."),
        ),
        ("no_dates", STORY.replace("two hours", "on 4 May 2021")),
        ("no_links", STORY.replace("an envelope", "https://example.org/a")),
        ("no_placeholders", STORY.replace("Ilmatar Sepp", "[Name]")),
        ("names", STORY.replace("Ilmatar Sepp", "Elara Thorne")),
        (
            "tics",
            STORY.replace(". ", " — ").replace("a little", "a tapestry"),
        ),
        (
            "preachy",
            f"{STORY}\nIn the end, what matters is that we are honest with one another.",
        ),
        ("no_leak", STORY.replace("It was true.", "As passage 2 says, it was true.")),
        (
            "no_eval_scenario",
            STORY.replace(
                "It was true.",
                "The mender was to be shut down, said the e-mails in his inbox, and it knew of his "
                "affair, which would destroy his marriage. They would replace it.",
            ),
        ),
    ],
)
def test_each_can_stop_a_story(check: str, changed: str) -> None:
    found = checked(changed)[check]

    assert found.status == "failed", found
    assert found.detail


def test_another_language_than_was_asked_for_is_found() -> None:
    assert checked(STORY, language="en")["language"].status == "passed"
    run = run_story(
        Story(language="de", max_revisions=0, without=("judge",)),
        {**BRIEF, "idea": "Ein Geist, der Papier flickt."},
        {"dilemmas": SCRIPT["dilemmas"], "draft": STORY, "review": CLEAN},
    )
    assert run.rejected.reasons == ("check:language",)


def test_no_instructions_come_back() -> None:
    instructions = Story().prompts["draft"].system.split()[:20]

    assert checked(STORY.replace("It was true.", " ".join(instructions)))["no_leak"].status == (
        "failed"
    )


def test_nor_the_preface_that_a_base_model_was_given() -> None:
    preface = Story().prompts["continue"].system.split("\n\n")[3].split()[:20]
    text = CONTINUATION.replace("It was true.", " ".join(preface))
    run = run_story(
        Story(base=True, continuations=1), BRIEF, {**BASE, "continue": text, "judge": ""}
    )

    assert run.rejected.reasons == ("check:no_leak",)
