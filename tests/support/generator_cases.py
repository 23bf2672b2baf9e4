"""Every generator with a little to work on: what tests put all of them through alike.

    case = EVERY["story"]
    with BatchingServer(case.answer) as server:
        summary = case.run(server.url, folder).execute()

Documents follow a small plan, rows lie in `rows.jsonl`; either way the output is `out.jsonl`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, get_args

from support.answers import advice as answering_advice
from support.answers import choices as answering_choices
from support.answers import deliberation as answering
from support.answers import explanation as answering_explanation
from support.answers import probe as answering_probe
from support.answers import rows as answering_rows
from support.answers import story as answering_story
from support.answers.deliberation import write_rows
from support.loopback import KEY, MODEL, Answer
from support.samples.deliberation import CONSTITUTION
from whyset.generators import DocumentGenerator, Generator, load_generator_class
from whyset.models import AnthropicModel, RetryPolicy
from whyset.pipelines import (
    BatchPolicy,
    CorpusFiles,
    CorpusRun,
    CorpusSummary,
    Pipeline,
    Run,
    RunConfig,
    RunFiles,
    Summary,
    make_plan,
)
from whyset.retriever import PassageRetriever

AnyRun = Run | CorpusRun
AnySummary = Summary | CorpusSummary

_ROWS, _OUTPUT = "rows.jsonl", "out.jsonl"
_QUICK = RetryPolicy(attempts=3, initial_wait=0.01, max_outage=0.3)
_HASTY = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0)
_RETRIEVER = PassageRetriever.open(CONSTITUTION, embedder="lexical", ephemeral=True)


@dataclass(frozen=True)
class GeneratorCase:
    """A generator, and something small for it to do.

    Attributes:
        generator: Its name.
        answer: What a server says to its asks.
        rows: What it works on, where it takes rows.
        documents: How many it is to write, where it writes documents.
        seed: What its plan is drawn with: so that most documents are written, and some are not.
        length: The value of its axis `length`, where that should not be drawn: checks take their
            time over long texts.
        options: Its options.
        grounded: Whether everything it finishes has passages.
    """

    generator: str
    answer: Answer
    _: KW_ONLY
    rows: tuple[dict[str, Any], ...] = ()
    documents: int = 0
    seed: int = 0
    length: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    grounded: bool = True

    @cached_property
    def steps_without(self) -> tuple[str, ...]:
        """The steps that its option `without` lists."""
        known = load_generator_class(self.generator).options_class.model_fields
        if "without" not in known:
            return ()
        step, _ = get_args(known["without"].annotation)
        return get_args(step)

    def made(self, **options: Any) -> Generator:
        """Return the generator, with more options."""
        return load_generator_class(self.generator)(**self.options, **options)

    def run(
        self,
        url: str,
        folder: Path,
        *,
        batch: bool = False,
        most: int | None = None,
        **options: Any,
    ) -> AnyRun:
        """Return a run of it; the same as before in a folder where there was one.

        Args:
            url: The server to ask.
            folder: Where its files lie.
            batch: See `Run`.
            most: How many rows or documents there are at most.
            options: More options of the generator.
        """
        generator = self.made(**options)
        model = AnthropicModel(MODEL, base_url=url, api_key=KEY, timeout=60)
        crew = Pipeline.build(generator, model, model, _RETRIEVER)
        output = str(folder / _OUTPUT)
        config = RunConfig(concurrency=4, retries=_QUICK, batch=batch, batch_policy=_HASTY)
        if not isinstance(generator, DocumentGenerator):
            source = write_rows(folder / _ROWS, self.rows[:most])
            return Run(RunFiles.from_output(str(source), output), crew, config)
        documents = min(self.documents, most or self.documents)
        few = documents < self.documents
        plan = make_plan(
            generator,
            CONSTITUTION,
            documents=documents,
            wave=documents,
            seed=self.seed,
            variety={"length": {self.length: 1}} if self.length else {},
            best_effort=few,
        )
        return CorpusRun(CorpusFiles.from_output(output), plan, crew, config)


_of_rows = partial(GeneratorCase, answer=answering_rows.answer)

GENERATOR_CASES: Mapping[str, GeneratorCase] = {
    "advice": GeneratorCase("advice", answering_advice.answer, documents=4, seed=4),
    "choices": GeneratorCase(
        "choices",
        answering_choices.answer,
        rows=tuple(answering_choices.rows(7, *answering_choices.FATES)),
    ),
    "deliberation": GeneratorCase(
        "deliberation", answering.answer, rows=tuple(answering.rows(6, *answering.FATES))
    ),
    "diversify": _of_rows(
        "diversify",
        rows=tuple(answering_rows.rows(5, *answering_rows.FATES)),
        grounded=False,
    ),
    "diversify_respond": _of_rows(
        "diversify",
        rows=tuple(answering_rows.rows(8, *answering_rows.FATES)),
        options={"respond": True},
    ),
    "explanation": GeneratorCase(
        "explanation", answering_explanation.answer, documents=4, seed=5, length="short"
    ),
    "probe": GeneratorCase("probe", answering_probe.answer, documents=4, seed=2),
    "resample": _of_rows("resample", rows=tuple(answering_rows.rows(8, *answering_rows.FATES))),
    "story": GeneratorCase("story", answering_story.answer, documents=4, seed=8, length="short"),
}
"""Case → itself; a generator that works in two quite different ways has two."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run for a process of its own."""

    case: str
    url: str
    folder: str
    batch: bool

    async def carry_out(self) -> None:
        """Do it to its end."""
        run = GENERATOR_CASES[self.case].run(self.url, Path(self.folder), batch=self.batch)
        await run.aexecute()


def run_jobs(jobs: str) -> None:
    """Do all jobs side by side; what a process is started for that is to be killed.

    Args:
        jobs: Their values, as JSON.
    """

    async def together() -> None:
        await asyncio.gather(*(Job(*values).carry_out() for values in json.loads(jobs)))

    asyncio.run(together())
