"""What docs/pipelines.md and docs/plugins.md say is true: their blocks are run, in their order."""

import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parent.parent / "docs"


def test_the_blocks_of_the_page_on_pipelines_run_as_they_stand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (DOCS / "pipelines.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    values: dict[str, Any] = {}
    printed = []
    for block in blocks:
        exec(compile(block, "docs/pipelines.md", "exec"), values)
        printed.append(capsys.readouterr().out)

    assert printed[0].startswith("annotated\nrow 1: no conversation")
    assert "Saying what is believed" in printed[1]
    assert printed[2] == "['annotated', 'quarantined']\n"
    assert printed[3] == "['prompt', 'response', 'whyset']\n"


def test_the_page_on_plug_ins_names_what_the_example_has() -> None:
    page = (DOCS / "plugins.md").read_text("utf-8")
    folder = DOCS.parent / "examples" / "plugin"
    example = (folder / "whyset_objections.py").read_text("utf-8")

    (entry,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert entry in (folder / "pyproject.toml").read_text("utf-8")
    for name in ("class Options(GeneratorOptions)", "AXES = (", "class Listed(JudgeAnswer)"):
        assert name in example
    for name in re.findall(r"`(\w+)`", page.split("## Steps")[0].split("| in the file")[1]):
        if name in {
            "extractive_variant",
            "Generator",
            "Row",
            "added_columns",
            "Literal",
            "generated_count",
        }:
            continue  # what the example does not need
        assert name in example or name in {"passed", "failed", "skipped", "prompts"}, name
