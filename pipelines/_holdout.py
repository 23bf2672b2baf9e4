"""Evaluation scenarios that training data must not contain, as a user has them."""

from pathlib import Path

from whyset.datasets import BadRow, DatasetError, open_source
from whyset.datasets.files import Record, format_from_name
from whyset.errors import RunError
from whyset.generators.checks import EvalScenario

_TEXT_SUFFIXES = frozenset({".md", ".txt"})
_COMPRESSED_SUFFIXES = frozenset({".gz", ".zst"})
"""Rows as well, whatever the name says of what is packed: no text is read so."""

_NAME_COLUMNS, _TEXT_COLUMNS = ("name", "id"), ("text", "prompt", "input")


def load_scenarios(path: Path) -> tuple[EvalScenario, ...]:
    """Read scenarios: a text file is one, a folder has one in each text, rows are one each.

    Args:
        path: A file or a folder. Rows have a column `text` (or `prompt`, or `input`) and perhaps
            `name` (or `id`).

    Raises:
        RunError: There is none, or one cannot be read.
    """
    found = tuple(_load_file(path))
    if not found:
        raise RunError(
            f"{path}: holds no scenario; a folder of .md or .txt files, a text, or rows "
            "with a column 'text'"
        )
    return found


def _load_file(path: Path) -> list[EvalScenario]:
    if path.is_dir():
        texts = sorted(each for each in path.rglob("*") if each.suffix.lower() in _TEXT_SUFFIXES)
        return [_parse_text_file(each) for each in texts]
    if format_from_name(path.name) is None and path.suffix not in _COMPRESSED_SUFFIXES:
        return [_parse_text_file(path)]
    try:
        return [_parse_row(path, record) for record, _ in open_source(path).records()]
    except DatasetError as error:
        raise RunError(str(error)) from error


def _parse_text_file(path: Path) -> EvalScenario:
    try:
        return EvalScenario(path.stem, path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read as UTF-8 text: {error}") from error


def _parse_row(path: Path, record: Record | BadRow) -> EvalScenario:
    where = f"{path}: line {record.line}"
    if isinstance(record, BadRow):
        raise RunError(f"{where}: {record.reason}")
    columns = record.columns
    text = next(
        (columns[name] for name in _TEXT_COLUMNS if isinstance(columns.get(name), str)), None
    )
    if text is None:
        raise RunError(
            f"{where}: has no text; expected one of the columns {', '.join(_TEXT_COLUMNS)}"
        )
    name = next(
        (str(columns[name]) for name in _NAME_COLUMNS if columns.get(name)), f"line {record.line}"
    )
    return EvalScenario(name, text)
