"""A list of rows in, as many out: nothing is lost, whatever becomes of a row."""

import json
from collections import Counter
from pathlib import Path

from whyset.generators.deliberation import Deliberation
from whyset.pipelines import rewrite_rows

MODEL = "extractive"  # any provider:model, a LangChain chat model, or a whyset Model


def main() -> None:
    lines = Path(__file__).with_name("sft.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines[:8]] + [{"id": "broken", "text": "no row at all"}]
    # With ledger=Path("…") every reply is kept as it comes, and none is paid twice.
    finished = rewrite_rows(rows, Deliberation(channel="thinking"), model=MODEL)

    print(Counter(row["whyset"]["outcome"] for row in finished))
    for row in finished:
        if row["whyset"]["outcome"] == "quarantined":
            print(row["id"], row["whyset"]["reasons"], row["whyset"]["detail"])


if __name__ == "__main__":
    main()
