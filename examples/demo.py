"""`make demo`: rewrite the example rows without a key, and show what came of them."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from whyset.datasets import require_provenance

HERE = Path(__file__).parent
SOURCE = HERE / "sft.jsonl"
OUTPUT = HERE.parent / "out" / "demo.jsonl"
SHOWN = ("human-oversight", "vulnerable-people", "hard-limits")


def main() -> int:
    OUTPUT.parent.mkdir(exist_ok=True)
    for earlier in OUTPUT.parent.glob(f"{OUTPUT.stem}.*"):
        earlier.unlink()
    source, output = SOURCE.relative_to(HERE.parent), OUTPUT.relative_to(HERE.parent)
    command = ["whyset", "rewrite", str(source), "-o", str(output)]
    print(f"$ {' '.join(command)}\n", flush=True)
    executable = str(Path(sys.executable).with_name("whyset"))
    finished = subprocess.run([executable, *command[1:]], cwd=HERE.parent, check=False)
    if not OUTPUT.exists():
        return finished.returncode
    rows = [json.loads(line) for line in OUTPUT.read_text(encoding="utf-8").splitlines()]
    for row in choose(rows):
        show(row)
    print(f"All rows: {output}. Every row says in its `whyset` column what it is grounded in.")
    print("With a model the reasons are weighed and written: whyset rewrite --help")
    return 0


def choose(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pick three annotated rows with a response in words, of different sections."""
    annotated = [row for row in rows if require_provenance(row)["outcome"] == "annotated"]
    chosen: list[dict[str, Any]] = []
    for section in SHOWN:
        wanted = {"kind:accord", f"section:{section}"}
        fitting = (row for row in annotated if wanted <= set(row["tags"]) and row not in chosen)
        chosen += [row for row in fitting if require_provenance(row)["original_response"]][:1]
    return chosen


def show(row: dict[str, Any]) -> None:
    """Print a row before and after."""
    last = row["messages"][-1] if "messages" in row else {"content": row["response"]}
    asked = next(
        (m["content"] for m in reversed(row.get("messages", [])) if m["role"] == "user"),
        row.get("prompt"),
    )
    print(f"\n─── {row['id']} " + "─" * max(60 - len(row["id"]), 3))
    print(_block("asked", asked))
    print(_block("before", require_provenance(row)["original_response"]))
    print(_block("after", last["content"]))


def _block(label: str, content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    shortened = textwrap.shorten(text, 240) if label != "after" else text
    wrapped = [
        line for paragraph in shortened.split("\n") for line in textwrap.wrap(paragraph, 88) or [""]
    ]
    if len(wrapped) > 16:
        wrapped = [*wrapped[:16], "…"]
    return f"\n{label}:\n" + textwrap.indent("\n".join(wrapped), "  ")


if __name__ == "__main__":
    sys.exit(main())
