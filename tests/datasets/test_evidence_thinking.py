"""Thinking of white space alone is none: nobody is made to learn an empty thought."""

import json
from typing import Any

import pytest

from whyset.datasets import Shape, convert_row, row_from_record
from whyset.datasets.export import TRAINERS, ExportStyle, get_trainer, read_example

USER = {"role": "user", "content": "Q"}

BLANK: dict[str, dict[str, Any]] = {
    "reasoning_content": {
        "messages": [USER, {"role": "assistant", "reasoning_content": " \n", "content": "A"}]
    },
    "thinking": {"messages": [USER, {"role": "assistant", "content": "A", "thinking": "\t"}]},
    "blocks": {
        "system": "S",
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": " "}, {"type": "text", "text": "A"}],
            },
        ],
    },
    "tags": {"instruction": "Q", "output": "<think>\n \n</think>\n\nA"},
    "column": {"prompt": "Q", "response": "A", "reasoning_content": " "},
}
each_blank = pytest.mark.parametrize("record", BLANK.values(), ids=BLANK)


def thoughts(written: Any) -> list[str]:
    """Return the words, keys and marks by which thinking would show."""
    text = json.dumps(written)
    return [sign for sign in ("think", "reasoning") if sign in text]


@each_blank
@pytest.mark.parametrize("to", ["messages", "sharegpt", "anthropic", "completion"])
def test_another_shape_gets_no_thinking_of_it(record: dict[str, Any], to: Shape) -> None:
    row = row_from_record(record)

    if row.shape == to:
        assert convert_row(row, to=to) == record
    else:
        assert thoughts(convert_row(row, to=to)) == []


@each_blank
@pytest.mark.parametrize("consumer", TRAINERS)
def test_nor_does_a_trainer(record: dict[str, Any], consumer: str) -> None:
    taken = read_example(record)

    assert not taken.has_reasoning
    written = get_trainer(consumer).format_row(taken, "messages", ExportStyle(think_tags=True))
    assert thoughts(written) == []
    assert "A" in json.dumps(written)
