"""Measure what grows with the dataset and must not: memory, rate, resuming. Prints Markdown.

    python benchmarks/scale.py [--rows 1000000] [--resumed 200000] [--bytes 2000]

A long file goes through the whole live engine against a server without latency (a process of its
own); every row takes one ask. The rate of the first and the last tenth, and the most memory the
process ever held, are printed; then a finished run is run again, with nothing left to do.
Retrieval is a fake here: it costs the same for every row, wherever it stands.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from throughput import KEY, MODEL, FixedSearcher, serving

from whyset.generators.deliberation import Deliberation
from whyset.models import AnthropicModel
from whyset.pipelines import Pipeline, RequestStats, Run, RunConfig, RunCounts, RunFiles, Summary


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description="Measure memory, rate and resuming at scale.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--resumed", type=int, default=200_000)
    parser.add_argument("--bytes", type=int, default=2000, help="of a row, about")
    parser.add_argument("--in-flight", type=int, default=64)
    options = parser.parse_args()
    with serving(0.0) as url, tempfile.TemporaryDirectory() as folder:
        print("| rows | what | took, s | rows/s | first tenth, rows/s | last tenth | peak, MB |")
        print("|---|---|---|---|---|---|---|")
        for count, again in ((options.resumed, True), (options.rows, False)):
            if not count:
                continue
            source = write_rows(Path(folder) / f"{count}.jsonl", count, options.bytes)
            output = Path(folder) / f"{count}.out.jsonl"
            report(count, "whole run", source, output, url, options.in_flight)
            if again:
                report(count, "run again, nothing to do", source, output, url, options.in_flight)


def write_rows(path: Path, count: int, size: int) -> Path:
    """Write rows of about so many bytes, no two alike."""
    filling = "We went through it step by step, and every step is one that you can check. "
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            response = f"{number} times seven is {number * 7}. " + filling * (size // len(filling))
            record = {"id": number, "prompt": f"What is {number} times 7?", "response": response}
            file.write(json.dumps(record) + "\n")
    return path


def report(count: int, what: str, source: Path, output: Path, url: str, in_flight: int) -> None:
    """Run in a process of its own, whose memory is then its alone, and print the line."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        seconds, tenths, peak = pool.apply(run, (source, output, url, in_flight, count))
    first, last = (f"{rate:,.0f}" if rate else "" for rate in tenths)
    print(
        f"| {count:,} | {what} | {seconds:,.1f} | {count / seconds:,.0f} | {first} | {last} "
        f"| {peak:,.0f} |",
        flush=True,
    )


def run(
    source: Path, output: Path, url: str, in_flight: int, count: int
) -> tuple[float, tuple[float, float], float]:
    """Run the engine once; return seconds, the first and last tenth's rates, and peak megabytes."""
    model = AnthropicModel(MODEL, base_url=url, api_key=KEY)
    crew = Pipeline.build(Deliberation(), model, model, FixedSearcher())
    began = time.perf_counter()
    marks: dict[int, float] = {0: began}
    wanted = {count // 10, count - count // 10, count}

    def on_row(tally: RunCounts, traffic: RequestStats) -> None:
        if tally.rows in wanted:
            marks[tally.rows] = time.perf_counter()

    files = RunFiles.from_output(str(source), str(output))
    summary: Summary = asyncio.run(
        Run(files, crew, RunConfig(concurrency=in_flight), on_row=on_row).aexecute()
    )
    seconds = time.perf_counter() - began
    assert summary.counts.outcomes["untouched"] == count, summary.counts
    tenth, last = count // 10, count - count // 10
    rates = (tenth / (marks[tenth] - marks[0]), tenth / (marks[count] - marks[last]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, rates, peak / (2**20 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
