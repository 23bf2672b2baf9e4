"""Containers in: the same rows come out of every form, detected by content and not by name."""

import gzip
import io
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyset.datasets import BadRow, DatasetError, Row, dumps, open_source, read_rows, read_stream

ROWS = [
    {"id": 1, "prompt": "May I?", "response": "Yes."},
    {"id": 2, "prompt": "größe 🙂", "response": 'a "quote", a comma\nand a line'},
    {"id": 3, "prompt": "p", "response": "r"},
]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(dumps(row) + b"\n" for row in rows)


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    whole: bytes = sink.getvalue().to_pybytes()
    return whole


def arrow(rows: list[dict[str, Any]], new: Callable[..., Any]) -> bytes:
    table, sink = pa.Table.from_pylist(rows), pa.BufferOutputStream()
    with new(sink, table.schema) as writer:
        writer.write_table(table)
    whole: bytes = sink.getvalue().to_pybytes()
    return whole


FORMS = {
    "lines": lines(ROWS),
    "lines with a mark": b"\xef\xbb\xbf" + lines(ROWS),
    "UTF-16": lines(ROWS).decode().encode("utf-16"),
    "UTF-16 without a mark": lines(ROWS).decode().encode("utf-16-le"),
    "UTF-16, the other way": "\ufeff".encode("utf-16-be")
    + lines(ROWS).decode().encode("utf-16-be"),
    "UTF-32": lines(ROWS).decode().encode("utf-32"),
    "gzip": gzip.compress(lines(ROWS)),
    "gzip in members": b"".join(gzip.compress(lines([row])) for row in ROWS),
    "gzip of UTF-16": gzip.compress(lines(ROWS).decode().encode("utf-16")),
    "zstd": zstd(lines(ROWS)),
    "zstd in frames": b"".join(zstd(lines([row])) for row in ROWS),
    "array": dumps(ROWS),
    "array over lines": json.dumps(ROWS, indent=2).encode(),
    "array of packed lines": gzip.compress(b"[\n" + lines(ROWS).replace(b"\n", b",\n")[:-2] + b"]"),
    "Parquet": parquet(ROWS),
    "Arrow file": arrow(ROWS, pa.ipc.new_file),
    "Arrow stream": arrow(ROWS, pa.ipc.new_stream),
}


def columns(rows: list[Row | BadRow]) -> list[dict[str, Any]]:
    return [dict(row.columns) for row in rows if isinstance(row, Row)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["sft", "sft.jsonl", "sft.parquet"])
def test_a_form_is_detected_by_its_content(tmp_path: Path, form: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FORMS[form])

    assert columns(list(read_rows(path))) == ROWS


@pytest.mark.parametrize(
    "form", [form for form in FORMS if "Arrow" not in form and form != "Parquet"]
)
def test_every_form_of_text_comes_through_a_pipe(form: str) -> None:
    assert columns(list(read_stream(io.BytesIO(FORMS[form]), name="pipe"))) == ROWS


@pytest.mark.parametrize(("form", "kind"), [("Parquet", "Parquet"), ("Arrow file", "Arrow")])
def test_a_table_does_not(form: str, kind: str) -> None:
    with pytest.raises(DatasetError) as refused:
        list(read_stream(io.BytesIO(FORMS[form]), name="standard input"))

    assert str(refused.value) == (
        f"standard input: is {kind}, which is read from a file alone; save it, unpacked, and name "
        "the file"
    )


class TestCells:
    def read(self, data: bytes, name: str = "sft.csv") -> list[Row | BadRow]:
        return list(read_stream(io.BytesIO(data), name=name))

    def test_a_cell_is_text(self) -> None:
        (row,) = self.read(b'id,prompt,response\n007,"a ""b"",\r\nc",\xc3\xa9\n')

        assert isinstance(row, Row)
        assert row.columns == {"id": "007", "prompt": 'a "b",\r\nc', "response": "é"}
        assert row.line == 3

    @pytest.mark.parametrize("delimiter", [",", "\t", ";"])
    @pytest.mark.parametrize("name", ["sft.csv", "sft.jsonl", "standard input"])
    def test_a_header_tells_csv(self, delimiter: str, name: str) -> None:
        data = delimiter.join(["prompt", "response"]) + "\n" + delimiter.join(["a", "b"]) + "\n"

        assert columns(self.read(data.encode(), name)) == [{"prompt": "a", "response": "b"}]

    def test_conversations_are_read_out_of_cells(self) -> None:
        messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "[{b"}]
        run = json.dumps(messages).replace('"', '""')
        (row,) = self.read(f'messages,note\n"{run}",[]\n'.encode())

        assert isinstance(row, Row)
        assert row.columns == {"messages": messages, "note": "[]"}

    def test_json_lines_called_csv_are_json_lines(self) -> None:
        assert columns(self.read(lines(ROWS))) == ROWS

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            (b"a", "1 cells, where the header has 2"),
            (b"a,b,c", "3 cells, where the header has 2"),
            (b"a,\xff", "not UTF-8"),
            (b"a,b\x00", "a NUL byte"),
            (b'a,"b"c', "not CSV: ',' expected after '\"'"),
        ],
    )
    def test_a_bad_row_costs_itself(self, row: bytes, reason: str) -> None:
        before, bad, after = self.read(b"prompt,response\na,b\n" + row + b"\nc,d\n")

        assert isinstance(before, Row)
        assert isinstance(after, Row)
        assert isinstance(bad, BadRow)
        assert (bad.line, bad.reason, bad.raw) == (3, reason, row)

    def test_a_quote_that_is_not_closed_is_kept_with_what_it_swallowed(self) -> None:
        good, bad = self.read(b'prompt,response\na,b\nc,"d\ne,f\n')

        assert isinstance(good, Row)
        assert isinstance(bad, BadRow)
        assert bad.reason == "not CSV: unexpected end of data"
        assert bad.raw == b'c,"d\ne,f'

    @pytest.mark.parametrize(
        ("data", "run"),
        [
            (
                b"prompt,prompt\na,b\n",
                "two columns are called 'prompt'; rename or remove one of them",
            ),
            (b"\nprompt,response\n", "the first line is blank; CSV begins with a header"),
            (b"prompt,\xff\na,b\n", "the header is not UTF-8 text; save the file as UTF-8"),
        ],
    )
    def test_a_header_that_is_none_ends_the_reading(self, data: bytes, run: str) -> None:
        with pytest.raises(DatasetError) as refused:
            self.read(data)

        assert str(refused.value) == f"sft.csv: {run}"


class TestArrays:
    def read(self, data: bytes) -> list[Row | BadRow]:
        return list(read_stream(io.BytesIO(data), name="sft.json"))

    def test_elements_are_numbered(self) -> None:
        rows = self.read(json.dumps([ROWS[0], 5, {"prompt": "p"}, ROWS[1]], indent=1).encode())

        assert [row.line for row in rows] == [1, 2, 3, 4]
        assert [type(row) for row in rows] == [Row, BadRow, BadRow, Row]
        assert getattr(rows[1], "reason", "") == "not a JSON object but a number"

    def test_a_broken_element_costs_itself(self) -> None:
        rows = self.read(b'[{"prompt": NaN}, ' + dumps(ROWS[0]) + b', {\'}, {"a": }, ]')

        assert [type(row) for row in rows] == [BadRow, Row, BadRow, BadRow, BadRow]

    def test_an_empty_array_has_no_rows(self) -> None:
        assert self.read(b" [ \n ] \n") == []

    @pytest.mark.parametrize("data", [b"[", b'[{"a": 1}', b'[{"a": 1},', b'[{"a": "]'])
    def test_one_that_does_not_end_is_refused(self, data: bytes) -> None:
        with pytest.raises(DatasetError, match=r"^sft\.json: the JSON array does not end: "):
            self.read(data)

    def test_what_comes_after_it_is_refused(self) -> None:
        with pytest.raises(DatasetError) as refused:
            self.read(dumps(ROWS) + b"\n\nx")

        assert str(refused.value) == (
            "sft.json: after the JSON array of 3 elements there is more data: 'x'; take it away, "
            "or write one object a line. Nothing was written"
        )

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(
            st.recursive(
                st.text(st.sampled_from('[]{},"\\ a\u00e9')) | st.integers() | st.none(),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(st.sampled_from('"[]{}\\a')), inner, max_size=3)
                ),
            ),
            max_size=4,
        ),
        st.integers(1, 40),
        st.sampled_from([None, 1]),
    )
    def test_elements_are_found_wherever_the_pieces_end(
        self, drawn: list[Any], size: int, indent: int | None
    ) -> None:
        class Slow(io.BytesIO):
            def read1(self, _: int | None = -1) -> bytes:
                return super().read1(size)

        rows = [{"prompt": "p", "response": "r", "drawn": value} for value in drawn]
        text = json.dumps(rows, indent=indent, ensure_ascii=False).encode()

        assert columns(list(read_stream(Slow(text), name="x"))) == rows


class TestSources:
    def write(self, folder: Path, *names: str) -> None:
        for number, name in enumerate(names):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            row = {"prompt": name, "response": str(number)}
            path.write_bytes(b"\n" + lines([row, {"a": 1}]))

    def test_files_are_read_one_after_another_and_counted_through(self, tmp_path: Path) -> None:
        self.write(tmp_path, "b.jsonl", "a.jsonl")

        rows = list(read_rows([tmp_path / "b.jsonl", tmp_path / "a.jsonl"]))

        assert [row.line for row in rows] == [2, 3, 5, 6]
        assert [row.source for row in rows] == ["b.jsonl:2", "b.jsonl:3", "a.jsonl:2", "a.jsonl:3"]

    def test_one_file_needs_no_name(self, tmp_path: Path) -> None:
        self.write(tmp_path, "b.jsonl")
        assert [row.source for row in read_rows(tmp_path / "b.jsonl")] == ["", ""]

    def test_files_of_one_name_are_labelled_by_the_ends_of_their_paths(
        self, tmp_path: Path
    ) -> None:
        self.write(tmp_path, "x/a/s.jsonl", "y/a/s.jsonl", "z/t.jsonl")
        parts = [tmp_path / name for name in ("x/a/s.jsonl", "y/a/s.jsonl", "z/t.jsonl")]

        assert open_source(*parts).labels == ("x/a/s.jsonl", "y/a/s.jsonl", "t.jsonl")

    def test_a_pattern_names_files_in_order(self, tmp_path: Path) -> None:
        self.write(tmp_path, "2.jsonl", "1.jsonl", "1.txt", "in/3.jsonl")

        assert open_source(f"{tmp_path}/*.jsonl").labels == ("1.jsonl", "2.jsonl")
        assert open_source(f"{tmp_path}/**/*.jsonl").labels == ("1.jsonl", "2.jsonl", "3.jsonl")

    def test_a_file_may_be_called_like_a_pattern(self, tmp_path: Path) -> None:
        self.write(tmp_path, "[a].jsonl", "a.jsonl")
        assert open_source(f"{tmp_path}/[a].jsonl").labels == ("[a].jsonl",)

    def test_a_folder_names_the_data_files_in_it(self, tmp_path: Path) -> None:
        self.write(tmp_path, "b.jsonl", "in/a.jsonl.gz", ".git/c.jsonl", ".d.jsonl", "README.md")
        assert open_source(tmp_path).labels == ("b.jsonl", "a.jsonl.gz")

    def test_tables_and_texts_go_together(self, tmp_path: Path) -> None:
        for number, form in enumerate(FORMS):
            (tmp_path / f"{number:02}.jsonl").write_bytes(FORMS[form])

        assert columns(list(read_rows(tmp_path))) == ROWS * len(FORMS)

    @pytest.mark.parametrize(
        ("name", "run"),
        [
            ("none.jsonl", "no such file"),
            ("*.jsonl", "no file matches this pattern"),
            ("saved:train", "no such file"),
        ],
    )
    def test_what_is_not_there_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, run: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(DatasetError) as refused:
            open_source(name)

        assert str(refused.value) == f"{name}: {run}"

    def test_standard_input_is_read_but_once(self) -> None:
        with pytest.raises(DatasetError, match="give - once"):
            open_source("-", "-")

    def test_no_input_at_all_is_refused(self) -> None:
        with pytest.raises(DatasetError, match="no input: give a file"):
            open_source()


class TestCounting:
    @pytest.mark.parametrize("form", ["lines", "Parquet", "Arrow file", "Arrow stream"])
    def test_rows_are_counted_without_reading_them(self, tmp_path: Path, form: str) -> None:
        (tmp_path / "sft").write_bytes(FORMS[form])
        assert open_source(tmp_path / "sft").count_rows() == 3

    @pytest.mark.parametrize("form", ["gzip", "array"])
    def test_what_only_reading_would_tell_is_not_guessed(self, tmp_path: Path, form: str) -> None:
        (tmp_path / "sft").write_bytes(FORMS[form])
        assert open_source(tmp_path / "sft").count_rows() is None

    def test_several_files_are_counted_together(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_bytes(FORMS["lines"])
        (tmp_path / "b.parquet").write_bytes(FORMS["Parquet"])
        (tmp_path / "c.csv").write_bytes(b"prompt,response\na,b\n")
        assert open_source(tmp_path).count_rows() == 7


class TestFromALibrary:
    def test_mappings_are_rows(self) -> None:
        given: list[dict[str, Any]] = [{"prompt": "a", "response": "b"}, {"x": 1}]
        first, bad = read_rows(iter(given))

        assert isinstance(first, Row)
        assert isinstance(bad, BadRow)
        assert bad.line == 2

    def test_what_json_has_no_value_for_becomes_a_text(self) -> None:
        from datetime import UTC, date, datetime
        from decimal import Decimal

        odd = {
            "bytes": b"\xff",
            "when": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
            "day": date(2024, 1, 2),
            "price": Decimal("1.10"),
            "no": float("nan"),
            "pair": (1, 2),
        }
        (row,) = read_rows([{"prompt": "a", "response": "b", **odd}])

        assert isinstance(row, Row)
        assert {name: row.columns[name] for name in odd} == {
            "bytes": "/w==",
            "when": "2024-01-02T03:04:05+00:00",
            "day": "2024-01-02",
            "price": "1.10",
            "no": "NaN",
            "pair": [1, 2],
        }

    @pytest.mark.parametrize(
        ("values", "run"),
        [
            ([5], "row 1: expected a mapping, got a int"),
            ({"prompt": "a"}, "rows are mappings, one after another; this is a single mapping"),
            ([{"prompt": object()}], "row 1: a object cannot be stored in a row"),
            ([{5: "a"}], "row 1: a key is a string, not 5"),
        ],
    )
    def test_what_is_no_row_is_refused(self, values: Any, run: str) -> None:
        with pytest.raises(DatasetError) as refused:
            list(read_rows(values))

        assert str(refused.value) == run


def test_a_file_is_read_as_it_comes_through_a_named_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(FORMS["gzip"],))
    writer.start()

    assert columns(list(read_rows(pipe))) == ROWS
    writer.join()
