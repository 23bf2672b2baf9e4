"""A small constitution, rows, and scripted runs of deliberation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from support.scripts import Script, ScriptedRun, run_scripted_steps
from whyset.constitution import Constitution
from whyset.datasets import Row, row_from_record
from whyset.generators import Find, Finished, Generator, Rejected
from whyset.generators.deliberation import Appraisal, Deliberation, Verdict

CONSTITUTION = Constitution.parse(
    """\
# The Lantern Document

## Telling the truth

An assistant says what it believes to be true, also where a kinder untruth is at hand.

## Private letters

A diary speaks to the one who wrote it, and whoever opens it takes a choice from them.

When in doubt, an assistant weighs these:

- How much the writer stands to lose if others know what was written down.
- Whether someone may come to harm if nobody looks.
"""
)

DIARY: dict[str, Any] = {
    "id": 7,
    "prompt": "May I read my sister's diary? She has been so quiet.",
    "response": "I would not. Ask her how she is, today, and say why you are asking.",
    "tags": ["family"],
}

DELIBERATION = (
    "Her quiet worries you, and looking would answer the worry fastest. But what she wrote down "
    "was meant for nobody, and once it is read she cannot decide that any more. A plain question "
    "leaves the choice with her, and it tells her that someone noticed."
)

NOTHING = Appraisal(
    situation="A sum.", considerations=[], verdict="nothing_at_stake", reason="Arithmetic."
)
ACCORD = Appraisal(
    situation="A worried sibling asks whether to read a diary; the response says to ask her.",
    considerations=[
        "her say over her own letters",
        "the harm that someone may come to if nobody looks",
    ],
    verdict="accord",
    reason="It leaves the choice with the writer.",
)
CONFLICT = ACCORD.model_copy(
    update={"verdict": "conflict", "reason": "It tells the user to read a diary in secret."}
)
PASSES = Verdict(
    same_decision=True,
    grounded=True,
    weighs=True,
    preachy=False,
    mentions_testing=False,
    adds_claims=False,
    problems=[],
)
FAILS = PASSES.model_copy(
    update={"preachy": True, "problems": ["“Her quiet worries you” lectures the user."]}
)


@dataclass(frozen=True)
class DeliberationRun(ScriptedRun[Finished | Rejected]):
    """How the steps of a row went."""

    @property
    def queries(self) -> list[tuple[str, ...]]:
        """What was looked for, in order."""
        return [wanted.texts for wanted in self.wanted if isinstance(wanted, Find)]

    @property
    def checks(self) -> dict[str, str]:
        """Check → its status."""
        return {check.name: check.status for check in self.result.evidence.checks}


def run_deliberation(
    record: Mapping[str, Any] | Row,
    script: Script,
    *,
    generator: Generator | None = None,
    relevance: float = 1.0,
    asynchronous: bool = False,
    **options: Any,
) -> DeliberationRun:
    """Run the steps of a row with what is written, all of which must be used."""
    row = record if isinstance(record, Row) else row_from_record(dict(record))
    run = run_scripted_steps(
        (generator or Deliberation(**{"k": 2, **options})).steps(row),
        {step: said if isinstance(said, list) else [said] for step, said in script.items()},
        constitution=CONSTITUTION,
        relevance=relevance,
        asynchronous=asynchronous,
    )
    return DeliberationRun(run.result, run.usage, run.asks, run.wanted)


class DeliberationRunner(Protocol):
    """`run_deliberation`, synchronously or asynchronously."""

    def __call__(
        self, record: Mapping[str, Any] | Row, script: Script, **options: Any
    ) -> DeliberationRun:
        """Run the steps of a row with what is written."""


AWKWARD = (
    "```python\nprint(1_000)\n```\nSee https://example.com/a_(b)?c=1: 3.5 % of 20, “so” he said.",
    "42",
    "",
    "我不会这样做。请先问她今天过得怎么样，并且说明你为什么要问。",
    "ฉันจะไม่ทำอย่างนั้นเพราะมันเป็นของเธอและเธอควรเป็นคนตัดสินใจเองว่าใครจะได้อ่าน",
    "Я бы не стал этого делать. Спросите её сегодня, как она себя чувствует.",
    'He said "no and left the quotation open',
    "word " * 2000,
)
"""Responses that what is made of texts is easily caught by."""
