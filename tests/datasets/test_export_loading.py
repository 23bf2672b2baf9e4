"""`datasets.load_dataset` reads every export: by the card of its folder, or file by file."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from support.exports import document, ordinary, read, rewritten, run_export

from whyset.datasets import loads, open_source
from whyset.datasets.export import TRAINERS, Export, ExportReport, ExportSettings
from whyset.pipelines import CardFacts, CardSettings, RunFacts, collect_export_facts, render_card

Load = Callable[..., Any]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The library's own, with a cache of its own: it knows folders by their last name alone."""
    library = import_module("datasets")
    library.disable_progress_bars()

    def load(path: Path, *names: str, **options: Any) -> Any:
        return library.load_dataset(str(path), *names, cache_dir=f"{tmp_path}/cache", **options)

    return load


def export_with_card(folder: Path, consumer: str, form: str) -> Path:
    """Export rows that differ in all that they may, mixed, split, with control and card."""
    rows = [rewritten(n, "untouched" if n % 3 else "rewritten") for n in range(12)]
    run_export(folder, rows)  # writes what is read
    facts = CardFacts()

    def card(made: ExportReport) -> str:
        return render_card(
            facts, RunFacts(), CardSettings(), export=collect_export_facts(made, "out")
        )

    (folder / "mix").mkdir()
    run_export(folder / "mix", [ordinary(n) for n in range(20)])
    export = Export.prepare(
        f"{folder}/pub/",
        open_source(folder / "rows.jsonl"),
        consumer,
        settings=ExportSettings(share=0.2, split=0.6, control=True, think_tags=True, keep=("id",)),
        mix=open_source(folder / "mix" / "rows.jsonl"),
        form=form,
    )
    export.card, export.on_row = card, facts.add
    export.run()
    return folder / "pub"


@pytest.mark.parametrize(
    ("consumer", "form"),
    [(name, "jsonl") for name in TRAINERS] + [("trl", "parquet"), ("axolotl", "jsonl.zst")],
)
def test_a_folder_is_read_by_its_card(tmp_path: Path, load: Load, consumer: str, form: str) -> None:
    folder = export_with_card(tmp_path, consumer, form)

    treated, control = load(folder), load(folder, "control")

    assert set(treated) == set(control) == {"train", "test"}
    assert {split: len(rows) for split, rows in treated.items()} == {
        split: len(rows) for split, rows in control.items()
    }
    assert sum(map(len, treated.values())) == 20
    if form == "jsonl":
        written = read(folder / "train.jsonl")
        asked = "conversations" if consumer == "llama-factory" else "messages"
        said = "value" if consumer == "llama-factory" else "content"
        assert [row[asked][-1][said] for row in treated["train"]] == [
            row[asked][-1][said] for row in written
        ]


def test_documents_and_tools_are_read_as_they_were_written(tmp_path: Path, load: Load) -> None:
    calling = rewritten()
    calling["tools"] = [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object", **own}}}
        for name, own in (("a", {"properties": {"q": {"type": "string"}}}), ("b", {}))
    ]
    run_export(tmp_path, [calling, rewritten(1)], output="tools.jsonl")
    run_export(tmp_path, [document("A."), document("B.")], output="texts.jsonl")

    first, second = load(Path("json"), data_files=f"{tmp_path}/tools.jsonl", split="train")
    texts = load(Path("json"), data_files=f"{tmp_path}/texts.jsonl", split="train")

    assert [tool["function"]["name"] for tool in loads(first["tools"].encode())] == ["a", "b"]
    assert second["tools"] is None
    assert list(texts["text"]) == ["A.", "B."]
