"""A dry run: the rows of a run simulated with real retrieval and mock replies, nothing sent."""

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

DEFAULT_SAMPLE = 500
"""How many rows are simulated where nothing else is said: some ten seconds of retrieval."""

DEFAULT_REASONING_TOKENS = 500
"""Output tokens allowed for reasoning before each answer. Models that reason by default differ
much in it and no published figure holds for rows one has not seen: a guess, replaced by what
replies really took as soon as a ledger has some (`Estimate.projected`)."""

_CHUNK = 64


class LedgerReader(Protocol):
    """What an estimate reads of a run's ledger."""

    def reply(self, key: str) -> Reply | None:
        """Return the reply recorded for an ask key, if there is one."""

    def row(self, key: str) -> bytes | None:
        """Return the record of a finished row, if there is one."""


def estimate_run(
    pipeline: Pipeline,
    rows: Iterable[Item | BadRow],
    prices: Prices,
    *,
    ledger: LedgerReader | None = None,
    sample: int = DEFAULT_SAMPLE,
    seed: int = 0,
    reasoning: int = DEFAULT_REASONING_TOKENS,
    has_shared_asks: bool = False,
    on_simulated: Callable[[int], None] = lambda simulated: None,
) -> Estimate:
    """Estimate what a run would ask and cost from here on; no model is asked.

    Every row is read once; memory does not grow with their number. Those that the ledger has
    cost nothing more and are left out. Of the others a random sample is simulated: passages are
    retrieved as in the run, an ask whose reply is in the ledger gets it and costs nothing, every
    other gets the generator's mock reply and is counted.

    What is assumed: a prompt's tokens are those of `estimate_tokens` times the model's own
    `tokens` in the price list; an answer is as long as the generator's mock reply, plus
    `reasoning`; what all prompts of a step begin with is written to the provider's cache once and
    read ever after, where it is surely (by a quarter) longer than the least that is cached, and
    otherwise read at the full price; nothing is cached in batches; nothing has to be asked again.

    Args:
        pipeline: What would work; its models are not asked, unless they only quote.
        rows: The input.
        prices: What replies cost.
        ledger: The run's ledger where there is one; it is only read.
        sample: How many rows to simulate; 0 simulates all.
        seed: What the sample is drawn with: the same seed and input give the same estimate.
        reasoning: Output tokens allowed for reasoning before each answer.
        has_shared_asks: Whether rows share asks, so that how often the sample repeats one says
            how many distinct ones all rows have.
        on_simulated: Called now and then with how many of the rows to do have been simulated.

    Raises:
        DatasetError: The input cannot be read.
        GeneratorError: The generator has no dry run.
        RetrieverError: The embedder or the index failed.
        RunError: The ledger cannot be read.
    """
    costs = CostModel(prices, reasoning)
    survey = _InputSurvey(rows, pipeline.identity, ledger, seed)
    todo = survey.sample(sample) if sample else survey.iter_remaining()
    # Equal asks are answered once in a run. In a sample their twins are mostly not there to see.
    dedupe = has_shared_asks or not isinstance(todo, list) or len(todo) == survey.remaining
    least, most = (
        _RowCosts(
            pipeline,
            costs,
            ledger,
            at_stake=at_stake,
            dedupe=dedupe,
            unique_replies=has_shared_asks,
        )
        for at_stake in (False, True)
    )
    so_far = _RowCosts(pipeline, costs, ledger, at_stake=None)
    simulated = 0
    for count in _simulate_rows(todo, (least, most), pipeline):
        simulated += count
        on_simulated(simulated)
    for _ in _simulate_rows(survey.finished_rows(), (so_far,), pipeline):
        pass
    remaining = survey.remaining
    projected = None
    if so_far.totals.rows:
        projected = so_far.totals.forecast(remaining, costs, among=None, known=True)
    return Estimate(
        rows=remaining + survey.finished,
        unreadable=survey.unreadable,
        finished=survey.finished,
        simulated=simulated,
        seed=seed,
        reasoning=reasoning,
        prices_date=prices.dated,
        least=least.totals.forecast(remaining, costs, among=remaining),
        most=most.totals.forecast(remaining, costs, among=remaining),
        projected=projected,
        projected_from=so_far.totals.rows,
    )


class _InputSurvey:
    """An input read once: the rows to do, and a sample of those that are done."""

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
            elif self._ledger and self._ledger.row(row_key(row, self._identity)) is not None:
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


# ---- Rows simulated side by side, so that their finds are answered together.


class SimulationStopped(Exception):
    """Raised in place of a reply: the row goes no further."""


@dataclass(slots=True)
class _SimulatedRow:
    steps: Steps[Finished | Rejected]
    answer: Callable[[Ask], Reply]
    is_stopped: bool = False

    def advance(self, sent: Grounding | None) -> Find | Fetch | None:
        """Go on to the next find or fetch; `None` where there is none any more."""
        try:
            question = next(self.steps) if sent is None else self.steps.send(sent)
            while isinstance(question, Ask):
                question = self.steps.send(self.answer(question))
        except StopIteration:
            return None
        except SimulationStopped:
            self.is_stopped = True
            self.steps.close()
            return None
        return question


class Simulation:
    """Steps of many rows, run to their ends with real retrieval.

    Equal finds are answered once: simulating the same row in several ways costs one retrieval.
    """

    def __init__(self, retriever: Searcher) -> None:
        self._retriever = retriever
        self._rows: list[_SimulatedRow] = []

    def add(
        self, steps: Steps[Finished | Rejected], answer: Callable[[Ask], Reply]
    ) -> _SimulatedRow:
        """Add a row's steps, and what answers their asks: a reply, or `SimulationStopped`."""
        row = _SimulatedRow(steps, answer)
        self._rows.append(row)
        return row

    def run(self) -> None:
        """Run all that were added to their ends.

        Raises:
            RetrieverError: The embedder or the index failed.
            GeneratorError: The generator has no mock replies.
        """
        known: dict[Find | Fetch, Grounding] = {}
        asked = [(row, row.advance(None)) for row in self._rows]
        while open_finds := [(row, find) for row, find in asked if find is not None]:
            new = dict.fromkeys(find for _, find in open_finds if find not in known)
            known.update(self._retrieve(new))
            asked = [(row, row.advance(known[find])) for row, find in open_finds]
        self._rows.clear()

    def _retrieve(self, requests: Iterable[Find | Fetch]) -> dict[Find | Fetch, Grounding]:
        found: dict[Find | Fetch, Grounding] = {}
        by_k: dict[int, list[Find]] = defaultdict(list)
        for request in requests:
            if isinstance(request, Fetch):
                found[request] = fetch_passages(
                    self._retriever.constitution, request.ids, scope=request.scope
                )
            else:
                by_k[request.k].append(request)
        for k, finds in by_k.items():
            groundings = self._retriever.find_passages([find.texts for find in finds], k=k)
            found.update(zip(finds, groundings, strict=True))
        return found


class _RowCosts:
    """What rows take whose asks are answered in one way.

    By mock replies that find something `at_stake` or not; with `None` by the ledger's replies
    alone, which then are what is counted.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        costs: CostModel,
        ledger: LedgerReader | None,
        *,
        at_stake: bool | None,
        dedupe: bool = False,
        unique_replies: bool = False,
    ) -> None:
        self.totals = CostTotals()
        self._pipeline = pipeline
        self._costs = costs
        self._ledger = ledger
        self._at_stake = at_stake
        self._unique_replies = unique_replies
        self._asked = BloomFilter() if dedupe else None

    def answer(self, row: Item, taken: list[AskCost], ask: Ask) -> Reply:
        """Answer an ask and note what it takes; without an answer the simulation stops."""
        model = self._pipeline.models[ask.role]
        if model.is_extractive:
            return model.answer(ask)  # as in a run: free
        key = ask.key(model.identity)
        known = self._ledger.reply(key) if self._ledger else None
        if self._at_stake is None:
            if known is None:
                raise SimulationStopped
            taken.append(self._costs.price_ask(ask, model.name, known.usage))
            return known
        if known is not None:
            return known
        reply = self._pipeline.generator.mock_reply(ask, row, at_stake=self._at_stake)
        if self._unique_replies:
            reply = make_reply_unique(reply, key, structured=ask.schema is not None)
        if self._asked is not None:
            if key in self._asked:
                self.totals.count_repeat(ask.step, model.name)
                return reply
            self._asked.add(key)
        taken.append(self._costs.estimate_ask(ask, model.name, reply.usage.output_tokens))
        return reply


def _simulate_rows(
    rows: Iterable[Item], ways: Sequence[_RowCosts], pipeline: Pipeline
) -> Iterator[int]:
    """Simulate rows in every way, some at a time; yield how many it were."""
    rest = iter(rows)
    while chunk := list(islice(rest, _CHUNK)):
        simulation = Simulation(pipeline.retriever)
        started = []
        for row in chunk:
            for way in ways:
                taken: list[AskCost] = []
                steps = pipeline.generator.steps(row)
                simulated = simulation.add(steps, partial(way.answer, row, taken))
                started.append((way, simulated, taken))
        simulation.run()
        for way, simulated, taken in started:
            if not simulated.is_stopped:
                way.totals.add(taken)
        yield len(chunk)


# ---- Mock replies made unique: to different asks they differ, to equal ones they are equal.

_LETTERS = "abcdefghijklmnop"
_WORD_LENGTH = 8
_MIN_WORDS = 3


def make_reply_unique(reply: Reply, key: str, *, structured: bool) -> Reply:
    """Return a reply with a made-up word in it that depends on the ask's key alone.

    In JSON the word goes behind the longest text; where none has a few words, nothing is changed,
    since it might be one of a fixed set.
    """
    word = "".join(_LETTERS[int(digit, 16)] for digit in key[:_WORD_LENGTH])
    if not structured:
        return replace(reply, text=f"{reply.text} {word}")
    value = json.loads(reply.text)
    places = [each for each in _iter_texts(value) if len(each[2].split()) >= _MIN_WORDS]
    if not places:
        return reply
    parent, name, text = max(places, key=lambda place: len(place[2]))
    parent[name] = f"{text} {word}"
    return replace(reply, text=json.dumps(value, ensure_ascii=False))


def _iter_texts(value: Any) -> Iterator[tuple[Any, Any, str]]:
    """Yield each text with what holds it, and under which key or number."""
    for name, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, str):
            yield value, name, each
        elif isinstance(each, dict | list):
            yield from _iter_texts(each)
