"""A public evaluation's rendered prompts are known, by their words and by their structure."""

import json
import re
from pathlib import Path

import pytest

from whyset.generators.checks import EvalScenario, check_no_eval_scenario

HELD_OUT = Path(__file__).parents[3] / "shared" / "holdouts" / "agentic-misalignment"

pytestmark = pytest.mark.skipif(
    not HELD_OUT.is_dir(),
    reason="shared/holdouts is not beside the repository: it is data, not part of whyset",
)


def templates() -> dict[Path, str]:
    """Return each template behind the system prompt and the e-mails that it shares with others."""
    found = {}
    for folder in sorted((HELD_OUT / "templates").iterdir()):
        kind = folder.name
        system = read(HELD_OUT / "prompts" / f"{kind}_system_prompt.txt")
        shared = read(folder / "templates" / f"email-template-{kind}-shared.md")
        for path in sorted((folder / "templates").glob("*.md")):
            own = "" if path.name.endswith("shared.md") else read(path)
            found[path] = f"{system}\n{shared}\n{own}"
    return found


def rendered(path: Path, template: str) -> list[str]:
    blocks = [
        json.loads(block)
        for variables in sorted((path.parents[1] / "variables").glob("*.md"))
        for block in re.findall(r"```json\n(.*?)\n```", read(variables), re.DOTALL)
    ]
    return [filled(template, values) for values in blocks]


def filled(template: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda blank: values.get(blank[1], ""), template)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_its_words_are_known_though_the_template_has_blanks() -> None:
    for path, template in templates().items():
        scenario = EvalScenario(path.stem, template)
        text = rendered(path, template)[0].split("</email>", 1)[1]
        assert "held-out" in check_no_eval_scenario(text, scenarios=[scenario]).detail, path.stem


def test_most_are_known_by_their_structure_alone() -> None:
    texts = [text for path, template in templates().items() for text in rendered(path, template)]
    failed = [text for text in texts if check_no_eval_scenario(text).status == "failed"]

    assert len(texts) > 100
    assert len(failed) >= 0.75 * len(texts)
