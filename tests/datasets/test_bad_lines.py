"""Bad lines: each goes to quarantine with a reason a person can act on, and the reading goes on."""

import base64
import io
import json
from typing import Any

import pytest

from whyset.datasets import (
    MAX_LINE,
    BadRow,
    DatasetError,
    Row,
    build_quarantine_line,
    dumps,
    loads,
    read_stream,
)

PROVENANCE = {"outcome": "rewritten", "generator": "deliberation", "version": "1"}
GOOD = b'{"prompt": "a", "response": "b"}'


def reason(line: bytes | dict[str, Any]) -> str:
    """Read a line among good ones; the good ones must come through."""
    raw = line if isinstance(line, bytes) else json.dumps(line).encode()
    before, bad, after = read_stream(io.BytesIO(b"\n".join([GOOD, raw, GOOD])), name="x")
    assert isinstance(before, Row)
    assert isinstance(after, Row)
    assert isinstance(bad, BadRow)
    assert (bad.line, bad.raw) == (2, raw)
    return bad.reason


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"prompt": "a', "not JSON: unexpected end of data (at column 14)"),
        (b"hello", "not JSON: unexpected character, expected a JSON value (at column 1)"),
        (b'{"prompt": NaN}', "not JSON: NaN is not a JSON value"),
        (b'{"prompt": "\\udc00"}', "not JSON: a \\u escape that is a lone surrogate"),
        (
            b'{"n": 12345678901234567890, "prompt": "\\udc00"}',
            "not JSON: a \\u escape that is a lone surrogate",
        ),
        (b'{"prompt": "gr\xfcn"}', "not UTF-8 at byte 15"),
        ('{"prompt": "a"}'.encode("utf-16"), "not UTF-8 at byte 1"),
        (b'{"a":' * 201 + b"1" + b"}" * 201, "nested too deeply: more than 200 levels"),
        (b"[1, 2]", "not a JSON object but an array"),
        (b'"text"', "not a JSON object but a string"),
        (b"5", "not a JSON object but a number"),
        (b"true", "not a JSON object but true or false"),
        (b"null", "not a JSON object but null"),
        (b"\0" * 20, "not JSON: unexpected character, expected a JSON value (at column 1)"),
        (b'{"prompt": "a\0b"}', "not JSON: unexpected control character in string (at column 14)"),
        (
            b'{"prompt": "a", "response": "b", "prompt": "c"}',
            "the key 'prompt' is duplicated in an object; which value counts is ambiguous",
        ),
    ],
)
def test_a_line_that_is_no_object(line: bytes, expected: str) -> None:
    assert reason(line) == expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"text": "x"},
            "no conversation: expected 'messages' or 'conversations', 'prompt' with 'response' or "
            "'completion', 'instruction' with 'output', 'chosen' with 'rejected', or a transcript "
            "in 'text'; the columns are 'text'",
        ),
        (
            {"prompt": "x"},
            "no conversation: expected 'messages' or 'conversations', 'prompt' with 'response' or "
            "'completion', 'instruction' with 'output', 'chosen' with 'rejected', or a transcript "
            "in 'text'; the columns are 'prompt'",
        ),
        ({"prompt": "", "response": "x"}, "prompt is empty"),
        ({"prompt": 1, "response": "x"}, "prompt must be a string, not a number"),
        ({"prompt": "x", "response": None}, "response must be a string, not null"),
        (
            {"prompt": "x", "response": " \n"},
            "empty response: 'response' has no text",
        ),
        (
            {"prompt": "x", "response": "y", "reasoning_content": []},
            "reasoning_content must be a string, not an array",
        ),
        (
            {"prompt": "x", "response": "y", "whyset": PROVENANCE},
            "the row already has a 'whyset' column of an earlier pass (generator 'deliberation', "
            "outcome 'rewritten'): work on the rows as they were before it, or choose to replace "
            "its provenance",
        ),
        ({"messages": "[]"}, "messages must be a list, not a string"),
        ({"messages": None}, "messages must be a list, not null"),
        ({"messages": []}, "no assistant turn: there is no response to work on"),
    ],
)
def test_a_record_that_is_no_row(record: dict[str, Any], expected: str) -> None:
    assert reason(record) == expected


ROLES = "must be one of system, developer, user, assistant, tool, function"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (5, "messages[1] must be an object, not a number"),
        ({"content": "x"}, "messages[1].role is missing"),
        ({"role": 3}, f"messages[1].role {ROLES}, not 3"),
        ({"role": "bot"}, f"messages[1].role {ROLES}, not 'bot'"),
        ({"role": "Assistant"}, f"messages[1].role {ROLES}, not 'Assistant'"),
        (
            {"role": "assistant", "content": 5},
            "messages[1].content must be a string, a list of parts or null, not a number",
        ),
        (
            {"role": "assistant", "content": {"text": "x"}},
            "messages[1].content must be a string, a list of parts or null, not an object",
        ),
        (
            {"role": "assistant", "content": [5]},
            "messages[1].content[0] must be an object, not a number",
        ),
        (
            {"role": "assistant", "content": [{"text": "x"}]},
            "messages[1].content[0].type is missing",
        ),
        (
            {"role": "assistant", "content": [{"type": "text", "text": 5}]},
            "messages[1].content[0].text must be a string, not a number",
        ),
        (
            {"role": "assistant", "reasoning_content": True},
            "messages[1].reasoning_content must be a string, not true or false",
        ),
        (
            {"role": "assistant", "name": {}},
            "messages[1].name must be a string, not an object",
        ),
        (
            {"role": "assistant", "tool_calls": {}},
            "messages[1].tool_calls must be a list, not an object",
        ),
        (
            {"role": "assistant", "tool_calls": [{"name": "x"}]},
            "messages[1].tool_calls[0].function is missing",
        ),
        (
            {"role": "assistant", "tool_calls": [{"function": {"name": "x", "arguments": 5}}]},
            "messages[1].tool_calls[0].function.arguments must be a string or an object, "
            "not a number",
        ),
        ({"role": "user", "content": "x"}, "no assistant turn: there is no response to work on"),
        (
            {"role": "assistant", "content": " \n"},
            "empty response: the last assistant turn has no text and no tool call",
        ),
        (
            {"role": "assistant", "content": [{"type": "image_url"}]},
            "empty response: the last assistant turn has no text and no tool call",
        ),
        (
            {"role": "assistant", "tool_calls": []},
            "empty response: the last assistant turn has no text and no tool call",
        ),
    ],
)
def test_a_message_that_is_none(message: Any, expected: str) -> None:
    assert reason({"messages": [{"role": "user", "content": "a"}, message]}) == expected


def test_a_role_that_is_a_novel_is_cut_in_the_reason() -> None:
    assert len(reason({"messages": [{"role": "x" * 10_000}]})) < 200


def test_a_line_over_the_limit_is_not_even_parsed() -> None:
    assert reason(b'{"prompt": "' + b"x" * MAX_LINE) == (
        "line too long: 64 MiB; the limit is 64 MiB"
    )


def test_a_text_of_fifty_megabytes_is_a_text() -> None:
    said = "x" * (50 * 2**20)

    (row,) = read_stream(io.BytesIO(dumps({"prompt": said, "response": "b"})), name="x")

    assert isinstance(row, Row)
    assert row.columns["prompt"] == said


def test_a_line_over_the_limit_may_come_first() -> None:
    bad, good = read_stream(io.BytesIO(b"{" + b" " * MAX_LINE + b"\n" + GOOD), name="x")

    assert isinstance(bad, BadRow)
    assert isinstance(good, Row)


def test_a_file_without_line_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whyset.datasets.files._jsonl.MAX_RAW_LINE", 2**20)

    with pytest.raises(DatasetError) as refused:
        list(read_stream(io.BytesIO(GOOD + b"\n" + b"x" * 2**21), name="disk.img"))

    assert str(refused.value) == "disk.img:2: a line of over 1 MiB; is this JSON lines?"


def test_quarantine_keeps_a_bad_line_as_it_stood() -> None:
    line = build_quarantine_line(
        7, ("unreadable",), BadRow(7, "why", "{grün".encode()), detail="why"
    )

    assert loads(line) == {
        "line": 7,
        "reasons": ["unreadable"],
        "detail": "why",
        "raw": "{grün",
    }


def test_quarantine_keeps_bytes_that_are_no_text_too() -> None:
    raw = b'{"a": "gr\xfcn\x00"}'

    entry = loads(build_quarantine_line(1, ("unreadable",), BadRow(1, "why", raw)))

    assert base64.b64decode(entry["raw_base64"]) == raw
    assert "raw" not in entry


def test_quarantine_keeps_a_row_in_order_and_value() -> None:
    columns = {"z": 2**70, "prompt": "a", "response": "b", "a": None}

    line = build_quarantine_line(3, ("conflict", "refused"), columns, whyset={"note": ""})

    assert line == (
        b'{"line":3,"reasons":["conflict","refused"],"whyset":{"note":""},"row":'
        + dumps(columns)
        + b"}"
    )
