"""Estimating a run: rows walked with real retrieval and rehearsed replies, nothing sent."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, Protocol

from whyset.datasets import BadRow
from whyset.generators import Ask, Fetch, Find, Finished, Item, Rejected, Reply, Steps
from whyset.models import Prices
from whyset.retriever import Grounding, Searcher, fetch_passages

from .._pipeline import Pipeline
from ..engine._record import row_key
from ..ledger._ledger import BloomFilter
from ._cost import AskCost, CostModel, CostTotals, Estimate, Reservoir

# ---- Rows walked side by side without a model, so that their finds are answered together.


class SimulationStopped(Exception):
    """What answers an ask that ends a row's walk."""


@dataclass(slots=True)
class _SimulatedRow:
    steps: Steps[Finished | Rejected]
    answer: Callable[[Ask], Reply]

    def advance(self, sent: Grounding | None) -> Find | Fetch | None:
        """Go on to the next find or fetch; `None` where there is none any more."""
        try:
            question = next(self.steps) if sent is None else self.steps.send(sent)
            while isinstance(question, Ask):
                question = self.steps.send(self.answer(question))
        except (StopIteration, SimulationStopped):
            self.steps.close()
            return None
        return question


class Simulation:
    """Steps of many rows, led to their ends with real retrieval.

    Equal finds are answered once: the same row may be walked in several ways for the price of one.
    """

    def __init__(self, retriever: Searcher) -> None:
        self._retriever = retriever
        self._walkers: list[_SimulatedRow] = []

    def add(self, steps: Steps[Finished | Rejected], answer: Callable[[Ask], Reply]) -> None:
        """Add a row's steps, and who answers their asks: a reply, or `SimulationStopped`."""
        self._walkers.append(_SimulatedRow(steps, answer))

    def run(self) -> None:
        """Lead all that were added to their ends.

        Raises:
            RetrieverError: The embedder or the index failed.
            GeneratorError: The generator cannot be walked.
        """
        known: dict[Find | Fetch, Grounding] = {}
        wanted = [(walker, walker.advance(None)) for walker in self._walkers]
        while asked := [(walker, find) for walker, find in wanted if find is not None]:
            new = dict.fromkeys(find for _, find in asked if find not in known)
            known.update(zip(new, self._retrieve(new), strict=True))
            wanted = [(walker, walker.advance(known[find])) for walker, find in asked]
        self._walkers.clear()

    def _retrieve(self, finds: Iterable[Find | Fetch]) -> Sequence[Grounding]:
        ordered = list(finds)
        by_k: dict[int, list[tuple[int, Find]]] = defaultdict(list)
        found: dict[int, Grounding] = {}
        for place, find in enumerate(ordered):
            if isinstance(find, Fetch):
                found[place] = fetch_passages(
                    self._retriever.constitution, find.ids, scope=find.scope
                )
            else:
                by_k[find.k].append((place, find))
        for k, wanted in by_k.items():
            groundings = self._retriever.find_passages([find.texts for _, find in wanted], k=k)
            found.update(zip((place for place, _ in wanted), groundings, strict=True))
        return [found[place] for place in range(len(ordered))]


# ---- Rehearsed replies told apart: to different asks they differ, to equal ones they are equal.

_LETTERS = "abcdefghijklmnop"
_WORD_LENGTH = 8
_MIN_WORDS = 3


def make_reply_unique(reply: Reply, key: str, *, structured: bool) -> Reply:
    """Return a reply with a made-up word in it that depends on what was asked alone.

    Args:
        reply: What was rehearsed.
        key: The ask's key: hex digits.
        structured: Whether the reply is JSON. The word then goes behind its longest text; where
            none has a few words, nothing is changed, since it might be one of a fixed set.
    """
    word = "".join(_LETTERS[int(digit, 16)] for digit in key[:_WORD_LENGTH])
    if not structured:
        return replace(reply, text=f"{reply.text} {word}")
    value = json.loads(reply.text)
    places = [
        place for place in _iter_text_places(value) if len(_text_at(place).split()) >= _MIN_WORDS
    ]
    if not places:
        return reply
    holder, name = max(places, key=lambda place: len(_text_at(place)))
    holder[name] = f"{holder[name]} {word}"
    return replace(reply, text=json.dumps(value, ensure_ascii=False))


def _iter_text_places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield where texts stand: what holds each, and under which key or number."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, held in pairs:
        if isinstance(held, str):
            yield value, name
        elif isinstance(held, dict | list):
            yield from _iter_text_places(held)


def _text_at(place: tuple[Any, Any]) -> str:
    text: str = place[0][place[1]]
    return text


DEFAULT_SAMPLE = 500
"""How many rows are walked where nothing else is said: some ten seconds of retrieval."""

DEFAULT_REASONING_TOKENS = 500
"""Output tokens allowed for reasoning before each answer. Models that reason by default differ
much in it and no published figure holds for rows one has not seen: a guess, replaced by what
replies really took as soon as a ledger has some (`Estimate.as_so_far`)."""

_CHUNK = 64


class LedgerReader(Protocol):
    """What an estimate reads of a run's ledger."""

    def reply(self, key: str) -> Reply | None:
        """Return the reply recorded for an ask key, if there is one."""

    def row(self, key: str) -> bytes | None:
        """Return the record of a finished row, if there is one."""


def estimate_run(
    crew: Pipeline,
    rows: Iterable[Item | BadRow],
    prices: Prices,
    *,
    ledger: LedgerReader | None = None,
    sample: int = DEFAULT_SAMPLE,
    seed: int = 0,
    reasoning: int = DEFAULT_REASONING_TOKENS,
    has_shared_asks: bool = False,
    on_simulated: Callable[[int], None] = lambda walked: None,
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
        has_shared_asks: Whether rows share asks, so that how often the sample repeats one tells how many
            different ones all rows have.
        on_simulated: Called now and then with how many of the rows to do have been walked.

    Raises:
        DatasetError: The input cannot be read.
        GeneratorError: The generator has no dry run.
        RetrieverError: The embedder or the index failed.
        RunError: The ledger cannot be read.
    """
    pricing = CostModel(prices, reasoning)
    survey = _InputSurvey(rows, crew.identity, ledger, seed)
    todo = survey.sample(sample) if sample else survey.iter_remaining()
    # Equal asks are answered once in a run. In a sample their twins are mostly not there to see.
    dedupe = has_shared_asks or not isinstance(todo, list) or len(todo) == survey.remaining
    asked = partial(_MockWalk, crew, pricing, ledger, dedupe=dedupe, apart=has_shared_asks)
    least, most = asked(at_stake=False), asked(at_stake=True)
    so_far = _ReplayWalk(crew, pricing, ledger)
    walked = 0
    for count in _simulate_rows(todo, (least, most), crew.retriever):
        walked += count
        on_simulated(walked)
    for _ in _simulate_rows(survey.finished_rows(), (so_far,), crew.retriever):
        pass
    remaining = survey.remaining
    projection = None
    if so_far.totals.rows:
        projection = so_far.totals.forecast(remaining, pricing, among=None, known=True)
    return Estimate(
        rows=remaining + survey.finished,
        unreadable=survey.unreadable,
        finished=survey.finished,
        simulated=walked,
        seed=seed,
        reasoning=reasoning,
        prices_date=prices.dated,
        least=least.totals.forecast(remaining, pricing, among=remaining),
        most=most.totals.forecast(remaining, pricing, among=remaining),
        projected=projection,
        projected_from=so_far.totals.rows,
    )


class _InputSurvey:
    """An input read once: the rows to do, and a sample of those that are done.

    Attributes:
        remaining: How many rows to do were read so far.
        unreadable: How many lines hold no usable row.
    """

    def __init__(
        self, rows: Iterable[Item | BadRow], identity: str, ledger: LedgerReader | None, seed: int
    ) -> None:
        self.remaining = 0
        self.unreadable = 0
        self._rows = rows
        self._identity = identity
        self._ledger = ledger
        self._seed = seed
        # A sample will always do: finished rows only show what rows are like.
        self._finished: Reservoir[Item] = Reservoir(DEFAULT_SAMPLE, seed)

    @property
    def finished(self) -> int:
        """How many finished rows were read so far."""
        return self._finished.seen

    def iter_remaining(self) -> Iterator[Item]:
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
        for row in self.iter_remaining():
            drawn.add(row)
        return sorted(drawn.items, key=lambda row: row.line)

    def finished_rows(self) -> list[Item]:
        """Return a sample of the finished rows, in order."""
        return sorted(self._finished.items, key=lambda row: row.line)

    def _is_done(self, row: Item) -> bool:
        if self._ledger is None:
            return False
        return self._ledger.row(row_key(row, self._identity)) is not None


class _Walk:
    """One way of walking rows, and what the rows walked so take."""

    def __init__(self, crew: Pipeline, pricing: CostModel, ledger: LedgerReader | None) -> None:
        self.totals = CostTotals()
        self._crew = crew
        self._pricing = pricing
        self._ledger = ledger

    def walk(self, row: Item, walk: Simulation) -> Callable[[], None]:
        """Add a row's steps to a walk; call what is returned when it has ended."""
        took: list[AskCost] = []
        cut: list[Ask] = []

        def answer(ask: Ask) -> Reply:
            model = self._crew.models[ask.role]
            if model.is_extractive:
                return model.answer(ask)  # as in a run: free, and nobody is asked
            reply = self._answer(ask, row, took)
            if reply is None:
                cut.append(ask)
                raise SimulationStopped
            return reply

        walk.add(self._crew.generator.steps(row), answer)

        def end() -> None:
            if not cut:
                self.totals.add(took)

        return end

    def _answer(self, ask: Ask, row: Item, took: list[AskCost]) -> Reply | None:
        """Answer an ask and note what it takes; `None` where nobody knows."""
        raise NotImplementedError

    def _known(self, ask: Ask) -> Reply | None:
        if self._ledger is None:
            return None
        return self._ledger.reply(ask.key(self._crew.models[ask.role].identity))


class _MockWalk(_Walk):
    """What would be asked; what is answered already costs nothing."""

    def __init__(
        self,
        crew: Pipeline,
        pricing: CostModel,
        ledger: LedgerReader | None,
        *,
        at_stake: bool,
        dedupe: bool,
        apart: bool,
    ) -> None:
        super().__init__(crew, pricing, ledger)
        self._at_stake = at_stake
        self._apart = apart
        self._asked = BloomFilter() if dedupe else None

    def _answer(self, ask: Ask, row: Item, took: list[AskCost]) -> Reply:
        if (known := self._known(ask)) is not None:
            return known
        reply = self._crew.generator.mock_reply(ask, row, at_stake=self._at_stake)
        model = self._crew.models[ask.role]
        key = ask.key(model.identity)
        if self._apart:
            reply = make_reply_unique(reply, key, structured=ask.schema is not None)
        if self._asked is not None:
            if key in self._asked:
                self.totals.count_repeat(ask.step, model.name)
                return reply
            self._asked.add(key)
        took.append(self._pricing.estimate_ask(ask, model.name, reply.usage.output_tokens))
        return reply


class _ReplayWalk(_Walk):
    """What finished rows took, by the replies in the ledger."""

    def _answer(self, ask: Ask, row: Item, took: list[AskCost]) -> Reply | None:
        if (known := self._known(ask)) is not None:
            model = self._crew.models[ask.role]
            took.append(self._pricing.price_ask(ask, model.name, known.usage))
        return known


def _simulate_rows(
    rows: Iterable[Item], ways: Sequence[_Walk], retriever: Searcher
) -> Iterator[int]:
    """Walk rows in every way, some at a time; yield how many it were."""
    rest = iter(rows)
    while chunk := list(islice(rest, _CHUNK)):
        walk = Simulation(retriever)
        ended = [way.walk(row, walk) for row in chunk for way in ways]
        walk.run()
        for end in ended:
            end()
        yield len(chunk)
