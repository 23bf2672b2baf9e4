"""A whole corpus: a plan in, documents and quarantine out, a manifest, an account at the end."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from whyset.errors import BudgetSpent, PlanError
from whyset.generators import DocumentGenerator
from whyset.generators.checks import EvalScenario
from whyset.models import Prices, RetryPolicy
from whyset.retriever import Embedder

from .._assembly import Crew
from .._files import CorpusFiles, Outgoing, outgoing, write_record
from .._run import Means, Reins, Runs, sparing_the_collector, spent_on
from ..engine._batch_jobs import DEFAULT_POLICY, BatchPolicy
from ..engine._live import Done
from ..engine._requests import Traffic
from ..engine._stop import run_interruptibly, told_stopped
from ..estimate._cost import Estimate, keep_estimate, read_estimate
from ..ledger._ledger import Ledger
from ..plan import Context, Plan, followed_by, planned_contexts, planned_passages, problems
from ._dedup import MEASURED, Likeness, Novelty, existing_documents
from ._estimate import CORPUS_SAMPLE, estimate_corpus
from ._production import Attempt, Production, Stage
from ._report import CorpusSummary, CorpusTally, corpus_manifest

MEASURED_WITH = "minilm"
"""The embedder that the thresholds of meaning were measured with."""


@dataclass(slots=True)
class CorpusRun:
    """A plan being carried out. Run again after an interruption, it goes on where it stopped.

    Attributes:
        files: Where to write, and what to compare with.
        plan: What is to be written; where the writer only quotes, as far as that can follow it.
        crew: Who works.
        concurrency: How many asks are in flight at most.
        retries: When a failed ask is sent again.
        batch: Whether to ask by message batches, at their price; what was begun so can be
            finished live, and the other way round.
        batch_policy: How batches are made and looked after.
        budget: The most that may be spent, in dollars, earlier runs on the same ledger included.
        prices: What replies cost; the list that ships with whyset where none is given.
        likeness: From when on a text is a near-duplicate; what was measured for the embedded
            default where none is given. Another embedder is used only where one is.
        held_out: Scenarios that no document may resemble.
        on_progress: Called after every context and document with the counts so far.
        on_quarantine: Called with every line for the quarantine.
    """

    files: CorpusFiles
    plan: Plan
    crew: Crew
    concurrency: int = 16
    retries: RetryPolicy = RetryPolicy()
    batch: bool = False
    batch_policy: BatchPolicy = DEFAULT_POLICY
    budget: Decimal | None = None
    prices: Prices | None = None
    likeness: Likeness | None = None
    held_out: Sequence[EvalScenario] = ()
    on_progress: Callable[[CorpusTally, Traffic], None] = lambda tally, traffic: None
    on_quarantine: Callable[[bytes], None] = lambda line: None
    _tally: CorpusTally | None = field(default=None, init=False, repr=False)
    _reins: Reins = field(default_factory=Reins, init=False, repr=False)

    def __post_init__(self) -> None:
        """Fit the plan to who writes: without a language model there is less variety."""
        generator = self.crew.generator
        if self.crew.models["writer"].extractive and isinstance(generator, DocumentGenerator):
            self.plan = followed_by(self.plan, generator)

    def execute(self) -> CorpusSummary:
        """Do it, in an event loop of its own.

        The first SIGINT or SIGTERM lets asks in flight finish, the second ends the run at once
        (where this is the main thread). Where the budget ends it, what came out is written, and
        the account says so.

        Raises:
            PlanError: The plan is not for this crew or this constitution.
            DatasetError: A corpus to compare with cannot be read, or the output not written.
            RunError: The ledger cannot be used.
            RunStopped: A signal came, or the provider does not answer; the output is not written.
            ModelRefused: The provider turns every ask down.
        """
        return run_interruptibly(self.aexecute, self.stop, self._told)

    async def aexecute(self) -> CorpusSummary:
        """Do it in the running event loop; as `execute`, but signals are left to the caller."""
        began, started = time.monotonic(), datetime.now(UTC)
        prices = self.prices or Prices.load()
        generator, contexts = self._checked()
        tally = self._tally = CorpusTally(self.plan, contexts, generator.outcomes)
        reins = self._reins = Reins()
        with ExitStack() as stack:
            stack.enter_context(sparing_the_collector())
            ledger = stack.enter_context(Ledger(self.files.ledger))
            self.files.remove_leftovers()
            written = stack.enter_context(outgoing(self.files, on_quarantine=self.on_quarantine))
            means = Means(
                self.concurrency, self.retries, self.batch, self.batch_policy, self.budget, prices
            )
            durable = self.files.ledger is not None
            stopped = ""
            async with reins.engine(
                means, self.crew, ledger, durable=durable, told=self._told
            ) as engine:

                def count(stage: Stage, done: Done) -> None:
                    tally.answered += 1
                    self.on_progress(tally, engine.traffic)

                production = self._production(generator, contexts, engine, count)
                try:
                    async with aclosing(production.run()) as attempts:
                        async for attempt in attempts:
                            self._take(attempt, written)
                            self.on_progress(tally, engine.traffic)
                except BudgetSpent as spent:
                    stopped = str(spent)
            summary = CorpusSummary(
                tally,
                tally.variety(production.habits.meanings),
                tally.uncovered(planned_passages(self.plan, self.crew.retriever.constitution)),
                spent_on(ledger, prices),
                engine.traffic,
                time.monotonic() - began,
                self.files,
                stopped,
                self._notes(),
                read_estimate(self.files.estimate, crew=self._identity(), batch=self.batch),
            )
            written.commit()
            if self.files.manifest is not None:
                record = corpus_manifest(
                    summary,
                    self.crew,
                    started=started,
                    finished=datetime.now(UTC),
                    prices_of=prices.dated.isoformat(),
                )
                write_record(self.files.manifest, record)
        return summary

    def stop(self) -> None:
        """Let asks in flight finish and send no more; `execute` then raises `RunStopped`.

        Batches in flight are not waited for: the next run collects them.
        """
        self._reins.stop()

    def estimate(
        self, *, sample: int = CORPUS_SAMPLE, seed: int = 0, rejected: float = 0.0
    ) -> Estimate:
        """Say what the run would ask and cost from here on; nothing is sent.

        What was said is kept beside the output, and told again when the run has ended.

        Args:
            sample: How many documents to walk, drawn at random; 0 walks all.
            seed: What the sample is drawn with.
            rejected: Which share of attempts is assumed to be rejected, and so tried again; an
                assumption that nothing here can check.

        Raises:
            PlanError: The plan is not for this crew or this constitution.
            RunError: Another process works on this run, or its ledger cannot be read.
            WhysetError: See `whyset.pipelines.estimate`.
        """
        generator, contexts = self._checked()
        with Ledger.of_earlier_run(self.files.ledger) as ledger:
            estimated = estimate_corpus(
                self.plan,
                contexts,
                self.crew,
                generator,
                self.prices or Prices.load(),
                ledger=ledger,
                replay=lambda engine: self._production(generator, contexts, engine),
                sample=sample,
                seed=seed,
                rejected=rejected,
            )
        if self.files.estimate is not None:
            keep_estimate(self.files.estimate, estimated, crew=self._identity())
        return estimated

    def _checked(self) -> tuple[DocumentGenerator, tuple[Context, ...]]:
        """Return who writes and what from, after a look at what goes together."""
        generator, constitution = self.crew.generator, self.crew.retriever.constitution
        if not isinstance(generator, DocumentGenerator):
            raise PlanError(
                f"{generator.name} works on rows; a corpus takes a generator of documents"
            )
        if wrong := [problem.told for problem in problems(self.plan, generator, constitution)]:
            raise PlanError("; ".join(wrong))
        if self.plan.held_out and not self.held_out:
            raise PlanError(
                f"the plan holds out the scenarios of {self.plan.held_out}, but none are given: "
                "name the file with --held-out, or leave held_out empty in the plan"
            )
        return generator, planned_contexts(self.plan, constitution)

    def _production(
        self,
        generator: DocumentGenerator,
        contexts: Sequence[Context],
        engine: Runs,
        on_answer: Callable[[Stage, Done], None] = lambda stage, done: None,
    ) -> Production:
        documents, ideas = self._novelties()
        return Production(
            self.plan,
            contexts,
            generator,
            engine,
            novelty=documents,
            idea_novelty=ideas,
            existing=existing_documents(self.files.against, generator),
            held_out=self.held_out,
            on_answer=on_answer,
        )

    def _take(self, attempt: Attempt, written: Outgoing) -> None:
        assert self._tally is not None
        self._tally.add(attempt)
        if attempt.line is not None:
            written.write(attempt.line)
        else:
            written.set_aside(attempt.quarantine_line())

    def _novelties(self) -> tuple[Novelty, Novelty]:
        """Return what tells near-duplicates, among documents and among ideas."""
        likeness, embedder = self.likeness or MEASURED, self._embedder()
        return Novelty(embedder, likeness), Novelty(embedder, likeness)

    def _embedder(self) -> Embedder | None:
        """Return the retriever's own embedder, where thresholds of meaning are known for it."""
        embedder = getattr(self.crew.retriever, "embedder", None)
        if not isinstance(embedder, Embedder):
            return None
        return embedder if self.likeness or embedder.name == MEASURED_WITH else None

    def _notes(self) -> tuple[str, ...]:
        if self._embedder() is not None:
            return ()
        return (
            "near-duplicates were told by words alone: there is no embedder whose thresholds of "
            "meaning are known",
        )

    def _identity(self) -> str:
        """Return what a dry run is recognised by."""
        return f"{self.crew.identity} {self.plan!r}"

    def _told(self, reason: str) -> str:
        written = self._tally.documents if self._tally is not None else 0
        done = f"{written:,} {'document' if written == 1 else 'documents'}"
        return told_stopped(reason, done, self.files.ledger)
