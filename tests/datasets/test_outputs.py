"""Containers out: by their name, whole or not at all, and readable for those who train on them."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from whyset.datasets import (
    PROVENANCE_COLUMN,
    DatasetError,
    FileFormat,
    Row,
    detect_output_format,
    dumps,
    open_source,
    open_writer,
    read_rows,
    require_provenance,
    serialise_provenance,
)

ENDINGS = [
    f"{form}{packing}"
    for form in (".jsonl", ".json", ".csv", ".tsv")
    for packing in ("", ".gz", ".zst")
]
ENDINGS += [".ndjson", ".parquet", ".arrow", ".feather", "/"]

ROWS: list[dict[str, Any]] = [
    {"id": "1", "prompt": "größe 🙂", "response": 'a "quote", a comma\tand\r\na line'},
    {"id": "2", "prompt": "q\rr", "response": " r "},
]

# As rows differ: a check that others have not, null or an object, a response that was a list.
PROVENANCES: list[dict[str, Any]] = [
    {"outcome": "untouched", "verdict": None, "checks": {}, "original_response": None},
    {"outcome": "rewritten", "verdict": {"passes": True}, "checks": {"kept": "passed"}, "note": ""},
    {"outcome": "repaired", "verdict": None, "original_response": [{"type": "text", "text": "a"}]},
    {"outcome": "rewritten", "checks": {"other": "failed"}, "original_response": "a"},
]


def write(target: str | Path, rows: list[dict[str, Any]], source: Any = None) -> None:
    with open_writer(target, source) as writer:
        for row in rows:
            writer.write(dumps(row))
        assert writer.count == len(rows)
        writer.commit()


def columns(path: str | Path) -> list[dict[str, Any]]:
    return [dict(row.columns) for row in read_rows(path) if isinstance(row, Row)]


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_written_is_read_again(tmp_path: Path, ending: str) -> None:
    target = f"{tmp_path}/out{ending}"

    write(target, ROWS)

    assert columns(target) == ROWS
    assert os.listdir(tmp_path) == [f"out{ending}".removesuffix("/")]


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_rows_are_the_same_bytes(tmp_path: Path, ending: str) -> None:
    def outcome() -> list[bytes]:
        files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
        return [path.read_bytes() for path in files]

    write(f"{tmp_path}/out{ending}", ROWS)
    before = outcome()
    write(f"{tmp_path}/out{ending}", ROWS)

    assert outcome() == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_without_rows_can_be_written(tmp_path: Path, ending: str) -> None:
    target = f"{tmp_path}/out{ending}"
    write(target, [])
    assert columns(target) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_not_committed_leaves_the_old_and_nothing_else(tmp_path: Path, ending: str) -> None:
    target = f"{tmp_path}/out{ending}"
    write(target, ROWS)

    with pytest.raises(ZeroDivisionError), open_writer(target) as writer:
        writer.write(dumps(ROWS[0]))
        writer.prepare()
        raise ZeroDivisionError

    assert columns(target) == ROWS
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize(
    "ending", [".jsonl", ".jsonl.gz", ".json.zst", ".csv", ".parquet", ".arrow", "/"]
)
def test_on_a_disk_that_is_full_the_old_stays(tmp_path: Path, ending: str) -> None:
    target = f"{tmp_path}/out{ending}"
    write(target, ROWS)
    script = f"""
import random, resource, sys
from whyset.datasets import DatasetError, dumps, open_writer
drawn = random.Random(0)
with open_writer({target!r}) as writer:
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    try:
        for _ in range(400):
            writer.write(dumps({{"text": drawn.randbytes(512).hex()}}))
        writer.commit()
    except DatasetError as error:
        print(error)
"""
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert (said.stdout, said.stderr) == (f"{target}: cannot be written: File too large\n", "")
    assert columns(target) == ROWS
    assert len(os.listdir(tmp_path)) == 1


def test_a_disk_that_fills_up_only_as_the_table_is_made(tmp_path: Path) -> None:
    # What rows take as JSON fits; the Arrow file that they become does not.
    script = f"""
import resource
from whyset.datasets import DatasetError, open_writer
with open_writer({str(tmp_path / "out.arrow")!r}) as writer:
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    try:
        for _ in range(8190):
            writer.write(b'{{"n":0}}')
        writer.commit()
    except DatasetError as error:
        print(error)
"""
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert said.stdout.endswith("out.arrow: cannot be written: File too large\n")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("-", FileFormat("jsonl")),
        ("out.jsonl", FileFormat("jsonl")),
        ("OUT.JSONL.GZ", FileFormat("jsonl", "gz")),
        ("out.v2.json", FileFormat("json")),
        ("out.tsv.zst", FileFormat("tsv", "zst")),
        ("out.parquet", FileFormat("parquet")),
        ("out/", FileFormat("folder")),
        ("out", FileFormat("jsonl")),
        ("out.txt", FileFormat("jsonl")),
        ("out.parquet.gz", FileFormat("jsonl")),
    ],
)
def test_a_name_tells_the_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, layout: FileFormat
) -> None:
    monkeypatch.chdir(tmp_path)
    assert detect_output_format(name) == layout


@pytest.mark.parametrize("ending", [ending for ending in ENDINGS if ending != "/"])
def test_a_name_that_tells_nothing_gets_what_the_source_is(tmp_path: Path, ending: str) -> None:
    write(tmp_path / f"in{ending}", ROWS)
    (tmp_path / f"in{ending}").rename(tmp_path / "in")
    form, _, packing = ending.removeprefix(".").partition(".")
    form = {"ndjson": "jsonl", "feather": "arrow"}.get(form, form)

    outcome = detect_output_format(tmp_path / "out", open_source(tmp_path / "in"))

    assert (outcome.name, outcome.compression) == (form, packing)


class TestFolder:
    def test_holds_parquet_files(self, tmp_path: Path) -> None:
        write(f"{tmp_path}/out/", ROWS)
        assert os.listdir(tmp_path / "out") == ["data-00000-of-00001.parquet"]

    def test_is_parted_where_it_is_large(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("whyset.datasets.files._arrow._GROUP_ROWS", 2)
        monkeypatch.setattr("whyset.datasets.files._arrow._SHARD_BYTES", 300)
        rows = [{"prompt": "p" * 50, "response": str(number)} for number in range(10)]

        write(f"{tmp_path}/out/", rows)

        assert columns(tmp_path / "out") == rows
        assert sorted(os.listdir(tmp_path / "out")) == [
            f"data-0000{number}-of-00003.parquet" for number in range(3)
        ]

    def test_that_exists_is_replaced_without_its_slash_too(self, tmp_path: Path) -> None:
        write(f"{tmp_path}/out/", ROWS)
        write(tmp_path / "out", ROWS[:1])
        assert columns(tmp_path / "out") == ROWS[:1]

    def test_with_anything_else_in_it_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "notes.txt").touch()
        with pytest.raises(DatasetError, match=r"holds notes\.txt, which whyset did not write"):
            open_writer(f"{tmp_path}/out/")
        assert os.listdir(tmp_path) == ["out"]


class TestCells:
    def cells(self, folder: Path, *rows: dict[str, Any]) -> str:
        write(folder / "out.csv", list(rows))
        return (folder / "out.csv").read_bytes().decode()

    def test_hold_text_as_it_is_and_all_else_as_json(self, tmp_path: Path) -> None:
        written = self.cells(
            tmp_path, {"a": "x,y", "b": None, "c": 1, "d": True}, {"e": [{"f": "g"}], "a": "1"}
        )
        assert written == 'a,b,c,d,e\n"x,y",,1,true,\n1,,,,"[{""f"":""g""}]"\n'

    def test_quote_what_would_break_a_line(self, tmp_path: Path) -> None:
        assert self.cells(tmp_path, {"a": "b\rc"}) == 'a\n"b\rc"\n'


def the_library() -> Any:
    """Return `datasets`: by that name mypy finds a folder of ours."""
    return import_module("datasets")


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """`datasets.load_dataset`, with a cache of its own."""
    library, cache = the_library(), str(tmp_path_factory.mktemp("datasets"))
    library.disable_progress_bars()

    def load(path: str, **options: Any) -> Any:
        return library.load_dataset(path, split="train", cache_dir=cache, **options)

    yield load


READERS = {".json": "json", ".jso": "json", ".ndj": "json", ".csv": "csv", ".tsv": "csv"}
READERS |= {".par": "parquet", ".arr": "arrow", ".fea": "arrow"}


class TestTheDatasetsLibrary:
    def load(self, load: Any, target: str) -> Any:
        if target.endswith("/"):
            return load(target)
        ending = os.path.basename(target).removeprefix("out")
        delimiter = {"delimiter": "\t"} if ending.startswith(".tsv") else {}
        return load(READERS[ending[:4]] if ending[:5] != ".json" else "json",
                    data_files=target, **delimiter)  # fmt: skip

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_reads_every_output(self, tmp_path: Path, load: Any, ending: str) -> None:
        rows = [
            serialise_provenance({"id": f"n{number}", "text": "a", PROVENANCE_COLUMN: provenance})
            for number, provenance in enumerate(PROVENANCES)
        ]
        write(f"{tmp_path}/out{ending}", rows)

        loaded = self.load(load, f"{tmp_path}/out{ending}")

        assert [require_provenance(row) for row in loaded] == PROVENANCES
        assert list(loaded["id"]) == ["n0", "n1", "n2", "n3"]

    @pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
    def test_reads_on_where_provenance_changes_late(
        self, tmp_path: Path, load: Any, ending: str
    ) -> None:
        # It settles what a column is by the first ten megabytes of a JSON-lines file.
        alike: dict[str, Any] = {"text": "x" * 2**17, PROVENANCE_COLUMN: PROVENANCES[0]}
        rows = [serialise_provenance(row) for row in [alike] * 90]
        rows += [
            serialise_provenance({**alike, PROVENANCE_COLUMN: late}) for late in PROVENANCES[1:]
        ]
        write(f"{tmp_path}/out{ending}", rows)

        loaded = self.load(load, f"{tmp_path}/out{ending}")

        assert [require_provenance(row) for row in loaded.select(range(90, 93))] == PROVENANCES[1:]

    @pytest.mark.parametrize("ending", [".jsonl", ".parquet", "/"])
    def test_reads_messages_of_every_kind_back(
        self, tmp_path: Path, load: Any, ending: str
    ) -> None:
        rows: list[dict[str, Any]] = [
            {"messages": [{"role": "user", "content": "a"}], "tools": None},
            {"messages": [{"role": "user", "content": [{"type": "text"}]}], "tools": [{"n": 1}]},
        ]
        write(f"{tmp_path}/out{ending}", rows)

        assert list(self.load(load, f"{tmp_path}/out{ending}")) == rows

    def test_gives_rows_as_a_dataset(self, tmp_path: Path, load: Any) -> None:
        write(tmp_path / "out.parquet", ROWS)
        dataset = self.load(load, f"{tmp_path}/out.parquet")

        assert columns(dataset) == ROWS
        assert columns(dataset.to_iterable_dataset()) == ROWS
        assert columns({"train": dataset}["train"]) == ROWS

    def test_gives_splits_of_which_one_is_to_be_named(self, load: Any, tmp_path: Path) -> None:
        write(tmp_path / "out.parquet", ROWS)
        dataset = self.load(load, f"{tmp_path}/out.parquet")
        splits = {"train": dataset, "test": dataset.select([1])}
        both = the_library().DatasetDict(splits)
        both.save_to_disk(str(tmp_path / "both"))
        dataset.save_to_disk(str(tmp_path / "one"))

        with pytest.raises(DatasetError, match="has several splits: train, test; name one"):
            list(read_rows(both))
        assert columns(f"{tmp_path}/both:test") == ROWS[1:]
        assert columns(tmp_path / "one") == ROWS
        assert open_source(f"{tmp_path}/both:train").count_rows() == 2
        for name, outcome in {
            f"{tmp_path}/both": "has several splits: train, test; name one, as in ",
            f"{tmp_path}/both:dev": "has no split 'dev'; there are: train, test",
            f"{tmp_path}/one:train": "has no splits; leave :train out",
        }.items():
            with pytest.raises(DatasetError) as refused:
                columns(name)
            assert str(refused.value).startswith(f"{name}: {outcome}")

    def test_keeps_images_and_types_that_it_saved(self, tmp_path: Path) -> None:
        library = the_library()
        features = library.Features(
            {
                "prompt": library.Value("string"),
                "response": library.Value("large_string"),
                "image": library.Image(),
                "kind": library.ClassLabel(names=["a", "b"]),
                "n": library.Value("int8"),
            }
        )
        held: dict[str, list[Any]] = {
            "prompt": ["p"],
            "response": ["r"],
            "image": [{"bytes": b"not even an image", "path": None}],
            "kind": [1],
            "n": [5],
        }
        table = library.table.InMemoryTable(pa.table(held, schema=features.arrow_schema))
        dataset = library.Dataset(table, info=library.DatasetInfo(features=features))
        dataset.save_to_disk(str(tmp_path / "in"))
        source = open_source(tmp_path / "in")

        rows = columns(tmp_path / "in")
        write(tmp_path / "out.parquet", rows, source)

        came = pq.read_table(tmp_path / "out.parquet")
        assert library.Features.from_arrow_schema(came.schema) == features
        assert came.to_pylist() == [{name: values[0] for name, values in held.items()}]

    def test_is_named_where_it_is_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "state.json").write_text("{}", encoding="utf-8")
        monkeypatch.setitem(sys.modules, "datasets", None)
        for name in (str(tmp_path / "in"), "hf://org/name"):
            with pytest.raises(DatasetError) as refused:
                columns(name)
            assert str(refused.value) == (
                f"{name}: is read through the datasets library; install it with: "
                "pip install 'whyset[hub]'"
            )


def test_gzip_tells_neither_name_nor_time(tmp_path: Path) -> None:
    write(tmp_path / "out.jsonl.gz", ROWS)
    packed = (tmp_path / "out.jsonl.gz").read_bytes()
    assert packed[3:8] == b"\0" * 5
    assert gzip.decompress(packed) == b"".join(dumps(row) + b"\n" for row in ROWS)


def test_an_array_is_one_for_every_reader(tmp_path: Path) -> None:
    write(tmp_path / "out.json", ROWS)
    assert json.loads((tmp_path / "out.json").read_bytes()) == ROWS


def test_provenance_is_read_from_objects_and_texts_alike() -> None:
    held = {"a": 1, PROVENANCE_COLUMN: PROVENANCES[1]}
    assert (
        require_provenance(held) == require_provenance(serialise_provenance(held)) == PROVENANCES[1]
    )
    assert serialise_provenance({"a": 1}) == {"a": 1}
    for column in ("no JSON", "[]", 5, None):
        with pytest.raises(DatasetError, match="a row without provenance"):
            require_provenance({PROVENANCE_COLUMN: column})


def test_a_large_table_is_written_within_bounds(tmp_path: Path) -> None:
    script = f"""
import resource
from whyset.datasets import open_writer
from whyset.datasets.files import _arrow
_arrow._GROUP_BYTES = 1 << 20
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
line = b'{{"text":"' + b"x" * 100_000 + b'"}}'
with open_writer({str(tmp_path / "out.parquet")!r}) as writer:
    for _ in range(400):
        writer.write(line)
    writer.commit()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert int(said.stdout) < 25  # of 40 MB
    assert pq.ParquetFile(tmp_path / "out.parquet").metadata.num_rows == 400
