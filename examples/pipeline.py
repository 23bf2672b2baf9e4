"""A step of a LangChain pipeline: rows in, grounded rows out, every ask visible to callbacks."""

import json
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableLambda

from whyset.constitution import Constitution
from whyset.generators import RowRejected
from whyset.generators.deliberation import Deliberation
from whyset.retriever import PassageRetriever

MODEL = "extractive"  # any provider:model, or a LangChain chat model


def tidy(row: dict[str, Any]) -> dict[str, Any]:
    """A step of your own before: drop what the model should not see."""
    return {name: value for name, value in row.items() if name != "source"}


def outcome(row: dict[str, Any]) -> str:
    """A step of your own behind: what became of the row."""
    return f"{row['id']}: {row['whyset']['outcome']}"


def main() -> None:
    lines = Path(__file__).with_name("sft.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines[:6]]
    deliberation = Deliberation(channel="thinking")
    rewrite = deliberation.bind(MODEL, PassageRetriever.open(Constitution.charter()))
    chain = RunnableLambda(tidy) | rewrite | RunnableLambda(outcome)
    for result in chain.batch(rows, {"max_concurrency": 4}, return_exceptions=True):
        # A row that does not pass is an exception here: there is no quarantine file to put it in.
        print(f"rejected: {result.reasons}" if isinstance(result, RowRejected) else result)


if __name__ == "__main__":
    main()
