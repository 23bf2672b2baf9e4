"""A generator in `Dataset.map`, of the datasets library."""

import json
from collections import Counter
from pathlib import Path

# For type checkers `datasets` is a folder of this repository.
from datasets import Dataset, disable_progress_bars  # type: ignore[attr-defined]
from whyset.constitution import Constitution
from whyset.datasets import require_provenance
from whyset.generators.deliberation import Deliberation
from whyset.pipelines import mapper

MODEL = "extractive"  # any provider:model, or a LangChain chat model


def main() -> None:
    disable_progress_bars()
    lines = Path(__file__).with_name("sft.jsonl").read_text(encoding="utf-8").splitlines()
    dataset = Dataset.from_list([row for row in map(json.loads, lines) if "prompt" in row])
    work = mapper(Deliberation(), Constitution.charter(), model=MODEL)
    # Asks of a batch run side by side; it needs no num_proc.
    mapped = dataset.map(work, batched=True, batch_size=6, features=work.features(dataset.features))

    print(Counter(require_provenance(row)["outcome"] for row in mapped))
    # Rows that did not pass are still there, marked as quarantined: leave them out of training.
    kept = mapped.filter(lambda row: require_provenance(row)["outcome"] != "quarantined")
    print(f"{len(dataset)} rows in, {len(mapped)} out, {len(kept)} not quarantined")


if __name__ == "__main__":
    main()
