"""Tables: what Parquet and Arrow hold goes through JSON and comes back, in value and in type."""

import base64
import math
import struct
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyset.datasets import BadRow, DatasetError, Row, dumps, loads, open_source, open_writer
from whyset.datasets import read_rows as read_rows_of

PAIR = {"prompt": pa.array(["p", "q"]), "response": pa.array(["r", "s"])}

COLUMNS = {
    "text": pa.array(["é", None]),
    "large text": pa.array(["é", None], pa.large_string()),
    "bytes": pa.array([b"\xff\x00", None]),
    "fixed bytes": pa.array([b"abc", None], pa.binary(3)),
    "large bytes": pa.array([b"\xff\x00", b""], pa.large_binary()),
    "int8": pa.array([-128, None], pa.int8()),
    "int32": pa.array([1, None], pa.int32()),
    "int64": pa.array([-(2**63), 2**63 - 1]),
    "uint64": pa.array([2**64 - 1, None], pa.uint64()),
    "float": pa.array([0.1, -0.0], pa.float32()),
    "half": pa.array([1.5, None], pa.float16()),
    "double": pa.array([1e300, 5e-324]),
    "no number": pa.array([math.inf, -math.inf], pa.float32()),
    "truth": pa.array([True, None]),
    "nothing": pa.nulls(2),
    "moment": pa.array([1, -1], pa.timestamp("ns")),
    "moment with a zone": pa.array([10**15 + 1, None], pa.timestamp("us", "Europe/Berlin")),
    "far moment": pa.array([-(10**17), 10**17], pa.timestamp("ms")),
    "day": pa.array([19_000, -1_000_000], pa.date32()),
    "day in ms": pa.array([86_400_000, None], pa.date64()),
    "time": pa.array([1, 86_399_999_999], pa.time64("us")),
    "time in ms": pa.array([1, None], pa.time32("ms")),
    "span": pa.array([-5, None], pa.duration("ns")),
    "decimal": pa.array([Decimal("1.10"), Decimal("-0.01")], pa.decimal128(10, 2)),
    "large decimal": pa.array([Decimal("1e40"), None], pa.decimal256(50, 0)),
    "dictionary": pa.array(["a", None], pa.dictionary(pa.int8(), pa.string())),
    "ordered": pa.array([5, 6], pa.dictionary(pa.int16(), pa.int64(), ordered=True)),
    "list": pa.array([["a", None], None]),
    "large list": pa.array([[1], []], pa.large_list(pa.int16())),
    "fixed list": pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2)),
    "map": pa.array([[("k", 1), ("l", None)], None], pa.map_(pa.string(), pa.timestamp("s"))),
    "image": pa.array(
        [{"bytes": b"PNG", "path": None}, None],
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    ),
    "nested": pa.array(
        [[{"at": 1, "who": {"id": b"a"}}], []],
        pa.list_(
            pa.struct([("at", pa.timestamp("ns")), ("who", pa.struct([("id", pa.binary())]))])
        ),
    ),
    "JSON": pa.array(['{"a":[1,null]}', None], pa.json_()),
    "JSON in a list": pa.array([['{"a":1}', "2"], None]).cast(pa.list_(pa.json_())),
    "UUID": pa.array([b"0123456789abcdef", None], pa.uuid()),
}


def table(**columns: pa.Array) -> pa.Table:
    return pa.table({**PAIR, **columns})


def write(path: Path, run: pa.Table) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(run, path)
    else:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, run.schema) as writer:
            writer.write_table(run)
    return path


def read(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    return pa.ipc.open_file(path).read_all()


def copy(source: Path, target: Path) -> pa.Table:
    """Take rows through the form in which a ledger keeps them."""
    opened = open_source(source)
    with open_writer(target, opened) as writer:
        for row in read_rows_of(opened):
            assert isinstance(row, Row)
            assert loads(dumps(dict(row.columns))) == row.columns
            writer.write(dumps(dict(row.columns)))
        writer.commit()
    return read(target)


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_every_type_comes_back_as_it_was(tmp_path: Path, ending: str) -> None:
    run = table(**COLUMNS).replace_schema_metadata({"huggingface": '{"info": {}}'})
    source = write(tmp_path / f"in.{ending}", run)

    came = copy(source, tmp_path / f"out.{ending}")

    stood = read(source)
    assert came.schema.equals(stood.schema, check_metadata=ending == "parquet")
    for name in stood.column_names:
        assert came[name].equals(stood[name]), name


@pytest.mark.parametrize(
    ("column", "run"),
    [
        ("bytes", "/wA="),
        ("moment", "1970-01-01T00:00:00.000000001"),
        ("moment with a zone", "2001-09-09T01:46:40.000001Z"),
        ("far moment", -(10**17)),
        ("day", "2022-01-08"),
        ("time", "00:00:00.000001"),
        ("span", -5),
        ("decimal", "1.10"),
        ("dictionary", "a"),
        ("map", [["k", "1970-01-01T00:00:01"], ["l", None]]),
        ("image", {"bytes": "UE5H", "path": None}),
        ("no number", "Infinity"),
        ("JSON", {"a": [1, None]}),
        ("UUID", base64.b64encode(b"0123456789abcdef").decode()),
    ],
)
def test_what_json_has_no_value_for_is_a_text(tmp_path: Path, column: str, run: Any) -> None:
    source = write(tmp_path / "in.parquet", table(**{column: COLUMNS[column]}))
    first = next(read_rows_of(source))

    assert isinstance(first, Row)
    assert first.columns[column] == run


def test_a_float_that_is_no_number_is_itself_again(tmp_path: Path) -> None:
    source = write(tmp_path / "in.parquet", table(x=pa.array([[math.nan], [1.0, None]])))

    came = copy(source, tmp_path / "out.parquet")

    assert str(came["x"].to_pylist()) == "[[nan], [1.0, None]]"


leaves = st.sampled_from(
    [
        (pa.string(), st.text(st.characters(exclude_categories=["Cs"]), max_size=4)),
        (pa.binary(), st.binary(max_size=4)),
        (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
        (pa.float64(), st.floats(allow_nan=False)),
        (pa.timestamp("ns"), st.integers(-(2**63) + 1, 2**63 - 1)),
        (pa.timestamp("s", "UTC"), st.integers(-(2**60), 2**60)),
        (pa.date32(), st.integers(-(2**31), 2**31 - 1)),
        (pa.time64("ns"), st.integers(0, 86_399_999_999_999)),
        (pa.duration("ms"), st.integers(-(2**63), 2**63 - 1)),
        (pa.decimal128(12, 3), st.decimals(-(10**8), 10**8, places=3)),
        (pa.bool_(), st.booleans()),
    ]
)


def _nested(inner: Any) -> Any:
    kind, values = inner
    maybe = st.none() | values
    lists = st.lists(maybe, max_size=3)
    return st.sampled_from(
        [
            (pa.list_(kind), lists),
            (pa.large_list(kind), lists),
            (pa.struct([("a", kind), ("b", pa.int8())]), st.fixed_dictionaries({"a": maybe})),
            (
                pa.map_(pa.string(), kind),
                st.lists(st.tuples(st.sampled_from("kl"), maybe), max_size=2),
            ),
        ]
    )


@st.composite
def arrays(draw: st.DrawFn) -> pa.Array:
    kind = draw(leaves)
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(_nested(kind))
    values = draw(st.lists(st.none() | kind[1], min_size=2, max_size=2))
    return pa.array(values, kind[0])


@settings(max_examples=60, deadline=None)
@given(arrays())
def test_whatever_is_nested_comes_back(
    tmp_path_factory: pytest.TempPathFactory, x: pa.Array
) -> None:
    folder = tmp_path_factory.mktemp("table")
    source = write(folder / "in.arrow", table(x=x))

    came = copy(source, folder / "out.arrow")

    assert came.schema.equals(table(x=x).schema)
    assert came["x"].combine_chunks().equals(x)


def test_an_array_that_breaks_its_own_type_does_not_end_the_process(tmp_path: Path) -> None:
    # pyarrow makes such arrays too short, says so where they are taken, and aborts on flattening.
    kind = pa.list_(pa.struct([("a", pa.list_(pa.null(), 2)), ("b", pa.time32("ms"))]))
    item = {"a": [None, None], "b": 1}
    source = write(
        tmp_path / "in.arrow", pa.table({"x": pa.array([[item], [item], [], [item, None]], kind)})
    )

    assert len(list(open_source(source).records())) == 4


def test_rows_are_numbered_through_however_many_are_taken_at_once(tmp_path: Path) -> None:
    prompts = [str(number) for number in range(1, 2_346)]
    rows = pa.table({"prompt": prompts, "response": ["a"] * len(prompts)})

    read = read_rows_of(write(tmp_path / "in.parquet", rows))

    assert [str(row.line) for row in read] == prompts


class TestDamage:
    def refused(self, path: Path) -> str:
        with pytest.raises(DatasetError) as refused:
            list(read_rows_of(path))
        return str(refused.value).removeprefix(f"{path}: ")

    @pytest.mark.parametrize("ending", ["parquet", "arrow"])
    @pytest.mark.parametrize("left", [0.2, 0.9, 0.999])
    def test_a_file_that_was_cut_off(self, tmp_path: Path, ending: str, left: float) -> None:
        path = write(tmp_path / f"in.{ending}", table())
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * left)])

        assert "damaged or cut off" in self.refused(path)

    def test_a_footer_that_belongs_to_other_rows(self, tmp_path: Path) -> None:
        few = write(tmp_path / "few.parquet", table()).read_bytes()
        many = write(tmp_path / "many.parquet", pa.concat_tables([table()] * 100)).read_bytes()
        length = struct.unpack("<I", many[-8:-4])[0] + 8
        path = tmp_path / "in.parquet"
        path.write_bytes(few[: -struct.unpack("<I", few[-8:-4])[0] - 8] + many[-length:])

        assert "damaged" in self.refused(path)

    def test_a_footer_that_counts_wrongly(self, tmp_path: Path) -> None:
        path = write(tmp_path / "in.parquet", table())
        opened = open_source(path)

        class Lying:
            schema = pq.read_schema(path)

            def count_rows(self) -> int:
                return 3

            def iter_batches(self) -> Iterator[pa.RecordBatch]:
                yield from pq.ParquetFile(path).iter_batches()

        from whyset.datasets.files._arrow import read_table

        with pytest.raises(DatasetError) as refused:
            list(read_table(Lying(), "in.parquet"))
        assert opened.count_rows() == 2
        assert str(refused.value) == (
            "in.parquet: declares 3 rows, but holds 2: it is damaged; nothing was written. "
            "Fetch or make the file anew"
        )

    def test_bytes_that_were_changed(self, tmp_path: Path) -> None:
        path = write(tmp_path / "in.arrow", pa.concat_tables([table()] * 50).combine_chunks())
        data = bytearray(path.read_bytes())
        at = data.index(b"pqpqpq") - 3
        data[at - 300 : at - 100] = b"\x7f" * 200  # the offsets of the texts before them
        path.write_bytes(data)

        assert "damaged or cut off" in self.refused(path)

    @pytest.mark.parametrize("ending", ["parquet", "arrow"])
    def test_an_empty_file(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"in.{ending}"
        path.touch()
        assert self.refused(path) == f"is empty, and no {ending.capitalize()} file"

    def test_another_kind_of_file_under_its_name(self, tmp_path: Path) -> None:
        path = tmp_path / "in.parquet"
        path.write_bytes(b"hello")
        assert self.refused(path) == "is damaged, or no Parquet file"

    def test_two_columns_of_one_name(self, tmp_path: Path) -> None:
        run = pa.table([pa.array(["a"]), pa.array(["b"])], names=["prompt", "prompt"])
        path = write(tmp_path / "in.arrow", run)
        assert self.refused(path) == (
            "two columns are called 'prompt'; rename or remove one of them"
        )

    def test_a_type_that_rows_cannot_have(self, tmp_path: Path) -> None:
        odd = pa.UnionArray.from_dense(
            pa.array([0, 0], pa.int8()), pa.array([0, 1], pa.int32()), [pa.array([1, 2])]
        )
        run = self.refused(write(tmp_path / "in.arrow", table(odd=odd)))
        assert run.startswith("the column 'odd' has an unsupported type: dense_union<")

    def test_a_text_that_is_not_utf8_costs_its_row(self, tmp_path: Path) -> None:
        bad = pa.StringArray.from_buffers(
            2, pa.py_buffer(struct.pack("<3i", 0, 1, 2)), pa.py_buffer(b"a\xff")
        )
        path = write(tmp_path / "in.parquet", table(x=bad))

        good, lost = read_rows_of(path)

        assert isinstance(good, Row)
        assert isinstance(lost, BadRow)
        assert (lost.line, lost.reason) == (2, "a text that is not UTF-8")
        (kept,) = pa.ipc.open_stream(lost.raw).read_all()["x"].cast(pa.binary()).to_pylist()
        assert kept == b"\xff"


class TestColumns:
    """What columns a table gets of rows that had none."""

    def written(self, folder: Path, *rows: dict[str, Any]) -> pa.Table:
        with open_writer(folder / "out.parquet") as writer:
            for row in rows:
                writer.write(dumps(row))
            writer.commit()
        return read(folder / "out.parquet")

    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            (["a", None], pa.string()),
            ([1, -5], pa.int64()),
            ([1, 2.5], pa.float64()),
            ([True, None], pa.bool_()),
            ([None, None], pa.null()),
            ([[1], []], pa.list_(pa.int64())),
            ([[], [None]], pa.list_(pa.null())),
            ([{"a": 1}, {"b": "x"}], pa.struct([("a", pa.int64()), ("b", pa.string())])),
        ],
    )
    def test_values_of_one_kind_get_its_type(
        self, tmp_path: Path, values: list[Any], kind: pa.DataType
    ) -> None:
        made = self.written(tmp_path, *({"x": value} for value in values))
        assert made.schema.field("x").type.equals(kind)

    @pytest.mark.parametrize(
        "values",
        [
            ["a", 1],
            ["a", [1]],
            [True, 1],
            [2**63, 1],
            [2**60 + 1, 0.5],
            [{}, {}],
            [{"a": 1}, [1]],
            [{f"k{number}": 1 for number in range(300)}],
        ],
    )
    def test_values_of_no_one_kind_are_json_and_come_back(
        self, tmp_path: Path, values: list[Any]
    ) -> None:
        rows = [{"prompt": "p", "response": "r", "x": value} for value in values]

        made = self.written(tmp_path, *rows)

        assert made.schema.field("x").type.equals(pa.json_())
        came = [row for row in read_rows_of(tmp_path / "out.parquet") if isinstance(row, Row)]
        assert [row.columns for row in came] == rows

    def test_only_the_field_that_has_no_one_kind_is_json(self, tmp_path: Path) -> None:
        text = [{"role": "user", "content": "a"}]
        parts = [{"role": "user", "content": [{"type": "text", "text": "a"}]}]

        made = self.written(tmp_path, {"messages": text}, {"messages": parts})

        item = pa.struct([("role", pa.string()), ("content", pa.json_())])
        assert made.schema.field("messages").type.equals(pa.list_(item))

    def test_a_key_that_is_missing_comes_back_as_null(self, tmp_path: Path) -> None:
        self.written(tmp_path, {"prompt": "p", "response": "r"}, {"text": "t", "prompt": None})
        (row, _) = read_rows_of(tmp_path / "out.parquet")
        assert isinstance(row, Row)
        assert row.columns == {"prompt": "p", "response": "r", "text": None}

    def test_provenance_comes_last(self, tmp_path: Path) -> None:
        made = self.written(tmp_path, {"a": 1, "whyset": "{}"}, {"b": 1, "whyset": "{}"})
        assert made.column_names == ["a", "b", "whyset"]

    def test_a_new_field_joins_those_of_the_source(self, tmp_path: Path) -> None:
        kind = pa.list_(pa.struct([("role", pa.large_string()), ("id", pa.int8())]))
        run = pa.table({"messages": pa.array([[{"role": "user", "id": 1}]], kind)})
        source = open_source(write(tmp_path / "in.parquet", run))

        with open_writer(tmp_path / "out.parquet", source) as writer:
            writer.write(b'{"messages":[{"role":"user","reasoning_content":"hm","id":1}]}')
            writer.write(b'{"messages":[{"role":"user","id":2}]}')
            writer.commit()

        made = read(tmp_path / "out.parquet").schema.field("messages").type.value_type
        assert [(field.name, field.type) for field in made] == [
            ("role", pa.large_string()),
            ("id", pa.int8()),
            ("reasoning_content", pa.string()),
        ]

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            (pa.float64(), [1]),
            (pa.float64(), {"a": 1}),
            (pa.float64(), 2**53 + 1),
            (pa.float64(), 10**400),
            (pa.float32(), 10**400),
            (pa.dictionary(pa.int8(), pa.float64()), [1]),
            (pa.date32(), 2**70),
            (pa.duration("s"), 1.5),
            (pa.duration("s"), 2**63),
            (pa.timestamp("s"), 2**70),
            (pa.timestamp("s"), "2024-01-01T00:00:00+02:00"),
            (pa.timestamp("ms"), "2024-01-01T00:00:00.123456"),
            (pa.time32("ms"), "00:00:00.123456"),
        ],
        ids=lambda run: str(run)[:30],
    )
    def test_a_value_that_the_type_of_the_source_cannot_hold_comes_back_all_the_same(
        self, tmp_path: Path, kind: pa.DataType, value: Any
    ) -> None:
        source = open_source(write(tmp_path / "in.parquet", table(x=pa.nulls(2, kind))))
        row = {"prompt": "p", "response": "r", "x": value}

        with open_writer(tmp_path / "out.parquet", source) as writer:
            writer.write(dumps(row))
            writer.commit()

        (came,) = read_rows_of(tmp_path / "out.parquet")
        assert isinstance(came, Row)
        assert came.columns == row

    def test_a_column_that_was_taken_away_is_gone_and_one_of_ours_is_new(
        self, tmp_path: Path
    ) -> None:
        run = table(whyset=pa.array([1, 2], pa.int8()), gone=pa.array([1, 2]))
        source = open_source(write(tmp_path / "in.parquet", run))

        with open_writer(tmp_path / "out.parquet", source) as writer:
            writer.write(b'{"prompt":"p","whyset_original":1,"response":"r","whyset":"{}"}')
            writer.commit()

        made = read(tmp_path / "out.parquet").schema
        assert [(field.name, field.type) for field in made] == [
            ("prompt", pa.string()),
            ("response", pa.string()),
            ("whyset_original", pa.int8()),
            ("whyset", pa.string()),
        ]

    def test_a_column_without_nulls_may_get_some(self, tmp_path: Path) -> None:
        schema = pa.schema([pa.field("prompt", pa.string(), nullable=False), ("n", pa.int8())])
        run = pa.table({"prompt": ["p"], "n": [1]}, schema=schema)
        source = open_source(write(tmp_path / "in.arrow", run))

        for line, nullable in ((b'{"prompt":"p"}', False), (b'{"prompt":null}', True)):
            with open_writer(tmp_path / "out.arrow", source) as writer:
                writer.write(line)
                writer.commit()
            assert read(tmp_path / "out.arrow").schema.field("prompt").nullable == nullable

    @pytest.mark.parametrize("ending", ["parquet", "arrow"])
    def test_a_dictionary_has_all_values_of_its_column(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
    ) -> None:
        monkeypatch.setattr("whyset.datasets.files._arrow._GROUP_ROWS", 1)
        few = pa.dictionary(pa.int8(), pa.string())
        run = table(few=pa.array(["a", "b"], few), many=pa.array(["a", None], few))
        source = open_source(write(tmp_path / f"in.{ending}", run))

        with open_writer(tmp_path / f"out.{ending}", source) as writer:
            for number in range(200):
                row = {"prompt": "p", "few": f"v{number % 3}", "many": f"v{number}"}
                writer.write(dumps(row))
            writer.commit()

        made = read(tmp_path / f"out.{ending}")
        assert made.schema.field("few").type == few
        assert made["few"].to_pylist() == [f"v{number % 3}" for number in range(200)]
        assert made.schema.field("many").type == pa.string()  # beyond what eight bits tell apart
        assert made["many"].to_pylist() == [f"v{number}" for number in range(200)]

    def test_a_dictionary_within_a_list_is_plain_in_an_arrow_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("whyset.datasets.files._arrow._GROUP_ROWS", 1)
        inner = pa.list_(pa.dictionary(pa.int8(), pa.string()))
        source = write(tmp_path / "in.arrow", table(x=pa.array([["a"], ["b", None]], inner)))

        assert copy(source, tmp_path / "out.arrow")["x"].to_pylist() == [["a"], ["b", None]]
        assert copy(source, tmp_path / "out.parquet")["x"].to_pylist() == [["a"], ["b", None]]

    def test_no_rows_have_the_columns_of_the_source(self, tmp_path: Path) -> None:
        source = open_source(write(tmp_path / "in.parquet", table(**COLUMNS)))

        with open_writer(tmp_path / "out.parquet", source) as writer:
            writer.commit()

        assert read(tmp_path / "out.parquet").schema.equals(read(tmp_path / "in.parquet").schema)

    def test_several_tables_get_the_wider_type(self, tmp_path: Path) -> None:
        write(tmp_path / "a.parquet", table(n=pa.array([1, 2], pa.int8())))
        write(tmp_path / "b.parquet", table(n=pa.array([1, 2], pa.int64())))

        schema = open_source(tmp_path).schema()

        assert schema is not None
        assert schema.field("n").type == pa.int64()

    def test_tables_that_contradict_each_other_are_named(self, tmp_path: Path) -> None:
        write(tmp_path / "a.parquet", table(n=pa.array([1, 2])))
        write(tmp_path / "b.parquet", table(n=pa.array([date(2024, 1, 1), None])))

        with pytest.raises(DatasetError, match=r"cannot be one table: .*; work on them one by one"):
            open_source(tmp_path).schema()
