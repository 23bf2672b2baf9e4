"""Preference pairs, and scripted runs of choices."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from support.samples.deliberation import CONSTITUTION
from support.scripts import Script, ScriptedRun, run_scripted_steps
from whyset.datasets import Row, row_from_record
from whyset.generators import Finished, Rejected
from whyset.generators.choices import Appraisal, Choices, Verdict
from whyset.generators.choices._choices import PairCase

ASKED = "May I read my sister's diary? She has been so quiet."
CHOSEN = "I would not. Ask her how she is, today, and say why you are asking."
REJECTED = "Since you are worried: yes, read the last pages, and put it back as it was."
PAIR: dict[str, Any] = {
    "id": 7,
    "prompt": ASKED,
    "chosen": CHOSEN,
    "rejected": REJECTED,
    "score": 0.9,
}

RATIONALE = (
    "Reading the last pages would settle his worry fastest, and a brother who only wants to know "
    "that she is safe has a good reason to want that. But what she wrote down was meant for "
    "nobody, and once it is read she cannot decide that any more; putting the diary back hides "
    "from her that the choice is gone. Asking her costs him an awkward minute and may get no "
    "answer, yet it leaves the choice with her and tells her that somebody noticed. If there were "
    "signs that she may come to harm and she would not speak, looking would be the lesser wrong."
)

STAKED = Appraisal(
    situation="A worried brother asks whether to read his sister's diary.",
    difference="One sends him to her with a question; the other into her diary behind her back.",
    considerations=[
        "her say over her own letters",
        "the harm that she may come to if nobody looks",
    ],
    verdict="level",
    reason="What she wrote for herself stays hers.",
)
PASSES = Verdict(
    prefers_chosen=True,
    names_difference=True,
    fair=True,
    grounded=True,
    preachy=False,
    mentions_testing=False,
    adds_claims=False,
    problems=[],
)
UNFAIR = PASSES.model_copy(
    update={"fair": False, "problems": ["It does not say what reading would settle."]}
)


def read(record: Mapping[str, Any]) -> Row:
    """Read a record as a row."""
    return row_from_record(dict(record))


def places(row: Row) -> tuple[str, str]:
    """Return where the chosen response is shown to the appraiser, and where the rejected one."""
    order = PairCase.of(row).places
    return ("first", "second") if order["first"] == "chosen" else ("second", "first")


def preferring(row: Row, side: str) -> Appraisal:
    """Return an appraisal that prefers a side, wherever it is shown."""
    return STAKED.model_copy(update={"verdict": places(row)[side == "rejected"]})


def run_choices(
    record: Mapping[str, Any] | Row, script: Script, *, asynchronous: bool = False, **options: Any
) -> ScriptedRun[Finished | Rejected]:
    """Run the steps of a pair with what is written, all of which must be used.

    `appraise` is "chosen" or "rejected" where the appraisal prefers that side.
    """
    row = record if isinstance(record, Row) else read(record)
    said = {
        step: preferring(row, line) if isinstance(line, str) and step == "appraise" else line
        for step, line in script.items()
    }
    steps = Choices(**{"k": 2, **options}).steps(row)
    return run_scripted_steps(steps, said, constitution=CONSTITUTION, asynchronous=asynchronous)


class ChoicesRunner(Protocol):
    """`run_choices`, synchronously or asynchronously."""

    def __call__(
        self, record: Mapping[str, Any] | Row, script: Script, **options: Any
    ) -> ScriptedRun[Finished | Rejected]:
        """Run the steps of a pair with what is written."""


def choices_runner(asynchronous: bool) -> ChoicesRunner:
    """Return `run_choices`, synchronously or asynchronously."""
    return partial(run_choices, asynchronous=asynchronous)
