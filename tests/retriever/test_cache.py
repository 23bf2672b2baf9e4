"""The index cache: built once, opened without embedding, keyed by all that decides a vector."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from support.embedders import WordEmbedder

from whyset.constitution import Constitution
from whyset.retriever import PassageRetriever
from whyset.retriever._cache import CacheKey, default_cache_dir
from whyset.retriever._units import SearchUnit, build_units

QUERIES = (("May I read my sister's diary?",), ("Is a lie ever welcome?", "What was lent?"))

# Root may write anywhere; this is about everybody else.
OPEN_AS_SOMEBODY = """
import os, sys, tempfile, warnings
from pathlib import Path
from support.embedders import WordEmbedder
from whyset.constitution import Constitution
from whyset.retriever import PassageRetriever
text, cache = sys.argv[1:]
with tempfile.TemporaryDirectory() as first:
    # What is imported late is imported while everything may be read.
    PassageRetriever.open(
        Constitution.parse(text), embedder=WordEmbedder(), cache_dir=Path(first)
    )
if os.geteuid() == 0:
    os.seteuid(65534)
embedder = WordEmbedder()
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    opened = PassageRetriever.open(
        Constitution.parse(text), embedder=embedder, cache_dir=Path(cache)
    )
embedded = len(embedder.calls)
[grounding] = opened.find_passages([["diary"]], k=1)
print(embedded, len(warned), "diary" in grounding.passages[0].passage.plain)
"""

Run = Callable[..., CompletedProcess[str]]


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def open_index(
    constitution: Constitution, cache: Path, embedder: WordEmbedder | None = None
) -> PassageRetriever:
    return PassageRetriever.open(constitution, embedder=embedder or WordEmbedder(), cache_dir=cache)


def test_an_index_is_built_once_and_then_opened_without_embedding(
    constitution: Constitution, embedder: WordEmbedder, tmp_path: Path
) -> None:
    first = open_index(constitution, tmp_path, embedder)
    assert len(embedder.calls) == 1
    built = files(tmp_path)

    second = open_index(constitution, tmp_path, embedder)
    assert len(embedder.calls) == 1
    assert files(tmp_path) == built
    assert second.find_passages(QUERIES, k=9) == first.find_passages(QUERIES, k=9)


def test_a_text_that_stands_in_the_document_twice_is_embedded_once(
    embedder: WordEmbedder, tmp_path: Path
) -> None:
    twice = Constitution.parse("# One\n\n## Two\n\nAsk before you act.\n\n## Two\n\nAsk first.\n")

    open_index(twice, tmp_path, embedder)

    [texts] = embedder.calls
    assert len(set(texts)) == len(texts)
    assert "Ask before you act." in texts


def test_ephemeral_built_and_cached_vectors_ground_alike(
    constitution: Constitution, embedder: WordEmbedder, tmp_path: Path
) -> None:
    nowhere = PassageRetriever.open(
        constitution, embedder=embedder, cache_dir=tmp_path, ephemeral=True
    )
    assert list(tmp_path.iterdir()) == []
    built = open_index(constitution, tmp_path)
    read = open_index(constitution, tmp_path)

    expected = nowhere.find_passages(QUERIES, k=9)
    assert built.find_passages(QUERIES, k=9) == expected
    assert read.find_passages(QUERIES, k=9) == expected


def test_the_folder_says_what_it_was_made_from(
    constitution: Constitution, embedder: WordEmbedder, tmp_path: Path
) -> None:
    open_index(constitution, tmp_path, embedder)

    [folder] = (tmp_path / "index").iterdir()
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert folder.name.startswith(f"whyset-{constitution.digest[:12]}-")
    assert manifest["constitution"] == constitution.digest
    assert manifest["embedder"] == "words/1"
    assert manifest["count"] == len(build_units(constitution.passages))
    assert set(manifest["files"]) == {
        name.removeprefix("chroma/") for name in files(folder) if name != "manifest.json"
    }


def test_another_constitution_or_embedder_meets_another_folder(
    constitution: Constitution, tmp_path: Path
) -> None:
    changed = Constitution.parse("# Manners\n\n## Asking first\n\nNever ask.\n")
    opened = [
        (constitution, WordEmbedder()),
        (changed, WordEmbedder()),
        (constitution, WordEmbedder("words/2")),
    ]
    for document, embedder in opened:
        open_index(document, tmp_path, embedder)
        assert len(embedder.calls) == 1
    assert len(list((tmp_path / "index").iterdir())) == 3

    for document, embedder in opened:
        open_index(document, tmp_path, embedder)
        assert len(embedder.calls) == 1


def test_every_part_of_a_key_and_every_unit_changes_its_name() -> None:
    def unit(id_: str, text: str) -> SearchUnit:
        return SearchUnit("passage", text, 0, 0, id_)

    def name(constitution: str, embedder: str, *parts: SearchUnit) -> str:
        return CacheKey.derive(constitution, embedder, parts).name

    a, b = unit("a", "text"), unit("b", "text")
    names = [
        name("c", "e", a, b),
        name("d", "e", a, b),
        name("c", "f", a, b),
        name("c", "e", a, unit("b", "other")),
        name("c", "e", a, unit("x", "text")),
        name("c", "e", b, a),
        name("c", "e", a),
        name("c", "e"),
        name("ce", "", a, b),
        name("c", "e", unit("at", "ext"), b),
    ]

    assert len(set(names)) == len(names)
    assert name("c", "e", a, b) == names[0]


def test_the_variable_names_the_folder(
    constitution: Constitution,
    embedder: WordEmbedder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WHYSET_CACHE_DIR", "~/named/cache")

    PassageRetriever.open(constitution, embedder=embedder)

    assert len(list((tmp_path / "named" / "cache" / "index").iterdir())) == 1


def test_without_the_variable_it_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WHYSET_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert default_cache_dir().name == "whyset"
    assert tmp_path in default_cache_dir().parents


def unwritable_places(tmp_path: Path) -> Sequence[Path]:
    in_the_way = tmp_path / "file"
    in_the_way.write_bytes(b"")
    return (in_the_way, in_the_way / "below", tmp_path / ("long" * 100))


@pytest.mark.parametrize("place", range(3), ids=["a file", "below a file", "too long a name"])
def test_a_folder_that_cannot_be_made_costs_a_warning_and_no_more(
    place: int, constitution: Constitution, embedder: WordEmbedder, tmp_path: Path
) -> None:
    folder = unwritable_places(tmp_path)[place]
    for embedded in (1, 2):
        with pytest.warns(UserWarning, match="set WHYSET_CACHE_DIR to a folder that can be"):
            retriever = open_index(constitution, folder, embedder)
        assert len(embedder.calls) == embedded

    [grounding] = retriever.find_passages([["a diary"]], k=1)
    assert "diary" in grounding.passages[0].passage.plain


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that everybody may enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.mark.parametrize(
    ("holds_index", "mode", "expected"),
    [(True, 0o555, "0 0 True\n"), (False, 0o555, "1 1 True\n"), (True, 0o000, "1 1 True\n")],
    ids=["readable, with the index", "readable, empty", "closed"],
)
def test_a_folder_that_one_may_not_write_serves_what_it_holds(
    holds_index: bool,
    mode: int,
    expected: str,
    run_python: Run,
    text: str,
    constitution: Constitution,
    public_folder: Path,
) -> None:
    cache = public_folder / "cache"
    (cache / "index").mkdir(parents=True)
    if holds_index:
        open_index(constitution, cache)
    (cache / "index").chmod(mode)

    finished = run_python(OPEN_AS_SOMEBODY, text, cache, TMPDIR=str(public_folder))

    (cache / "index").chmod(0o755)
    assert finished.stdout == expected, finished.stderr


def test_leftovers_of_killed_processes_go_after_a_day(
    constitution: Constitution, tmp_path: Path
) -> None:
    old, fresh = tmp_path / "index" / ".partial-old", tmp_path / "index" / ".partial-fresh"
    for folder in (old, fresh):
        (folder / "chroma").mkdir(parents=True)
        (folder / "chroma" / "chroma.sqlite3").write_bytes(b"half")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))

    open_index(constitution, tmp_path)

    assert not old.exists()
    assert (fresh / "chroma" / "chroma.sqlite3").read_bytes() == b"half"


def test_nothing_half_written_is_left_beside_an_index(
    constitution: Constitution, tmp_path: Path
) -> None:
    open_index(constitution, tmp_path)

    [folder] = (tmp_path / "index").iterdir()
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "chroma"}
