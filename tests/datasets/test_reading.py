"""Reading: rows out of files and streams, whatever their line ends and layout."""

import io
import json
import os
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from whyset.datasets import (
    BadRow,
    Conversation,
    DatasetError,
    Message,
    Row,
    ToolCall,
    ToolDefinition,
    UnusableRecord,
    count_lines,
    dumps,
    read_record,
    read_rows,
    read_stream,
    row_from_record,
)
from whyset.datasets._json import count_keys

PAIR = {"prompt": "May I?", "response": "Yes."}


def read(data: bytes) -> list[Row | BadRow]:
    return list(read_stream(io.BytesIO(data), name="rows.jsonl"))


def conversation(**columns: Any) -> Conversation:
    return row_from_record(columns).conversation


def test_rows_come_in_order_with_their_lines() -> None:
    rows = read(b'{"prompt": "a", "response": "b"}\nno\n{"prompt": "c", "response": "d"}\n')

    assert [row.line for row in rows] == [1, 2, 3]
    assert [type(row) for row in rows] == [Row, BadRow, Row]


@pytest.mark.parametrize(
    "data",
    [
        dumps(PAIR),
        dumps(PAIR) + b"\n",
        b"\xef\xbb\xbf" + dumps(PAIR) + b"\r\n",
        b"  " + dumps(PAIR) + b"\t\r\n\r\n",
    ],
    ids=["no last line end", "LF", "BOM and CRLF", "white space"],
)
def test_layout_does_not_matter(data: bytes) -> None:
    (row,) = read(data)

    assert isinstance(row, Row)
    assert row.columns == PAIR


def test_blank_lines_are_no_rows_and_are_counted_as_lines() -> None:
    rows = read(b"\n" + dumps(PAIR) + b"\n   \n\r\n" + dumps(PAIR) + b"\n\n")

    assert [row.line for row in rows] == [2, 5]


def test_separators_of_unicode_are_no_line_ends() -> None:
    run = {"prompt": "a\u2028b\u0085c", "response": "d\x1ce"}

    (row,) = read(dumps(run))

    assert isinstance(row, Row)
    assert row.columns == run


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_rows(data: bytes) -> None:
    assert read(data) == []


def test_one_object_over_several_lines_is_one_row() -> None:
    (row,) = read(b'\n{\n  "prompt": "a",\n\n  "response": "b"\n}\n')

    assert isinstance(row, Row)
    assert row.line == 2
    assert row.columns == {"prompt": "a", "response": "b"}


def test_a_broken_first_line_does_not_take_the_others_with_it() -> None:
    rows = read(b'{"prompt": "a",\n' + dumps(PAIR) + b"\n")

    assert [type(row) for row in rows] == [BadRow, Row]


def test_a_line_that_is_an_array_is_one_bad_row() -> None:
    rows = read(b"[1]\n" + dumps(PAIR) + b"\n[2]\n")

    assert [type(row) for row in rows] == [BadRow, Row, BadRow]


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.jsonl: no such file$"):
        list(read_rows(tmp_path / "none.jsonl"))
    with pytest.raises(DatasetError, match=r": is a folder without data files: "):
        list(read_rows(tmp_path))


def test_a_pipe_is_read_as_it_comes() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as stream, open(writing, "wb", buffering=0) as source:
        rows = read_stream(stream, name="pipe")
        for _ in range(3):
            source.write(dumps(PAIR) + b"\n")
            assert next(rows).line


def test_standard_input_is_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(dumps(PAIR)), "utf-8"))

    assert len(list(read_rows("-"))) == 1


def test_the_chat_form_is_read_with_everything_that_was_said() -> None:
    read = conversation(
        tools=[{"type": "function", "function": {"name": "find"}}, {"name": "open"}, 5],
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "1", "function": {"name": "find", "arguments": '{"q": 1}'}},
                    {"id": "2", "function": {"name": "open", "arguments": {"größe": 1}}},
                ],
            },
            {"role": "tool", "name": "find", "content": "found"},
            {"role": "assistant", "content": "b", "reasoning_content": "hm"},
            {"role": "user", "content": "thanks"},
        ],
    )

    assert read == Conversation(
        messages=(
            Message("system", "Be brief."),
            Message("user", "a"),
            Message(
                "assistant",
                "",
                tool_calls=(
                    ToolCall("find", '{"q": 1}', id="1"),
                    ToolCall("open", '{"größe":1}', id="2"),
                ),
            ),
            Message("tool", "found", name="find"),
            Message("assistant", "b", reasoning="hm"),
            Message("user", "thanks"),
        ),
        turn=4,
        tool_definitions=(ToolDefinition("find"), ToolDefinition("open")),
    )
    assert read.tool_names == ("find", "open")
    assert read.response.text == "b"
    assert [message.role for message in read.prompt] == ["system", "user", "assistant", "tool"]


def test_a_response_may_be_a_tool_call_alone_in_the_old_form_too() -> None:
    call = {"name": "find", "arguments": "{}"}
    for said in ({"tool_calls": [{"function": call}]}, {"function_call": call}):
        read = conversation(messages=[{"role": "assistant", "content": None, **said}])
        assert read.response.tool_calls == (ToolCall("find", "{}"),)


def test_a_prompt_and_a_response_are_a_conversation_of_two() -> None:
    read = conversation(prompt="a", response="b", reasoning_content="hm")

    assert read == Conversation(
        (Message("user", "a"), Message("assistant", "b", reasoning="hm")), turn=1
    )


def test_messages_go_before_prompt_and_response() -> None:
    row = row_from_record({**PAIR, "messages": [{"role": "assistant", "content": "c"}]})

    assert (row.shape, row.conversation.response.text) == ("messages", "c")


def test_a_row_is_known_by_its_record() -> None:
    first, second, third = read(dumps(PAIR) + b"\n" + dumps(PAIR) + b'\n{"prompt":"a",'
                                b'"response":"b"}')  # fmt: skip

    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert isinstance(third, Row)
    assert first.digest == second.digest != third.digest
    assert len(first.digest) == 64


def test_a_record_from_a_library_that_is_no_row_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"^row 7: no conversation: expected 'messages' or"):
        row_from_record({"text": "x"}, line=7)


@pytest.mark.parametrize(
    ("content", "lines"),
    [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\n\nb", 3), (b"x" * 3_000_000 + b"\ny\n", 2)],
    ids=["empty", "one without an end", "one", "with a blank one", "longer than a chunk"],
)
def test_lines_are_counted(tmp_path: Path, content: bytes, lines: int) -> None:
    path = tmp_path / "sft.jsonl"
    path.write_bytes(content)
    assert count_lines(path) == lines


def test_what_cannot_be_counted_is_not_guessed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert count_lines(tmp_path / "pipe") is None
    assert count_lines(tmp_path / "none") is None


said = st.text(st.sampled_from('":\\ {a'), max_size=6)


nested = st.recursive(said, lambda held: st.dictionaries(said, held, max_size=2), max_leaves=3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.dictionaries(said, nested), max_size=4),
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]),
)
def test_keys_are_counted_for_many_lines_at_once(
    rows: list[dict[str, Any]], separators: tuple[str, str]
) -> None:
    def keys(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else ()
        return len(inner) + sum(map(keys, inner))

    lines = [json.dumps(row, separators=separators) for row in rows]
    ends = list(accumulate((len(line) + 1 for line in lines), initial=-1))[1:]

    counts = count_keys("".join(f"{line}\n" for line in lines).encode(), ends)

    for row, count in zip(rows, counts, strict=True):
        assert count is None or count >= keys(row)


ANSWER = {"role": "assistant", "content": "a"}

texts = st.sampled_from(["a", " ", "", "<think>b</think>c", "\n <think>b</think>", "a <think>"])
turns = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": texts})
others: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "tool", "owl", "", 5, [], None]), "content": texts}
)
extended = st.builds(
    lambda turn, key, value: {**turn, key: value},
    turns,
    st.sampled_from(["from", "content", "name", "tool_calls", "thinking", "x"]),
    st.sampled_from([None, None, "a", 5, [{"type": "text", "text": "a"}], [{"type": "thinking"}]]),
)
chats = st.lists(st.one_of(turns, turns, turns, others, extended, st.none()), max_size=4)
besides = st.sampled_from(
    [
        {},
        {"id": 1},
        {"system": "a"},
        {"system": None},
        {"tools": [{"name": "a", "input_schema": {}}]},
        {"chosen": "a", "rejected": "b"},
        {"conversations": [{"from": "human", "value": "a"}]},
        {"conversation": [{"role": "user", "content": "a"}]},
        {"whyset": {"outcome": "a", "generator": "b", "version": "c"}},
    ]
)


@settings(max_examples=400, deadline=None)
@given(besides, chats)
@example({}, [{"role": "user", "content": "a", "from": None}, ANSWER])
def test_plain_messages_are_read_as_on_a_closer_look(
    beside: dict[str, Any], chat: list[Any]
) -> None:
    def run() -> tuple[Any, ...]:
        try:
            reading = read_record({**beside, "messages": chat})
        except UnusableRecord as error:
            return (str(error),)
        said = map(tuple, reading.conversation.messages)
        return reading, list(said), reading.conversation.tool_definitions

    at_a_glance = run()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("whyset.datasets._reader._read_plain_messages", lambda columns: None)
        patched.setattr(
            "whyset.datasets.shapes._messages._read_plain_message", lambda message: None
        )
        assert run() == at_a_glance


def test_messages_that_say_the_same_are_equal_however_they_stood() -> None:
    plain = Message("user", "a")
    in_parts = Message(
        "user", "a", parts=({"type": "text", "text": "a"}, {}), extra_fields={"id": 1}
    )

    assert plain == in_parts
    assert len({plain, in_parts}) == 1
    assert plain != Message("user", "a", name="Ann")
    assert plain != ("user", "a", "", (), None, None, (), {})


def test_lines_are_the_same_wherever_the_blocks_end(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\n".join([dumps({**PAIR, "n": n}) + b" " * (n % 7) for n in range(50)])
    whole = read(data)
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr("whyset.datasets.files._jsonl._BLOCK", size)
        assert read(data) == whole


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_key_that_stands_twice_is_found_wherever_it_stands(data: st.DataObject) -> None:
    names = data.draw(st.lists(said, min_size=1, max_size=3, unique=True))
    twice = data.draw(st.sampled_from(names))
    space = data.draw(st.sampled_from(["", " ", "\t"]))
    run = [f"{json.dumps(name)}{space}:{json.dumps(data.draw(said))}" for name in [*names, twice]]
    line = f'{{"prompt":"p","response":"r","in":[{{{",".join(run)}}}]}}'.encode()

    (bad,) = read(line)

    assert isinstance(bad, BadRow)
    assert bad.reason == (
        f"the key {twice!r} is duplicated in an object; which value counts is ambiguous"
    )
