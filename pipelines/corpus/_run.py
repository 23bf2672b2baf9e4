"""A whole corpus: a plan in, documents and quarantine out, a manifest, an account at the end."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime

from whyset.errors import BudgetExhausted, PlanError, RunStopped
from whyset.generators import DocumentGenerator
from whyset.generators.checks import EvalScenario
from whyset.retriever import Embedder

from .._config import RunConfig
from .._files import CorpusFiles, open_run_writer, write_json
from .._pipeline import Pipeline
from ..engine._engine import Engine, freeze_gc, open_engine
from ..engine._record import RowResult
from ..engine._requests import RequestStats
from ..engine._stop import StopSignal, render_stop_message, run_with_signals
from ..estimate._cost import Estimate, load_estimate, save_estimate
from ..ledger._ledger import Ledger
from ..plan import Context, Plan, adapt_plan, build_contexts, list_planned_passages, validate_plan
from ._dedup import DEFAULT_THRESHOLDS, Deduplicator, DedupThresholds, read_existing_documents
from ._estimate import DEFAULT_CORPUS_SAMPLE, estimate_corpus
from ._production import Production, Stage
from ._report import CorpusCounts, CorpusSummary, corpus_manifest

MEASURED_EMBEDDER = "minilm"
"""The embedder that the thresholds of meaning were measured with."""

NO_EMBEDDER = (
    "near-duplicates were detected by words alone: there is no embedder whose thresholds of "
    "meaning are known"
)
"""What the summary notes where texts were not compared by meaning."""


@dataclass(slots=True)
class CorpusRun:
    """A plan being carried out. Run again after an interruption, it goes on where it stopped.

    Attributes:
        files: Where to write, and what to compare with.
        plan: What is to be written; where the writer only quotes, as far as that can follow it.
        pipeline: Generator, models and retriever.
        config: How it asks.
        thresholds: From when on a text is a near-duplicate; what was measured for the embedded
            default where none is given. Another embedder is used only where one is.
        holdout: Scenarios that no document may resemble.
        on_progress: Called after every context and document with the counts so far.
        on_quarantine: Called with every line for the quarantine.
    """

    files: CorpusFiles
    plan: Plan
    pipeline: Pipeline
    config: RunConfig = field(default_factory=RunConfig)
    thresholds: DedupThresholds | None = None
    holdout: Sequence[EvalScenario] = ()
    on_progress: Callable[[CorpusCounts, RequestStats], None] = lambda counts, stats: None
    on_quarantine: Callable[[bytes], None] = lambda line: None
    _counts: CorpusCounts | None = field(default=None, init=False, repr=False)
    _stop_signal: StopSignal = field(default_factory=StopSignal, init=False, repr=False)

    def __post_init__(self) -> None:
        """Fit the plan to the writer: without a language model there is less variety."""
        generator = self.pipeline.generator
        if self.pipeline.models["writer"].is_extractive and isinstance(
            generator, DocumentGenerator
        ):
            self.plan = adapt_plan(self.plan, generator)

    def execute(self, *, on_interrupt: Callable[[], None] = lambda: None) -> CorpusSummary:
        """Do it, in an event loop of its own.

        The first SIGINT or SIGTERM lets asks in flight finish, the second ends the run at once
        (where this is the main thread). Where the budget ends it, what came out is written, and
        the account says so.

        Args:
            on_interrupt: Called after the first signal.

        Raises:
            PlanError: The plan is not for this generator or this constitution.
            DatasetError: A corpus to compare with cannot be read, or the output not written.
            RunError: The ledger cannot be used.
            RunStopped: A signal came, or the provider does not answer; the output is not written.
            ModelAccessDenied: The provider turns every ask down.
        """
        return run_with_signals(
            self.aexecute,
            stop=self.stop,
            on_interrupt=on_interrupt,
            render_stop=self._render_stop,
        )

    async def aexecute(self) -> CorpusSummary:
        """Do it in the running event loop; as `execute`, but signals are left to the caller."""
        began, started = time.monotonic(), datetime.now(UTC)
        generator, contexts = self._validate()
        counts = self._counts = CorpusCounts(self.plan, contexts, generator.outcomes)
        self._stop_signal = StopSignal()
        with ExitStack() as stack:
            stack.enter_context(freeze_gc())
            ledger = stack.enter_context(Ledger(self.files.ledger))
            writer = stack.enter_context(
                open_run_writer(self.files, on_quarantine=self.on_quarantine)
            )
            stop_reason = ""
            async with open_engine(
                self.pipeline,
                ledger,
                self.config,
                self._stop_signal,
                render_stop=self._render_stop,
            ) as engine:

                def count_answer(stage: Stage, done: RowResult) -> None:
                    counts.answered += 1
                    self.on_progress(counts, engine.stats)

                production = self._open_production(generator, contexts, engine, count_answer)
                try:
                    async with aclosing(production.run()) as attempts:
                        async for attempt in attempts:
                            counts.add(attempt)
                            if attempt.line is not None:
                                writer.write(attempt.line)
                            else:
                                writer.write_quarantine(attempt.quarantine_line())
                            self.on_progress(counts, engine.stats)
                except BudgetExhausted as exhausted:
                    stop_reason = str(exhausted)
            planned = list_planned_passages(self.plan, self.pipeline.retriever.constitution)
            summary = CorpusSummary(
                counts,
                counts.variety(production.overuse.meanings),
                counts.uncovered(planned),
                ledger.cost_by_step(self.config.prices),
                engine.stats,
                time.monotonic() - began,
                self.files,
                stop_reason,
                () if self._embedder() is not None else (NO_EMBEDDER,),
                load_estimate(
                    self.files.estimate, identity=self._identity, batch=self.config.batch
                ),
            )
            writer.commit()
            if self.files.manifest is not None:
                record = corpus_manifest(
                    summary,
                    self.pipeline,
                    started=started,
                    finished=datetime.now(UTC),
                    prices_date=self.config.prices.dated,
                )
                write_json(self.files.manifest, record)
        return summary

    def stop(self) -> None:
        """Let asks in flight finish and send no more; `execute` then raises `RunStopped`.

        Batches in flight are not waited for: the next run collects them.
        """
        self._stop_signal.trigger(RunStopped("Stopped"))

    def estimate(
        self, *, sample: int = DEFAULT_CORPUS_SAMPLE, seed: int = 0, rejected: float = 0.0
    ) -> Estimate:
        """Estimate what the run would ask and cost from here on; nothing is sent.

        The estimate is saved beside the output, and shown again when the run has ended.

        Args:
            sample: How many documents to simulate, drawn at random; 0 simulates all.
            seed: What the sample is drawn with.
            rejected: Which share of attempts is assumed to be rejected, and so tried again; an
                assumption that nothing here can check.

        Raises:
            PlanError: The plan is not for this generator or this constitution.
            RunError: Another process works on this run, or its ledger cannot be read.
            WhysetError: See `estimate_run`.
        """
        generator, contexts = self._validate()
        with Ledger.open_existing(self.files.ledger) as ledger:
            estimated = estimate_corpus(
                self.plan,
                contexts,
                self.pipeline,
                generator,
                self.config.prices,
                ledger=ledger,
                replay=lambda engine: self._open_production(generator, contexts, engine),
                sample=sample,
                seed=seed,
                rejected=rejected,
            )
        if self.files.estimate is not None:
            save_estimate(self.files.estimate, estimated, identity=self._identity)
        return estimated

    def _validate(self) -> tuple[DocumentGenerator, tuple[Context, ...]]:
        """Check that all goes together; return the generator and the plan's contexts."""
        generator, constitution = self.pipeline.generator, self.pipeline.retriever.constitution
        if not isinstance(generator, DocumentGenerator):
            raise PlanError(
                f"{generator.name} works on rows; a corpus takes a generator of documents"
            )
        if wrong := [
            problem.message for problem in validate_plan(self.plan, generator, constitution)
        ]:
            raise PlanError("; ".join(wrong))
        if self.plan.held_out and not self.holdout:
            raise PlanError(
                f"the plan holds out the scenarios of {self.plan.held_out}, but none are given: "
                "name the file with --held-out, or leave held_out empty in the plan"
            )
        return generator, build_contexts(self.plan, constitution)

    def _open_production(
        self,
        generator: DocumentGenerator,
        contexts: Sequence[Context],
        engine: Engine,
        on_answer: Callable[[Stage, RowResult], None] = lambda stage, done: None,
    ) -> Production:
        embedder, thresholds = self._embedder(), self.thresholds or DEFAULT_THRESHOLDS
        return Production(
            self.plan,
            contexts,
            generator,
            engine,
            deduplicator=Deduplicator(embedder, thresholds),
            idea_deduplicator=Deduplicator(embedder, thresholds),
            existing=read_existing_documents(self.files.against, generator),
            holdout=self.holdout,
            on_answer=on_answer,
        )

    def _embedder(self) -> Embedder | None:
        """Return the retriever's own embedder, where thresholds of meaning are known for it."""
        embedder = getattr(self.pipeline.retriever, "embedder", None)
        if not isinstance(embedder, Embedder):
            return None
        return embedder if self.thresholds or embedder.name == MEASURED_EMBEDDER else None

    @property
    def _identity(self) -> str:
        """What a dry run is recognised by."""
        return f"{self.pipeline.identity} {self.plan!r}"

    def _render_stop(self, reason: str) -> str:
        written = self._counts.documents if self._counts is not None else 0
        done = f"{written:,} {'document' if written == 1 else 'documents'}"
        return render_stop_message(reason, done, self.files.ledger)
