"""The dataset card: a header that the hub takes, and what the run and its rows say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCardData

from whyset.pipelines import CardFacts, CardSettings, ExportFacts, RunError, RunFacts, render_card

MANIFEST: dict[str, Any] = {
    "whyset": "0.1.0",
    "input": "sft.jsonl",
    "output": "out.jsonl",
    "selection": {"turns": "all", "side": "chosen", "shape": None, "replace_provenance": False},
    "to": "messages",
    "constitution": {"title": "Manners", "sha256": "ab12", "file": "manners.md"},
    "generator": {"name": "deliberation", "version": "1"},
    "models": {"writer": "anthropic:claude-opus-5-5", "judge": "anthropic:claude-haiku-5-5"},
    "settings": {"channel": "thinking", "cite": "implicit", "k": 8, "embedder": "lexical"},
    "prices_of": "2026-11-23",
    "summary": {
        "reasons": {"conflict": 2, "refused": 1},
        "spent": [
            {
                "step": "deliberation/write",
                "model": "anthropic:claude-opus-5-5",
                "replies": 3,
                "input_tokens": 900,
                "output_tokens": 300,
                "cache_read_tokens": 100,
                "cache_write_tokens": 0,
                "dollars": 1.25,
            }
        ],
    },
}


def provenance_record(outcome: str = "rewritten", **column: Any) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "generator": "deliberation",
        "version": "1",
        "models": {"writer": "anthropic:claude-opus-5-5"},
        "channel": "thinking",
        "prompts": {"deliberation/write": "9e9d49493ffe"},
        "constitution": {"title": "Manners", "sha256": "ab12"},
        "checks": {"length": "passed", "quotations": "skipped"},
        **column,
    }


def parts_of(card: str) -> tuple[dict[str, Any], str]:
    _, header, text = card.split("---\n", 2)
    return yaml.safe_load(header), text


def card(
    *columns: dict[str, Any] | None,
    run: RunFacts | None = None,
    export: ExportFacts | None = None,
    **settings: Any,
) -> tuple[dict[str, Any], str]:
    facts = CardFacts.from_provenance(columns or [provenance_record()])
    return parts_of(render_card(facts, run or RunFacts(), CardSettings(**settings), export=export))


def test_the_header_is_what_the_hubs_own_library_reads() -> None:
    facts = CardFacts.from_provenance([provenance_record(language="en")] * 1500)
    text = render_card(
        facts,
        RunFacts(),
        CardSettings("Manners", "CC-BY-4.0"),
        files={"train": "out.jsonl"},
    )

    header, _ = parts_of(text)
    read: Any = DatasetCardData(**header)
    assert read.to_dict() == header
    assert header == {
        "pretty_name": "Manners",
        "license": "cc-by-4.0",
        "language": ["en"],
        "task_categories": ["text-generation"],
        "tags": ["whyset", "synthetic", "constitution", "deliberation"],
        "size_categories": ["1K<n<10K"],
        "configs": [
            {"config_name": "default", "data_files": [{"split": "train", "path": "out.jsonl"}]}
        ],
    }


def test_a_licence_that_the_hub_does_not_know_is_named_beside_other() -> None:
    header, _ = card(licence="House rules 2")

    assert (header["license"], header["license_name"]) == ("other", "House rules 2")


def test_a_generator_of_two_versions_is_named_once_in_the_title() -> None:
    header, _ = card(provenance_record(), provenance_record(version="2"))

    assert header["pretty_name"] == "Rows by whyset (deliberation)"
    assert header["tags"].count("deliberation") == 1


def test_a_missing_licence_is_said() -> None:
    header, text = card(run=RunFacts(MANIFEST))

    assert "license" not in header
    assert "No licence was stated for this dataset." in text
    assert "| sft.jsonl | not stated |" in text


def test_rows_are_counted_and_checks_have_rates() -> None:
    _, text = card(
        provenance_record(),
        provenance_record("untouched", checks={}),
        provenance_record(checks={"length": "failed"}, targets=None),
        provenance_record("annotated", targets=[{"checks": {"length": "passed"}}, {"checks": {}}]),
        None,
    )

    for line in (
        "| rewritten | 2 |",
        "| untouched | 1 |",
        "| without provenance | 1 |",
        "| length | 2 | 1 | 0 | 66.7% |",
        "| quotations | 0 | 0 | 1 | – |",
        "| deliberation/write | `9e9d49493ffe` |",
        "Constitution: Manners, SHA-256 `ab12` (4 rows).",
        "- Models: writer: anthropic:claude-opus-5-5 (4 rows)",
        "- 1 rows are `annotated`",
    ):
        assert line in text


def test_a_run_has_its_cost_and_how_to_repeat_it() -> None:
    _, text = card(
        run=RunFacts(MANIFEST, tuple(MANIFEST["summary"]["spent"])), sources={"x": "mit"}
    )

    for line in (
        "$1.25, by the prices of 2026-11-23.",
        "| deliberation/write | anthropic:claude-opus-5-5 | 3 | 1,000 | 300 |",
        "| conflict | 2 |",
        "| x | mit |",
        "    whyset rewrite sft.jsonl -o out.jsonl --model anthropic:claude-opus-5-5 "
        "--judge anthropic:claude-haiku-5-5 --constitution manners.md --channel thinking "
        "--embedder lexical --turns all --to messages",
    ):
        assert line in text


def test_a_corpus_is_repeated_from_its_plan() -> None:
    corpus = {name: MANIFEST[name] for name in ("whyset", "constitution", "models", "output")}
    corpus |= {
        "generator": {"name": "advice", "version": "1"},
        "plan": {"documents": 40, "seed": 7},
        "plan_file": None,
        "settings": {},
    }

    words = " ".join(RunFacts(corpus).command())
    planned = " ".join(RunFacts(corpus | {"plan_file": "plan.yaml"}).command())

    assert words.startswith("whyset write advice -o out.jsonl -n 40 --seed 7 --model ")
    assert planned.startswith("whyset write advice -o out.jsonl --plan plan.yaml --model ")


def test_an_export_has_its_control() -> None:
    export = ExportFacts(
        "trl",
        "messages",
        10,
        8,
        0.2,
        {"annotated": 4},
        ["columns dropped: id"],
        ["whyset", "export", "out.jsonl", "-o", "pub", "--for", "trl"],
        {"default": {"train": "train.jsonl"}, "control": {"train": "control/train.jsonl"}},
        ("other.jsonl",),
    )

    header, text = card(export=export)

    assert [config["config_name"] for config in header["configs"]] == ["default", "control"]
    for line in (
        "10 rows, of which 8 are ordinary rows mixed in; 20% are synthetic.",
        "`control/train.jsonl` is the matched control of train",
        "| annotated | 4 |",
        "| other.jsonl | not stated |",
        "    whyset export out.jsonl -o pub --for trl",
        "- columns dropped: id",
    ):
        assert line in text


def test_text_from_the_data_cannot_become_markup() -> None:
    title = "A `title` | with <b>markup</b>\n# and a heading"

    header, text = card(
        provenance_record(
            constitution={"title": title, "sha256": "`x`"}, checks={"a|b\nc": "passed"}
        ),
        title="---\n# Not a heading: [x](y)",
    )

    assert header["pretty_name"] == "--- # Not a heading: [x](y)"
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert r"A \`title\` \| with \<b\>markup\</b\> # and a heading" in text
    assert r"| a\|b c | 1 | 0 | 0 | 100.0% |" in text


def test_what_lies_beside_an_output_is_read(tmp_path: Path) -> None:
    (tmp_path / "out.run.json").write_text(json.dumps(MANIFEST), encoding="utf-8")

    run = RunFacts.read(tmp_path / "out.jsonl")

    assert run.dollars == 1.25
    assert (run.selection.turns, run.selection.shape) == ("all", "messages")
    assert RunFacts.read(tmp_path / "other.jsonl") == RunFacts()


@pytest.mark.parametrize("text", ["{", "[]", '{"output": 1}'])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "out.run.json").write_text(text, encoding="utf-8")

    with pytest.raises(RunError, match=r"out\.run\.json: (cannot be read as|is not) a run's"):
        RunFacts.read(tmp_path / "out.jsonl")


def test_unpriced_steps_leave_the_cost_unknown() -> None:
    step = {**MANIFEST["summary"]["spent"][0], "dollars": None}

    _, text = card(run=RunFacts(MANIFEST, (step,)))

    assert "not known" in text.lower()
    assert "$" not in text
