"""A single row or document, made and printed without a run."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from whyset.datasets import COLUMN, REASONING_FIELD, DatasetError, dumps
from whyset.generators import RowRejected
from whyset.models import ModelUnavailable, RetryPolicy, UnusableReply, adopt
from whyset.pipelines import Crew, RunStopped


def read_pair(prompt: Path, response: Path) -> dict[str, Any]:
    """Return the one row that two plain texts make; the line end of their last lines is no part.

    Raises:
        DatasetError: One of them cannot be read.
    """
    return {"prompt": _text(prompt), "response": _text(response)}


def print_single(
    crew: Crew, columns: Mapping[str, Any], retries: RetryPolicy, *, as_json: bool
) -> None:
    """Make one row or document and print it: as plain text, or all of it as JSON.

    Args:
        crew: Who works.
        columns: What the generator takes: a row's columns or a brief's values.
        retries: When a failed ask is sent again.
        as_json: Whether to print JSON.

    Raises:
        RunStopped: The provider does not answer.
        Exit: It did not pass.
    """
    writer, judge = (adopt(crew.models[role], retries=retries) for role in ("writer", "judge"))
    bound = crew.generator.bind(writer, crew.retriever, judge=judge)
    try:
        row = bound.invoke(dict(columns))
    except ModelUnavailable as error:
        raise RunStopped(f"The provider does not answer: {error}") from error
    except RowRejected as error:
        told = str(error)
        typer.echo(told[:1].upper() + told[1:], err=True)
        raise typer.Exit(1) from error
    except UnusableReply as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        sys.stdout.buffer.write(dumps(row) + b"\n")
        return
    typer.echo(_readable(row))


def _readable(row: Mapping[str, Any]) -> str:
    """Return a finished row or document as a person reads it."""
    if "response" in row:
        reasoning = row.get(REASONING_FIELD)
        return f"{reasoning}\n\n---\n\n{row['response']}" if reasoning else str(row["response"])
    if isinstance(row.get("text"), str):
        return str(row["text"])
    if isinstance(row.get("messages"), list):
        return "\n\n".join(f"[{said['role']}]\n{said['content']}" for said in row["messages"])
    shown = {name: value for name, value in row.items() if name != COLUMN}
    return json.dumps(shown, ensure_ascii=False, indent=2)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").removesuffix("\n")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not UTF-8; save it as UTF-8") from error
