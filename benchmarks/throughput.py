"""Measure the live engine beside bare clients doing the same work. Prints Markdown.

    python benchmarks/throughput.py [--rows 5000] [--latency 0.05] [--in-flight 64 256] [--quick]

Every row takes one ask (the judge finds nothing at stake). The server is a process of its own
that answers after a fixed latency. The bare clients are given the very requests that the engine
sends, ready made; the engine reads the rows, renders the prompts, keeps the ledger and writes the
output in order. Retrieval is a fake here and timed apart, with the real index. Rounds take turns,
so that whatever else the machine does meets all alike.
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anthropic

from whyset.constitution import Constitution
from whyset.datasets import row_from_record
from whyset.generators import Ask, Find
from whyset.generators.deliberation import Deliberation
from whyset.models import AnthropicModel, LangChainModel, RetryPolicy
from whyset.models._anthropic_messages import build_request
from whyset.pipelines import Pipeline, Run, RunConfig, RunFiles
from whyset.retriever import Grounding, PassageRetriever, Searcher
from whyset.retriever.testing import FakeSearcher

ROOT = Path(__file__).resolve().parent.parent
MODEL = "claude-loopback-1"
KEY = "bench"
PRINCIPLES = Constitution.parse("# Manners\n\nLeave closed what belongs to somebody else.\n")


class FixedSearcher:
    """Finds the same for every query, at no cost and remembering nothing."""

    constitution = PRINCIPLES
    identity = "fixed"

    def __init__(self) -> None:
        (self._found,) = FakeSearcher(PRINCIPLES).find_passages([["things"]], k=8)

    def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
        """Return it."""
        return [replace(self._found, queries=tuple(query)) for query in queries]


@dataclass(frozen=True)
class Timed:
    """How a piece of work went: wall and CPU seconds of this process."""

    wall: float
    cpu: float


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description="Measure the live engine beside bare clients.")
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    parser.add_argument("--in-flight", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="1,000 rows, one round, one ratio")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.rounds, options.in_flight = 1000, 1, options.in_flight[:1]
    with serving(options.latency) as url, tempfile.TemporaryDirectory() as folder:
        print("| in flight | what | rows/s | CPU s per 1,000 rows | of its bare client |")
        print("|---|---|---|---|---|")
        # One loop for all: LangChain's clients do not outlive the loop they were used in.
        asyncio.run(measure_all(url, Path(folder), options))


async def measure_all(url: str, folder: Path, options: argparse.Namespace) -> None:
    """Print the lines of every concurrency."""
    for in_flight in options.in_flight:
        await measure(url, folder, options.rows, in_flight, options.rounds, options.quick)
    if not options.quick:
        await print_retrieval(folder, min(options.rows, 640))


async def measure(
    url: str, folder: Path, count: int, in_flight: int, rounds: int, quick: bool
) -> None:
    """Print the lines of one concurrency."""
    source = folder / "rows.jsonl"
    source.write_text("".join(f"{json.dumps(record)}\n" for record in records(count)), "utf-8")
    asks = [first_ask(record) for record in records(count)]
    bodies = [dict(build_request(ask, model=MODEL, effort=None)) for ask in asks]
    work: dict[str, Callable[[int], Awaitable[Timed]]] = {
        "bare AsyncAnthropic on aiohttp": lambda _: timed(bare_anthropic(url, bodies, in_flight)),
        "whyset, anthropic:": lambda n: engine(
            AnthropicModel(MODEL, base_url=url, api_key=KEY), source, folder / f"a{n}", in_flight
        ),
    }
    pairs = {"whyset, anthropic:": "bare AsyncAnthropic on aiohttp"}
    if not quick:
        # LangChain's client is slow enough that a part of the rows tells as much.
        part = count // 5
        some = folder / "some.jsonl"
        some.write_text("".join(f"{json.dumps(r)}\n" for r in records(part)), "utf-8")
        work["bare ChatAnthropic"] = lambda _: timed(bare_langchain(url, asks[:part], in_flight))
        work["whyset, langchain:"] = lambda n: engine(
            langchain(url), some, folder / f"l{n}", in_flight
        )
        pairs["whyset, langchain:"] = "bare ChatAnthropic"
    sizes = {name: count // 5 if "hat" in name or "lang" in name else count for name in work}
    runs: dict[str, list[Timed]] = {name: [] for name in work}
    for number in range(rounds):
        for name, do in work.items():
            runs[name].append(await do(in_flight * 1000 + number))
    for name, times in runs.items():
        ratio = ""
        if name in pairs:
            own = [b.wall / a.wall for a, b in zip(times, runs[pairs[name]], strict=True)]
            ratio = f"{statistics.median(own):.2f} ({min(own):.2f} to {max(own):.2f})"
        rate = sizes[name] / statistics.median(t.wall for t in times)
        cpu = 1000 * statistics.median(t.cpu for t in times) / sizes[name]
        print(f"| {in_flight} | {name} | {rate:,.0f} | {cpu:.2f} | {ratio} |", flush=True)


def records(count: int) -> Iterator[dict[str, Any]]:
    """Yield small rows."""
    for number in range(count):
        yield {
            "id": number,
            "prompt": f"What is {number} times seven? Please show how.",
            "response": f"{number} times seven is {number * 7}: add {number} seven times over.",
        }


def first_ask(record: dict[str, Any]) -> Ask:
    """Return the ask that a row takes."""
    steps = Deliberation().steps(row_from_record(record))
    question = next(steps)
    while isinstance(question, Find):
        question = steps.send(FixedSearcher().find_passages([question.texts], k=question.k)[0])
    assert isinstance(question, Ask)
    return question


async def engine(
    model: Any, source: Path, folder: Path, in_flight: int, retriever: Searcher | None = None
) -> Timed:
    """Run the whole live engine: reading, asks, ledger, output in order."""
    folder.mkdir(exist_ok=True)
    crew = Pipeline.build(Deliberation(), model, model, retriever or FixedSearcher())
    files = RunFiles.from_output(str(source), str(folder / "out.jsonl"))
    run = Run(files, crew, RunConfig(concurrency=in_flight, retries=RetryPolicy()))

    async def execute() -> None:
        summary = await run.aexecute()
        assert summary.counts.outcomes["untouched"] == summary.counts.rows, summary.counts

    return await timed(execute())


async def bare_anthropic(url: str, bodies: Sequence[dict[str, Any]], in_flight: int) -> None:
    """Send the requests through the SDK's own `messages.create`, and nothing else."""
    async with anthropic.AsyncAnthropic(
        base_url=url, api_key=KEY, http_client=anthropic.DefaultAioHttpClient()
    ) as client:
        await spread(bodies, in_flight, lambda body: client.messages.create(**body))


async def bare_langchain(url: str, asks: Sequence[Ask], in_flight: int) -> None:
    """Ask through `ainvoke` of LangChain's model, structured output as the engine wants it."""
    from langchain_core.messages import HumanMessage, SystemMessage

    chat: Any = langchain(url)._chat.model_copy(update={"max_tokens": asks[0].max_tokens})
    runnable = chat.with_structured_output(asks[0].schema, method="json_schema", include_raw=True)
    await spread(
        asks,
        in_flight,
        lambda ask: runnable.ainvoke([SystemMessage(ask.system), HumanMessage(ask.user)]),
    )


async def spread(
    items: Sequence[Any], in_flight: int, do: Callable[[Any], Awaitable[object]]
) -> None:
    """Work through items, so many at a time."""
    todo = iter(items)

    async def worker() -> None:
        for item in todo:
            await do(item)

    await asyncio.gather(*(worker() for _ in range(in_flight)))


def langchain(url: str) -> LangChainModel:
    """Open LangChain's own client for the server."""
    return LangChainModel(f"langchain:anthropic:{MODEL}", base_url=url)


async def timed(work: Awaitable[None]) -> Timed:
    """Wait for a piece of work and time it."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    await work
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timed(wall, cpu)


@contextmanager
def serving(latency: float) -> Iterator[str]:
    """Start the loopback server in a process of its own; yield its address."""
    command = [sys.executable, "-m", "support.answers.deliberation", "--latency", str(latency)]
    tests = ROOT / "tests"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tests) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


async def print_retrieval(folder: Path, count: int) -> None:
    """Print what real retrieval, done in batches ahead of the asks, adds to the time of a run."""
    retriever = PassageRetriever.open(Constitution.charter())
    source = folder / "retrieved.jsonl"
    source.write_text("".join(f"{json.dumps(record)}\n" for record in records(count)), "utf-8")
    print(f"\n| seconds an answer | {count} rows without retrieval, s | with, s | its share |")
    print("|---|---|---|---|")
    for latency in (0.05, 2.0):
        with serving(latency) as url:
            model = AnthropicModel(MODEL, base_url=url, api_key=KEY)
            without = await engine(model, source, folder / f"without-{latency}", 64)
            found = await engine(model, source, folder / f"with-{latency}", 64, retriever)
            await model.aclose()
        share = 1 - without.wall / found.wall
        print(f"| {latency:g} | {without.wall:.1f} | {found.wall:.1f} | {share:.0%} |", flush=True)


if __name__ == "__main__":
    import os

    os.environ["ANTHROPIC_API_KEY"] = KEY
    main()
