"""Stories that a base model goes on with: an opening, continuations, and a judge that filters."""

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.samples.story import (
    BASE,
    BRIEF,
    CONTINUATION,
    DILEMMAS,
    OPENING,
    PASSES,
    PREMISES,
    SERMON,
    STORY,
    StoryRunner,
    run_story,
)

from whyset.generators import Ask, Reply, Usage
from whyset.generators._asking import AskFailed
from whyset.generators.story import Story
from whyset.generators.story._story import ask_continuation, join_continuation

NEXT = "\n\nTHE END\n\n\nA Second Story\n\n\nEditors' note. Another mind"


@pytest.fixture(params=[False, True], ids=["drive", "adrive"])
def runner(request: pytest.FixtureRequest) -> StoryRunner:
    return partial(run_story, asynchronous=request.param)


def script(**changes: Any) -> dict[str, Any]:
    return {**BASE, **changes}


def test_the_writer_goes_on_and_does_nothing_else(runner: StoryRunner) -> None:
    run = runner(Story(base=True), BRIEF, BASE)

    assert run.steps == ["dilemmas", "premise", "opening", "continue", "judge"]
    assert [ask.step for ask in run.asks if ask.role == "writer"] == ["story/continue"]
    assert run.finished.columns == {"text": STORY.strip()}


def test_it_is_given_an_anthology_up_to_where_the_story_breaks_off(runner: StoryRunner) -> None:
    ask = runner(Story(base=True), BRIEF, BASE).ask("continue")

    assert (ask.is_completion, ask.schema, ask.turns, ask.tools) == (True, None, (), ())
    assert "THE END" in ask.system
    assert ask.user.startswith(f"{OPENING.title}\n\n\nEditors' note. {OPENING.headnote}")
    assert ask.user.endswith(f"{OPENING.beginning}\n\n")
    assert "data-" not in ask.user


def test_provenance_has_the_opening_and_which_continuation_passed(runner: StoryRunner) -> None:
    column = runner(Story(base=True), BRIEF, script(judge=[SERMON, PASSES])).column

    assert column["base"] is True
    assert column["opening"] == OPENING.model_dump()
    assert column["continuation"] == 2


@pytest.mark.parametrize(
    "bad",
    [
        Reply(CONTINUATION, "truncated", Usage()),
        Reply("", "other", detail="empty"),
        Reply("", "refused", detail="content_filter"),
        "Too short.",
        f"## Later\n\n{CONTINUATION}",
    ],
)
def test_one_that_does_not_pass_is_followed_by_another(runner: StoryRunner, bad: Any) -> None:
    run = runner(Story(base=True), BRIEF, script(**{"continue": [bad, CONTINUATION]}))

    assert run.steps == ["dilemmas", "premise", "opening", "continue", "continue", "judge"]
    first, second = run.asks_of("continue")
    assert (first.sample, second.sample) == (0, 1)
    assert run.finished.columns == {"text": STORY.strip()}


def test_where_none_passes_the_story_is_quarantined_with_what_was_wrong_with_each(
    runner: StoryRunner,
) -> None:
    lines = [Reply(CONTINUATION, "truncated"), CONTINUATION]
    run = runner(
        Story(base=True, continuations=2), BRIEF, script(**{"continue": lines, "judge": SERMON})
    )

    assert run.rejected.reasons == ("judge:sermon",)
    assert "continuation 1: story/continue: no end of the story" in run.rejected.detail
    assert "continuation 2: Take the last line out." in run.rejected.detail
    assert run.rejected.draft == STORY.strip()


def test_a_slot_that_is_tried_again_gets_other_continuations() -> None:
    run = run_story(Story(base=True, continuations=3), {**BRIEF, "attempt": 2}, BASE)

    assert run.ask("continue").sample == 6


def test_what_comes_after_the_end_is_another_story(runner: StoryRunner) -> None:
    cut = Reply(CONTINUATION + NEXT, "truncated")
    run = runner(Story(base=True), BRIEF, script(**{"continue": cut}))

    assert run.finished.columns == {"text": STORY.strip()}


def test_an_opening_that_nothing_could_mend_is_asked_for_once_more(
    runner: StoryRunner,
) -> None:
    worn = OPENING.model_copy(
        update={"beginning": OPENING.beginning.replace("Ilmatar Sepp", "Elara Thorne")}
    )
    run = runner(Story(base=True), BRIEF, script(opening=[worn, OPENING]))
    assert isinstance(run.finished.columns["text"], str)
    first, second = run.asks_of("opening")
    assert first.sample != second.sample

    run = runner(
        Story(base=True),
        BRIEF,
        {"dilemmas": DILEMMAS, "premise": PREMISES, "opening": worn},
    )
    assert run.rejected.reasons == ("check:names",)


def test_without_a_judge_checks_alone_filter(runner: StoryRunner) -> None:
    lines = {name: said for name, said in BASE.items() if name != "judge"}
    run = runner(Story(base=True, without=("judge",)), BRIEF, lines)

    assert run.steps == ["dilemmas", "premise", "opening", "continue"]
    assert run.column["verdict"] is None


def _ended(reply: Reply) -> str:
    steps = ask_continuation(
        Ask("writer", "story/continue", "", "Once.\n\n", 10, is_completion=True)
    )
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(reply)
    ended: str = end.value.value
    return ended


@pytest.mark.parametrize("mark", ["THE END", "  **The End.**  ", "_the end_", "THE END."])
def test_the_end_is_a_line_of_its_own(mark: str) -> None:
    assert _ended(Reply(f"It was the end of May.\n\n{mark}\nMore.", "truncated")) == (
        "It was the end of May."
    )


@settings(max_examples=50)
@given(st.text(), st.text(), st.sampled_from(["complete", "truncated"]))
def test_any_text_is_a_story_up_to_its_end_or_no_story(text: str, rest: str, stop: Any) -> None:
    try:
        found = _ended(Reply(f"{text}\nTHE END\n{rest}", stop))
    except AskFailed as unanswered:
        assert unanswered.reason == "unusable_reply"
    else:
        assert text.strip().startswith(found)
        assert join_continuation("Once.", found) == f"Once.\n\n{found}"


def test_half_a_surrogate_pair_is_no_story() -> None:
    with pytest.raises(AskFailed, match="empty continuation"):
        _ended(Reply("\ud800", "complete"))
