"""An export as a whole: what is left out, mixed, split; which files appear, and when none do."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.exports import (
    ANSWER,
    THOUGHT,
    USER,
    document,
    ordinary,
    provenance,
    read,
    rewritten,
    run_export,
    write,
)

from whyset.datasets import DatasetError, open_source, require_provenance
from whyset.datasets.export import TRAINERS, Export, ExportSettings, assign_split
from whyset.datasets.files import Record


def names(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_a_folder_holds_rows_and_a_record_of_them(tmp_path: Path) -> None:
    made = run_export(tmp_path, [rewritten(n) for n in range(3)])

    assert names(tmp_path / "out") == ["export.json", "train.jsonl"]
    record = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert record["consumer"] == "trl"
    assert record["sources"] == ["rows.jsonl"]
    assert [(file["name"], file["rows"]) for file in record["files"]] == [("train.jsonl", 3)]
    assert made.rows == 3
    assert made.exit_code == 0


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    rows = [rewritten(n) for n in range(6)]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        run_export(
            tmp_path / name,
            rows,
            mix=[ordinary(n) for n in range(40)],
            share=0.2,
            split=0.7,
            control=True,
        )

    written = [
        [(tmp_path / name / "out" / file).read_bytes() for file in names(tmp_path / name / "out")]
        for name in ("a", "b")
    ]
    assert written[0] == written[1]
    assert len(written[0]) == 5


@pytest.mark.parametrize(
    "ending", [".jsonl", ".jsonl.zst", ".json.gz", ".csv", ".parquet", ".arrow"]
)
def test_a_file_has_the_form_that_its_name_says(tmp_path: Path, ending: str) -> None:
    run_export(tmp_path, [rewritten(n) for n in range(2)], output=f"train{ending}")

    (first, _) = open_source(tmp_path / f"train{ending}").records()
    assert isinstance(first.record, Record)
    assert first.record.columns["messages"][1]["reasoning_content"] == "It is hers."
    assert names(tmp_path) == sorted(["rows.jsonl", "train.export.json", f"train{ending}"])


def test_files_in_a_folder_have_the_form_that_is_named(tmp_path: Path) -> None:
    run_export(tmp_path, [rewritten(n) for n in range(9)], form="parquet", split=0.5)

    assert names(tmp_path / "out") == ["export.json", "test.parquet", "train.parquet"]


def test_a_file_that_is_split_becomes_two(tmp_path: Path) -> None:
    run_export(
        tmp_path,
        [rewritten(n) for n in range(9)],
        output="sft.jsonl",
        split=0.5,
        control=True,
    )

    assert names(tmp_path) == [
        "rows.jsonl",
        "sft.control.test.jsonl",
        "sft.control.train.jsonl",
        "sft.export.json",
        "sft.test.jsonl",
        "sft.train.jsonl",
    ]


def test_annotated_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [rewritten(), rewritten(1, "untouched"), rewritten(2, "annotated"), rewritten(3)]

    made = run_export(tmp_path, rows)

    assert dict(made.own_counts.excluded) == {"annotated": 1}
    assert dict(made.own_counts.outcomes) == {"rewritten": 2, "untouched": 1}
    assert made.exit_code == 0
    again = run_export(tmp_path, rows, include=frozenset({"annotated"}))
    assert again.rows == 4


def test_rows_that_did_not_pass_are_never_exported(tmp_path: Path) -> None:
    made = run_export(tmp_path, [rewritten(), rewritten(1, "quarantined")])

    assert dict(made.own_counts.excluded) == {"quarantined": 1}
    with pytest.raises(DatasetError, match="quarantined rows, which did not pass"):
        ExportSettings(include=frozenset({"quarantined"}))


def test_what_cannot_be_exported_is_in_quarantine_as_it_stood(tmp_path: Path) -> None:
    broken = {"id": 7, "messages": [USER]}
    write(tmp_path / "rows.jsonl", [rewritten(), broken])
    with (tmp_path / "rows.jsonl").open("ab") as file:
        file.write(b"{not json\n")

    made = Export.prepare(f"{tmp_path}/out/", open_source(tmp_path / "rows.jsonl"), "trl").run()

    unusable, unreadable = read(tmp_path / "out" / "quarantine.jsonl")
    assert (unusable["line"], unusable["reasons"], unusable["row"]) == (2, ["unusable"], broken)
    assert (unreadable["reasons"], unreadable["raw"]) == (["unreadable"], "{not json")
    assert made.exit_code == 1
    assert dict(made.own_counts.rejected) == {"unusable": 1, "unreadable": 1}


def test_provenance_can_be_dropped_and_a_column_exported(tmp_path: Path) -> None:
    row = rewritten(id="a", lang="en")

    report = run_export(tmp_path, [row], keep=("id",), drop_provenance=True)

    (written,) = read(tmp_path / "out" / "train.jsonl")
    assert list(written) == ["messages", "id"]
    assert "columns dropped: lang; --keep NAME keeps one" in report.notes
    run_export(tmp_path, [row])
    (kept,) = read(tmp_path / "out" / "train.jsonl")
    assert require_provenance(kept)["outcome"] == "rewritten"


def test_a_reserved_column_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="--keep prompt: is a reserved column for TRL"):
        run_export(tmp_path, [rewritten(prompt="x")], keep=("prompt",))
    assert names(tmp_path) == ["rows.jsonl"]


class TestKinds:
    def test_rows_of_several_kinds_are_refused_with_counts(self, tmp_path: Path) -> None:
        rows = [rewritten(), document("A."), document("B.")]

        with pytest.raises(DatasetError, match=r"several kinds \(conversation 1, text 2\)"):
            run_export(tmp_path, rows)
        assert names(tmp_path) == ["rows.jsonl"]

    def test_one_of_them_can_be_chosen(self, tmp_path: Path) -> None:
        made = run_export(tmp_path, [rewritten(), document("A.")], kind="text")

        assert read(tmp_path / "out" / "train.jsonl")[0]["text"] == "A."
        assert dict(made.own_counts.excluded) == {"kind:conversation": 1}

    def test_rows_in_two_parts_stay_so_for_trl(self, tmp_path: Path) -> None:
        row = {"prompt": "May I?", "completion": "Ask her."}

        assert run_export(tmp_path, [row]).kind == "completion"
        assert run_export(tmp_path, [row, rewritten()]).kind == "messages"
        assert run_export(tmp_path, [row], "axolotl").kind == "messages"

    def test_what_a_consumer_does_not_read_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="OpenAI's format does not read rows of kind 'text'"):
            run_export(tmp_path, [document("A.")], "openai")


class TestMixing:
    def test_ordinary_rows_make_the_written_ones_the_share_that_was_asked_for(
        self, tmp_path: Path
    ) -> None:
        rows = [rewritten(n) for n in range(8)] + [rewritten(n, "untouched") for n in range(4)]

        made = run_export(tmp_path, rows, mix=[ordinary(n) for n in range(90)], share=0.2)

        assert (made.rows, made.mixed_rows, made.synthetic_share) == (40, 28, 0.2)
        written = read(tmp_path / "out" / "train.jsonl")
        assert len(written) == 40
        asked = [row["messages"][0]["content"] for row in written]
        assert len(set(asked)) == 36  # four prompts are of written and of untouched rows
        synthetic = ["reasoning_content" in row["messages"][1] for row in written]
        assert sum(synthetic) == 8
        assert synthetic != sorted(synthetic, reverse=True)
        assert not any("%" in note for note in made.notes)

    def test_another_seed_draws_others_in_another_order(self, tmp_path: Path) -> None:
        drawn = []
        for seed in (0, 0, 1):
            run_export(
                tmp_path,
                [rewritten()],
                mix=[ordinary(n) for n in range(50)],
                share=0.2,
                seed=seed,
            )
            drawn.append(read(tmp_path / "out" / "train.jsonl"))

        assert drawn[0] == drawn[1]
        assert sorted(map(str, drawn[0])) != sorted(map(str, drawn[2]))

    def test_too_few_ordinary_rows_are_refused_with_the_share_that_they_make(
        self, tmp_path: Path
    ) -> None:
        with pytest.raises(
            DatasetError, match=r"takes 8 ordinary rows, and --mix has 2 .* a share of 0\.5;"
        ):
            run_export(
                tmp_path,
                [rewritten(n) for n in range(2)],
                mix=[ordinary(n) for n in range(2)],
                share=0.2,
            )
        assert names(tmp_path) == ["mix.jsonl", "rows.jsonl"]

    def test_rows_that_were_left_alone_may_be_more_than_enough(self, tmp_path: Path) -> None:
        rows = [rewritten(), *(rewritten(n, "untouched") for n in range(9))]

        with pytest.raises(DatasetError, match=r"of 10 rows 1 were written .* a share of 0\.1"):
            run_export(tmp_path, rows, mix=[ordinary(1)], share=0.2)

    def test_what_whyset_wrote_is_not_ordinary(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="line 2 was written by whyset"):
            run_export(tmp_path, [rewritten()], mix=[ordinary(1), rewritten(1)], share=0.5)

    @pytest.mark.parametrize("asked", [{"mix": [ordinary(1)]}, {"share": 0.2}])
    def test_rows_and_share_go_together(self, tmp_path: Path, asked: dict[str, Any]) -> None:
        with pytest.raises(DatasetError, match="--mix and --share go together"):
            run_export(tmp_path, [rewritten()], **asked)

    @pytest.mark.parametrize(("share", "warned"), [(0.4, False), (0.5, True)])
    def test_much_synthetic_data_is_warned_of_with_the_reason(
        self, tmp_path: Path, share: float, warned: bool
    ) -> None:
        made = run_export(
            tmp_path,
            [rewritten(n) for n in range(4)],
            mix=[ordinary(n) for n in range(9)],
            share=share,
        )

        warning = "20 % cost no general ability and 40 % did"
        assert any(warning in note for note in made.notes) == warned


class TestSplitting:
    @given(st.lists(st.text(max_size=4), min_size=1), st.integers(0, 5))
    def test_the_side_of_a_row_hangs_on_its_opening_alone(
        self, openings: list[str], seed: int
    ) -> None:
        sides = {opening: assign_split(opening, share=0.5, seed=seed) for opening in openings}

        assert all(assign_split(o, share=0.5, seed=seed) == sides[o] for o in reversed(openings))

    def test_a_larger_share_only_adds_to_the_rows_that_are_trained_on(self) -> None:
        openings = [str(n) for n in range(2000)]
        train = [
            {o for o in openings if assign_split(o, share=share, seed=3) == "train"}
            for share in (0.5, 0.9)
        ]

        assert train[0] < train[1]
        assert 1700 < len(train[1]) < 1900

    def test_no_prompt_is_on_both_sides_however_it_goes_on(self, tmp_path: Path) -> None:
        rows = []
        for number in range(30):
            asked: dict[str, Any] = {"role": "user", "content": f"Question {number}"}
            spaced = {"role": "user", "content": f" question  {number}\n"}
            rows += [
                {"messages": [asked, ANSWER]},
                {"messages": [{"role": "system", "content": "Be brief."}, spaced, THOUGHT]},
                {"messages": [asked, ANSWER, USER, THOUGHT]},
            ]

        run_export(tmp_path, rows, split=0.5)

        sides: dict[str, set[str]] = {}
        for side in ("train", "test"):
            for row in read(tmp_path / "out" / f"{side}.jsonl"):
                said = next(m["content"] for m in row["messages"] if m["role"] == "user")
                sides.setdefault(" ".join(said.split()).lower(), set()).add(side)
        assert len(sides) == 30
        assert all(len(found) == 1 for found in sides.values())
        assert {side for (side,) in sides.values()} == {"train", "test"}

    def test_an_empty_side_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match=r"--split 0.9 leaves no row for (test|train)"):
            run_export(tmp_path, [rewritten()] * 5, split=0.9)
        assert names(tmp_path) == ["rows.jsonl"]


class TestFolders:
    def test_an_earlier_export_gives_way_with_all_its_files(self, tmp_path: Path) -> None:
        rows = [rewritten(n) for n in range(9)]
        run_export(tmp_path, [*rows, {"id": 1}], split=0.5, control=True)
        (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")

        run_export(tmp_path, rows, form="parquet")

        assert names(tmp_path / "out") == ["export.json", "notes.txt", "train.parquet"]
        assert not (tmp_path / "out" / "control").exists()

    def test_a_foreign_folder_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "thesis.txt").write_text("mine", encoding="utf-8")

        with pytest.raises(DatasetError, match=r"holds thesis\.txt, which whyset did not write"):
            run_export(tmp_path, [rewritten()])
        assert names(tmp_path / "out") == ["thesis.txt"]

    def test_a_failed_export_leaves_the_earlier_one_whole(self, tmp_path: Path) -> None:
        run_export(tmp_path, [rewritten(n) for n in range(3)])
        before = {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")}

        with pytest.raises(DatasetError, match="no row"):
            run_export(tmp_path, [rewritten()], split=0.5)

        assert {n: (tmp_path / "out" / n).read_bytes() for n in names(tmp_path / "out")} == before

    def test_a_manifest_cannot_have_files_removed_that_are_not_ours(self, tmp_path: Path) -> None:
        run_export(tmp_path, [rewritten()])
        (tmp_path / "mine.jsonl").write_text("{}\n", encoding="utf-8")
        manifest = tmp_path / "out" / "export.json"
        record = json.loads(manifest.read_text(encoding="utf-8"))
        record["files"] += [{"name": "../mine.jsonl"}, {"name": "/etc/passwd"}, {"name": 3}]
        manifest.write_text(json.dumps(record), encoding="utf-8")

        run_export(tmp_path, [rewritten()])

        assert (tmp_path / "mine.jsonl").exists()


@pytest.mark.parametrize(
    ("output", "consumer", "form", "message"),
    [
        ("rows.jsonl", "trl", None, "would be overwritten"),
        ("none/out.jsonl", "trl", None, "no such folder"),
        ("none/out/", "trl", None, "no such folder"),
        ("out.parquet", "openai", None, "OpenAI's format is JSON lines"),
        ("out/", "anthropic", "jsonl.gz", "Anthropic's format is JSON lines"),
        ("out.jsonl", "trl", "parquet", "--format is for folders"),
        ("out/", "trl", "xml", "unknown file format 'xml'"),
        ("out/", "nobody", None, "unknown export format 'nobody'; choose from: trl, axolotl"),
    ],
)
def test_what_cannot_be_written_is_refused_beforehand(
    tmp_path: Path, output: str, consumer: str, form: str | None, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        run_export(tmp_path, [rewritten()], consumer, output=output, form=form)
    assert names(tmp_path) == ["rows.jsonl"]


def test_standard_output_is_no_place_for_an_export(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="name a file or a folder"):
        Export.prepare("-", open_source(write(tmp_path / "rows.jsonl", [rewritten()])), "trl")


def test_an_output_that_would_be_read_the_next_time_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", [rewritten()])

    with pytest.raises(DatasetError, match="would be read as a part of"):
        Export.prepare(f"{tmp_path}/out.jsonl", open_source(f"{tmp_path}/*.jsonl"), "trl")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no rows to export"),
        ([rewritten(0, "annotated")], "1 annotated.*--include annotated exports them"),
        ([{"id": 1}], "1 refused: unusable"),
    ],
)
def test_nothing_to_export_is_an_error(
    tmp_path: Path, rows: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        run_export(tmp_path, rows)
    assert names(tmp_path) == ["rows.jsonl"]


@pytest.mark.parametrize(("name", "value"), [("share", 0.0), ("share", 1.0), ("split", 1.5)])
def test_shares_lie_between_nothing_and_all(name: str, value: float) -> None:
    wanted: dict[str, Any] = {name: value}
    with pytest.raises(DatasetError, match=f"--{name} is a number between 0 and 1"):
        ExportSettings(**wanted)


class TestNotes:
    def test_what_is_written_otherwise_is_noted(self, tmp_path: Path) -> None:
        row = {"messages": [{"role": "developer", "content": "S"}, USER, ANSWER]}

        assert (
            "in 1 rows the role developer is written as system" in run_export(tmp_path, [row]).notes
        )

    def test_thoughts_that_would_become_empty_are_warned_of(self, tmp_path: Path) -> None:
        rows = [rewritten(), rewritten(1, "untouched")]

        assert any("learn an empty thought" in note for note in run_export(tmp_path, rows).notes)
        for safe in (
            run_export(tmp_path, rows, kind="completion"),
            run_export(tmp_path, rows[:1]),
        ):
            assert not any("empty thought" in note for note in safe.notes)

    def test_a_file_too_small_for_openai_is_noted(self, tmp_path: Path) -> None:
        for count, warned in ((9, True), (10, False)):
            made = run_export(tmp_path, [{"messages": [USER, ANSWER]}] * count, "openai")
            assert any("fewer than 10 examples" in note for note in made.notes) == warned


def test_axolotl_gets_the_piece_of_its_configuration(tmp_path: Path) -> None:
    run_export(tmp_path, [rewritten(n) for n in range(9)], "axolotl", split=0.5)

    config = yaml.safe_load((tmp_path / "out" / "axolotl.yaml").read_text(encoding="utf-8"))
    (dataset,) = config["datasets"]
    assert (dataset["path"], dataset["type"]) == ("train.jsonl", "chat_template")
    assert dataset["field_thinking"] == "reasoning_content"
    assert config["test_datasets"][0]["path"] == "test.jsonl"


def test_axolotl_reads_the_form_of_a_file_from_its_ending_alone(tmp_path: Path) -> None:
    run_export(tmp_path, [rewritten()], "axolotl", output="from.csv.jsonl")

    config = yaml.safe_load((tmp_path / "from.csv.axolotl.yaml").read_text(encoding="utf-8"))
    assert config["datasets"][0]["ds_type"] == "json"


def test_llama_factory_gets_the_description_of_the_dataset(tmp_path: Path) -> None:
    system = {"role": "system", "content": "S"}
    rows = [{"messages": [system, USER, THOUGHT]}, rewritten(1, "untouched")]

    run_export(tmp_path, rows, "llama-factory")

    folder = tmp_path / "out"
    assert json.loads((folder / "dataset_info.json").read_text(encoding="utf-8")) == {
        "whyset": {
            "file_name": "train.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "system": "system"},
        }
    }
    config = yaml.safe_load((folder / "llama_factory.yaml").read_text(encoding="utf-8"))
    assert config == {
        "stage": "sft",
        "dataset_dir": ".",
        "dataset": "whyset",
        "mask_history": True,
        "enable_thinking": None,
    }


@pytest.mark.parametrize("consumer", [name for name, c in TRAINERS.items() if "text" in c.kinds])
def test_documents_are_described_as_what_they_are(tmp_path: Path, consumer: str) -> None:
    made = run_export(tmp_path, [document("A.")], consumer)

    for name in made.config_files:
        config = yaml.safe_load((tmp_path / "out" / name).read_text(encoding="utf-8"))
        assert (
            "completion" in str(config)
            or "'pt'" in str(config)
            or "'prompt': 'text'" in str(config)
        )


def test_provenance_is_exported_as_text(tmp_path: Path) -> None:
    row = {**rewritten(), "whyset": json.loads(provenance())}

    run_export(tmp_path, [row])

    (written,) = read(tmp_path / "out" / "train.jsonl")
    assert written["whyset"] == provenance()
