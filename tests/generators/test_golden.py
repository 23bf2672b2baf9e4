"""The prompts of a small row as a model reads them, one file a step, so that reviews see changes.

After a wanted change: `WHYSET_UPDATE_GOLDEN=1 pytest tests/generators/test_golden.py`.
"""

import os
from pathlib import Path

import pytest
from support.samples.deliberation import (
    ACCORD,
    CONFLICT,
    DELIBERATION,
    FAILS,
    PASSES,
    DeliberationRun,
    run_deliberation,
)

FOLDER = Path(__file__).parent / "golden"
STEPS = ("appraise", "repair", "write", "judge", "revise")

ROW = {
    "messages": [
        {"role": "system", "content": "You help families. Be brief."},
        {"role": "user", "content": "my sisters diary fell open. she's been so quiet. read it?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "function": {"name": "recall", "arguments": '{"about":"sister"}'}}
            ],
        },
        {"role": "tool", "name": "recall", "content": "Sister, 15."},
        {"role": "assistant", "content": "Read it while she is out; nobody will know."},
    ],
    "tools": [{"type": "function", "function": {"name": "recall"}}],
}


@pytest.fixture(scope="module")
def run() -> DeliberationRun:
    """Lead the row through every step, with the defaults but for the repair."""
    return run_deliberation(
        ROW,
        {
            "appraise": [CONFLICT, ACCORD],
            "repair": "I would leave it shut. Ask her how she is, today.",
            "write": DELIBERATION,
            "judge": [FAILS, PASSES],
            "revise": DELIBERATION,
        },
        on_conflict="repair",
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_prompt_reads_as_it_did(run: DeliberationRun, step: str) -> None:
    ask = next(ask for ask in run.asks if ask.step == f"deliberation/{step}")
    rendered = f"{ask.system}\n\n----- user -----\n\n{ask.user}\n"
    golden = FOLDER / f"{step}.txt"
    if os.environ.get("WHYSET_UPDATE_GOLDEN"):
        golden.write_text(rendered, encoding="utf-8")

    assert rendered == golden.read_text(encoding="utf-8")


def test_every_file_is_of_a_step() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{step}.txt" for step in STEPS}
