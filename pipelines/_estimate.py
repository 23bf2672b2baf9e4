"""Estimating a run: rows walked with real retrieval and rehearsed replies, nothing sent."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Protocol

from whyset.datasets import BadRow
from whyset.generators import Ask, Item, Reply
from whyset.models import Prices
from whyset.retriever import Searcher

from ._apart import told_apart
from ._bloom import BloomFilter
from ._crew import Crew
from ._forecast import Estimate
from ._reckoning import Pricing, Reckoning, Taken
from ._rowrecord import row_key
from ._sampling import Reservoir
from ._walking import CutShort, Walk

SAMPLE = 500
"""How many rows are walked where nothing else is said: some ten seconds of retrieval."""

REASONING = 500
"""Output tokens allowed for reasoning before each answer. Models that reason by default differ
much in it and no published figure holds for rows one has not seen: a guess, replaced by what
replies really took as soon as a ledger has some (`Estimate.as_so_far`)."""

_CHUNK = 64


class Known(Protocol):
    """What an estimate reads of a run's ledger."""

    def reply(self, key: str) -> Reply | None:
        """Return the reply recorded for an ask key, if there is one."""

    def row(self, key: str) -> bytes | None:
        """Return the record of a finished row, if there is one."""


def estimate(
    crew: Crew,
    rows: Iterable[Item | BadRow],
    prices: Prices,
    *,
    ledger: Known | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
    reasoning: int = REASONING,
    shared: bool = False,
    on_walked: Callable[[int], None] = lambda walked: None,
) -> Estimate:
    """Say what a run would ask and cost from here on, without asking anybody.

    Every row is read once; memory does not grow with their number. Those that the ledger holds
    cost nothing more and are left out. Of the others a random sample is walked: passages are
    retrieved as in the run, an ask whose reply is in the ledger gets it and costs nothing, every
    other gets a reply rehearsed by the generator and is counted.

    What is assumed: a prompt's tokens are those of `estimate_tokens` times the model's own
    `tokens` in the price list; an answer is as long as the generator rehearses it, plus
    `reasoning`; what all prompts of a step begin with is written to the provider's cache once and
    read ever after, where it is surely (by a quarter) longer than the least that is cached, and
    otherwise read at the full price; nothing is cached in batches; nothing has to be asked again.

    Args:
        crew: Who would work; its models are not asked, unless they only quote.
        rows: The input.
        prices: What replies cost.
        ledger: The run's ledger where there is one; it is only read.
        sample: How many rows to walk; 0 walks all.
        seed: What the sample is drawn with: the same seed and input give the same estimate.
        reasoning: Output tokens allowed for reasoning before each answer.
        shared: Whether rows share asks, so that how often the sample repeats one tells how many
            different ones all rows have.
        on_walked: Called now and then with how many of the rows to do have been walked.

    Raises:
        DatasetError: The input cannot be read.
        GeneratorError: The generator has no dry run.
        RetrieverError: The embedder or the index failed.
        RunError: The ledger cannot be read.
    """
    pricing = Pricing(prices, reasoning)
    survey = _Survey(rows, crew.identity, ledger, seed)
    todo = survey.sample(sample) if sample else survey.todo()
    # Equal asks are answered once in a run. In a sample their twins are mostly not there to see.
    dedupe = shared or not isinstance(todo, list) or len(todo) == survey.remaining
    asked = partial(_Rehearsal, crew, pricing, ledger, dedupe=dedupe, apart=shared)
    least, most = asked(at_stake=False), asked(at_stake=True)
    so_far = _Replay(crew, pricing, ledger)
    walked = 0
    for count in _walk(todo, (least, most), crew.retriever):
        walked += count
        on_walked(walked)
    for _ in _walk(survey.finished_rows(), (so_far,), crew.retriever):
        pass
    remaining = survey.remaining
    projection = None
    if so_far.reckoning.rows:
        projection = so_far.reckoning.forecast(remaining, pricing, among=None, known=True)
    return Estimate(
        rows=remaining + survey.finished,
        unreadable=survey.unreadable,
        finished=survey.finished,
        walked=walked,
        seed=seed,
        reasoning=reasoning,
        prices_of=prices.dated,
        least=least.reckoning.forecast(remaining, pricing, among=remaining),
        most=most.reckoning.forecast(remaining, pricing, among=remaining),
        as_so_far=projection,
        projected_from=so_far.reckoning.rows,
    )


class _Survey:
    """An input read once: the rows to do, and a sample of those that are done.

    Attributes:
        remaining: How many rows to do were read so far.
        unreadable: How many lines hold no usable row.
    """

    def __init__(
        self, rows: Iterable[Item | BadRow], identity: str, ledger: Known | None, seed: int
    ) -> None:
        self.remaining = 0
        self.unreadable = 0
        self._rows = rows
        self._identity = identity
        self._ledger = ledger
        self._seed = seed
        # A sample will always do: finished rows only show what rows are like.
        self._finished: Reservoir[Item] = Reservoir(SAMPLE, seed)

    @property
    def finished(self) -> int:
        """How many finished rows were read so far."""
        return self._finished.seen

    def todo(self) -> Iterator[Item]:
        """Yield the rows to do as they are read."""
        for row in self._rows:
            if isinstance(row, BadRow):
                self.unreadable += 1
            elif self._is_done(row):
                self._finished.add(row)
            else:
                self.remaining += 1
                yield row

    def sample(self, size: int) -> list[Item]:
        """Read all and return so many of the rows to do, in order."""
        drawn: Reservoir[Item] = Reservoir(size, self._seed)
        for row in self.todo():
            drawn.add(row)
        return sorted(drawn.items, key=lambda row: row.line)

    def finished_rows(self) -> list[Item]:
        """Return a sample of the finished rows, in order."""
        return sorted(self._finished.items, key=lambda row: row.line)

    def _is_done(self, row: Item) -> bool:
        if self._ledger is None:
            return False
        return self._ledger.row(row_key(row, self._identity)) is not None


class _Way:
    """One way of walking rows, and what the rows walked so take."""

    def __init__(self, crew: Crew, pricing: Pricing, ledger: Known | None) -> None:
        self.reckoning = Reckoning()
        self._crew = crew
        self._pricing = pricing
        self._ledger = ledger

    def walk(self, row: Item, walk: Walk) -> Callable[[], None]:
        """Add a row's steps to a walk; call what is returned when it has ended."""
        took: list[Taken] = []
        cut: list[Ask] = []

        def answer(ask: Ask) -> Reply:
            model = self._crew.models[ask.role]
            if model.extractive:
                return model.answer(ask)  # as in a run: free, and nobody is asked
            reply = self._answer(ask, row, took)
            if reply is None:
                cut.append(ask)
                raise CutShort
            return reply

        walk.add(self._crew.generator.steps(row), answer)

        def end() -> None:
            if not cut:
                self.reckoning.add(took)

        return end

    def _answer(self, ask: Ask, row: Item, took: list[Taken]) -> Reply | None:
        """Answer an ask and note what it takes; `None` where nobody knows."""
        raise NotImplementedError

    def _known(self, ask: Ask) -> Reply | None:
        if self._ledger is None:
            return None
        return self._ledger.reply(ask.key(self._crew.models[ask.role].identity))


class _Rehearsal(_Way):
    """What would be asked; what is answered already costs nothing."""

    def __init__(
        self,
        crew: Crew,
        pricing: Pricing,
        ledger: Known | None,
        *,
        at_stake: bool,
        dedupe: bool,
        apart: bool,
    ) -> None:
        super().__init__(crew, pricing, ledger)
        self._at_stake = at_stake
        self._apart = apart
        self._asked = BloomFilter() if dedupe else None

    def _answer(self, ask: Ask, row: Item, took: list[Taken]) -> Reply:
        if (known := self._known(ask)) is not None:
            return known
        reply = self._crew.generator.rehearse(ask, row, at_stake=self._at_stake)
        model = self._crew.models[ask.role]
        key = ask.key(model.identity)
        if self._apart:
            reply = told_apart(reply, key, structured=ask.schema is not None)
        if self._asked is not None:
            if key in self._asked:
                self.reckoning.repeated(ask.step, model.name)
                return reply
            self._asked.add(key)
        took.append(self._pricing.estimated(ask, model.name, reply.usage.output_tokens))
        return reply


class _Replay(_Way):
    """What finished rows took, by the replies in the ledger."""

    def _answer(self, ask: Ask, row: Item, took: list[Taken]) -> Reply | None:
        if (known := self._known(ask)) is not None:
            model = self._crew.models[ask.role]
            took.append(self._pricing.known(ask, model.name, known.usage))
        return known


def _walk(rows: Iterable[Item], ways: Sequence[_Way], retriever: Searcher) -> Iterator[int]:
    """Walk rows in every way, some at a time; yield how many it were."""
    rest = iter(rows)
    while chunk := list(islice(rest, _CHUNK)):
        walk = Walk(retriever)
        ended = [way.walk(row, walk) for row in chunk for way in ways]
        walk.run()
        for end in ended:
            end()
        yield len(chunk)
