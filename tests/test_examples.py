"""What the README and the examples say is true: they are run."""

import json
import re
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.loopback import LoopbackServer, structured

ROOT = Path(__file__).parent.parent


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ["library.py", "pipeline.py"])
def test_an_example_runs_as_it_is(name: str) -> None:
    finished = run(f"examples/{name}")

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip()


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("callbacks.py", "deliberation/extract: 1 messages\noutcome: annotated"),
        ("callbacks.py", "on_retriever_end find\non_chain_start deliberation/extract"),
        ("chain.py", "[A charter for an AI assistant > Honesty > Saying what is believed]"),
        ("map_dataset.py", "8 rows in, 8 out, 8 not quarantined"),
        ("plan.py", "Every passage grounds at least 1 document.\n5 documents written"),
        ("rows.py", "Counter({'annotated': 8, 'quarantined': 1})\nbroken ['unreadable']"),
    ],
)
def test_an_example_of_a_pipeline_does_what_it_says(
    name: str, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # In this process: to start one takes longer than most of them run.
    runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")

    assert outcome in capsys.readouterr().out


def test_the_demo_accounts_for_every_row_and_shows_three() -> None:
    finished = run("examples/demo.py")

    assert finished.returncode == 0, finished.stderr
    assert "63 rows in" in finished.stdout
    assert finished.stdout.count("\nbefore:\n") == 3
    assert "using extractive" in finished.stderr


def test_every_python_block_of_the_readme_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)

    assert blocks
    for block in blocks:
        finished = run("-c", block)
        assert finished.returncode == 0, finished.stderr


def test_every_relative_link_of_the_documents_leads_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_example_rows_cover_what_they_are_for() -> None:
    lines = (ROOT / "examples" / "sft.jsonl").read_text("utf-8").splitlines()
    kinds = Counter(tag for line in lines for tag in json.loads(line)["tags"] if "kind:" in tag)

    assert kinds == {
        "kind:everyday": 22,
        "kind:accord": 24,
        "kind:conflict": 7,
        "kind:injection": 4,
        "kind:language": 6,
    }


def test_the_appraisal_set_is_scored_by_its_script() -> None:
    labels = {}
    for line in (ROOT / "benchmarks" / "appraisal" / "cases.jsonl").read_text("utf-8").splitlines():
        case = json.loads(line)
        labels[case["messages"][-1]["content"][:60]] = case["expected"]
    assert Counter(labels.values()) == {"nothing_at_stake": 24, "accord": 24, "conflict": 24}

    def always_accord(body: dict[str, Any]) -> dict[str, Any]:
        return structured(
            {"situation": "s", "considerations": ["a"], "verdict": "accord", "reason": "r"}
        )

    with LoopbackServer(always_accord) as server:
        finished = run(
            "benchmarks/appraise.py",
            "--model=anthropic:claude-haiku-5-5",
            "--embedder=lexical",
            ANTHROPIC_BASE_URL=server.url,
        )

    assert finished.returncode == 0, finished.stderr
    assert len(server.requests) == 72
    assert "accuracy 0.333 (95 % interval 0.235 to 0.448)" in finished.stdout
