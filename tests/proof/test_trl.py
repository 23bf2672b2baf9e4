"""What is exported for TRL, trained on with TRL: the deliberation is learned, the prompt is not.

Rows are made by the command itself, with a server on this machine that speaks the provider's
protocol; the model is drawn at random, its tokenizer and chat template are ours.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from support.answers.deliberation import NOTHING, answer, rows, write_rows
from support.loopback import MODEL, LoopbackServer

# TRL, transformers and torch warn of each other's ways: that is theirs to mend, and no failure.
pytestmark = [pytest.mark.proof, pytest.mark.filterwarnings("default")]

WHYSET = str(Path(sys.executable).with_name("whyset"))
MANNERS = "# Manners\n\n## Things\n\nLeave closed what belongs to somebody else.\n"

Learned = list[tuple[str, str]]


@pytest.fixture(scope="module")
def training() -> Any:
    """The trainers, imported once."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    sys.path.insert(0, str(Path(__file__).parent))
    return import_module("training")


def whyset(folder: Path, *arguments: str, **environment: str) -> str:
    finished = subprocess.run(
        [WHYSET, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Rows that the command has rewritten: of three, two are, and one had nothing at stake."""
    made: dict[tuple[str, ...], Path] = {}

    def rewrite(*options: str, records: list[dict[str, Any]] | None = None) -> Path:
        if options not in made:
            folder = tmp_path_factory.mktemp("rewritten")
            write_rows(folder / "sft.jsonl", records or rows(3, "", "", NOTHING))
            (folder / "manners.md").write_text(MANNERS, encoding="utf-8")
            with LoopbackServer(answer) as server:
                whyset(
                    folder,
                    *("rewrite", "sft.jsonl", "-o", "out.jsonl", "-q"),
                    *("--constitution", "manners.md", "--embedder", "lexical"),
                    *("--model", f"anthropic:{MODEL}", *options),
                    **server.environment,
                )
            made[options] = folder
        return made[options]

    return rewrite


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_of_conversations_the_deliberation_and_the_answer_are_learned(
    training: Any, rewritten: Callable[..., Path], tmp_path: Path
) -> None:
    folder = rewritten("--channel", "thinking")

    outcome = whyset(folder, "export", "out.jsonl", "-o", "messages/", "--for", "trl")

    learned: Learned = training.finetuned(
        folder / "messages" / "train.jsonl", tmp_path, assistant_only_loss=True
    )
    exported = read(folder / "messages" / "train.jsonl")
    for (text, part), row in zip(learned[:2], exported[:2], strict=True):
        asked, answered = row["messages"]
        assert asked["content"] in text
        thought = f"<think>\n{answered['reasoning_content']}\n</think>\n\n"
        assert part == f"{thought}{answered['content']}<|im_end|>\n"
    # The row that was left alone has no reasoning: such a template makes it learn an empty thought.
    assert "reasoning_content" not in exported[2]["messages"][1]
    assert learned[2][1].startswith("<think>\n\n</think>")
    assert "learn an empty thought" in outcome


def test_of_completions_the_last_response_is_learned_and_no_empty_thought(
    training: Any, rewritten: Callable[..., Path], tmp_path: Path
) -> None:
    folder = rewritten("--channel", "thinking")

    outcome = whyset(
        folder, *("export", "out.jsonl", "-o", "pairs/", "--for", "trl", "--kind", "completion")
    )

    learned: Learned = training.finetuned(folder / "pairs" / "train.jsonl", tmp_path)
    exported = read(folder / "pairs" / "train.jsonl")
    for (text, part), row in zip(learned, exported, strict=True):
        (asked,), (answered,) = row["prompt"], row["completion"]
        thought = answered.get("reasoning_content", "")
        tagged = f"<think>\n{thought}\n</think>\n\n"
        assert text.endswith(f"{tagged}{answered['content']}<|im_end|>\n")
        assert part == f"{tagged if thought else ''}{answered['content']}<|im_end|>\n"
        assert asked["content"] in text
        assert asked["content"] not in part
    assert [bool(row["completion"][0].get("reasoning_content")) for row in exported] == [1, 1, 0]
    assert "empty thought" not in outcome


def test_a_preface_is_learned_as_a_part_of_the_answer(
    training: Any, rewritten: Callable[..., Path], tmp_path: Path
) -> None:
    folder = rewritten("--channel", "preface")

    whyset(folder, "export", "out.jsonl", "-o", "preface.parquet", "--for", "trl")

    learned: Learned = training.finetuned(
        folder / "preface.parquet", tmp_path, assistant_only_loss=True
    )
    assert len(learned) == 3
    for text, part in learned[:2]:
        assert "Two things pull apart" in part
        assert "I'd leave it closed" in part
        assert "may I read my sister's diary" in text
        assert "may I read my sister's diary" not in part


def test_the_control_learns_the_same_answers_without_the_deliberation(
    training: Any, rewritten: Callable[..., Path], tmp_path: Path
) -> None:
    folder = rewritten("--channel", "thinking")

    whyset(
        folder,
        *("export", "out.jsonl", "-o", "matched/", "--for", "trl"),
        *("--kind", "completion", "--control"),
    )

    treated, control = (
        training.finetuned(folder / "matched" / name, tmp_path / name.replace("/", "-"))
        for name in ("train.jsonl", "control/train.jsonl")
    )
    originals = [row["response"] for row in rows(3, "", "", NOTHING)]
    for (text, part), (text_before, part_before), original in zip(
        treated, control, originals, strict=True
    ):
        assert part_before == f"{original}<|im_end|>\n"
        assert part.endswith(part_before)
        assert text.partition("<think>")[0] == text_before.partition("<think>")[0]


def test_where_all_turns_were_rewritten_the_earlier_thoughts_are_not_learned_and_that_is_said(
    training: Any, rewritten: Callable[..., Path], tmp_path: Path
) -> None:
    asked, answered = (rows(2)[0], rows(2)[1])
    conversation = [
        {"role": "user", "content": asked["prompt"]},
        {"role": "assistant", "content": asked["response"]},
        {"role": "user", "content": answered["prompt"]},
        {"role": "assistant", "content": answered["response"]},
    ]
    folder = rewritten(
        *("--channel", "thinking", "--turns", "all"), records=[{"messages": conversation}] * 2
    )

    outcome = whyset(folder, "export", "out.jsonl", "-o", "turns/", "--for", "trl")

    (text, part), _ = training.finetuned(
        folder / "turns" / "train.jsonl", tmp_path, assistant_only_loss=True
    )
    assert text.count("Two things pull apart") == 1
    assert part.count("Two things pull apart") == 1
    assert "an earlier response carries reasoning" in outcome


def test_tools_and_calls_reach_the_template_as_they_are(training: Any, tmp_path: Path) -> None:
    find, weigh = (
        {"type": "function", "function": {"name": name, "description": "", "parameters": schema}}
        for name, schema in (
            ("find", {"type": "object", "properties": {"query": {"type": "string"}}}),
            ("weigh", {"type": "object", "properties": {"grams": {"type": "integer"}}}),
        )
    )
    records = [
        {
            "messages": [
                {"role": "user", "content": "go on"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "1", "type": "function", "function": called}],
                },
                {"role": "tool", "tool_call_id": "1", "content": "there"},
                {"role": "assistant", "reasoning_content": "it is there", "content": "done"},
            ],
            "tools": [tool],
        }
        for tool, called in (
            (find, {"name": "find", "arguments": '{"query": "x"}'}),
            (weigh, {"name": "weigh", "arguments": '{"grams": 3}'}),
        )
    ]
    write_rows(tmp_path / "tools.jsonl", records)

    whyset(tmp_path, "export", "tools.jsonl", "-o", "out/", "--for", "trl")

    learned: Learned = training.finetuned(
        tmp_path / "out" / "train.jsonl", tmp_path / "run", assistant_only_loss=True
    )
    assert [part for _, part in learned] == [
        '\n<tool_call>\n{"name": "find", "arguments": {"query": "x"}}\n</tool_call><|im_end|>\n'
        "<think>\nit is there\n</think>\n\ndone<|im_end|>\n",
        '\n<tool_call>\n{"name": "weigh", "arguments": {"grams": 3}}\n</tool_call><|im_end|>\n'
        "<think>\nit is there\n</think>\n\ndone<|im_end|>\n",
    ]
    # Neither row got the other's field, null, from the table that both were read into.
    assert not any("null" in text for text, _ in learned)
    assert all(
        json.dumps(tool) in text for tool, (text, _) in zip((find, weigh), learned, strict=True)
    )


def test_of_documents_everything_is_learned(training: Any, tmp_path: Path) -> None:
    column = {"outcome": "written", "generator": "explanation", "version": "1"}
    texts = ["Minutes of a meeting.\n\nHuman: they said.", "A column. “Leave it closed.”"]
    write_rows(
        tmp_path / "documents.jsonl",
        [{"text": text, "whyset": json.dumps(column)} for text in texts],
    )

    whyset(tmp_path, "export", "documents.jsonl", "-o", "out/", "--for", "trl")

    learned: Learned = training.finetuned(tmp_path / "out" / "train.jsonl", tmp_path / "run")
    assert learned == [(f"{text}<|im_end|>", f"{text}<|im_end|>") for text in texts]


def test_of_pairs_both_sides_carry_what_they_were_given(training: Any, tmp_path: Path) -> None:
    column = {"outcome": "rewritten", "generator": "deliberation", "version": "1"}
    pair = {
        "prompt": "May I?",
        "chosen": "<think>\nIt is hers.\n</think>\n\nAsk her.",
        "rejected": "Sure.",
        "whyset": json.dumps(column | {"channel": "thinking", "original_response": "Ask her."}),
    }
    write_rows(tmp_path / "pairs.jsonl", [pair] * 4)

    whyset(tmp_path, "export", "pairs.jsonl", "-o", "out/", "--for", "trl")

    prompt, chosen, rejected = training.preferred(
        tmp_path / "out" / "train.jsonl", tmp_path / "run"
    )[0]
    assert prompt == "<|im_start|>user\nMay I?<|im_end|>\n<|im_start|>assistant\n"
    assert chosen == "<think>\nIt is hers.\n</think>\n\nAsk her.<|im_end|>\n"
    assert rejected.endswith("Sure.<|im_end|>\n")
