"""A damaged index is never believed: it is built anew, and then opens."""

import json
import random
import shutil
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from support.embedders import WordEmbedder

from whyset.constitution import Constitution
from whyset.retriever import Grounding, PassageRetriever
from whyset.retriever._chroma import write_vectors
from whyset.retriever._units import build_units

TEXT = """\
# Manners

## Other people's things

Leave closed what belongs to somebody else. A diary is private even when it lies open.

## Telling the truth

Say what is so, also where a lie would be more welcome.
"""
QUERIES = (("May I read my sister's diary?",), ("Is a lie ever welcome?", "What was lent?"))

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def constitution() -> Constitution:
    return Constitution.parse(TEXT)


@pytest.fixture(scope="module")
def built(constitution: Constitution, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with a sound index, for tests to copy."""
    cache = tmp_path_factory.mktemp("built")
    PassageRetriever.open(constitution, embedder=WordEmbedder(), cache_dir=cache)
    return cache


@pytest.fixture(scope="module")
def expected(constitution: Constitution, built: Path) -> list[Grounding]:
    opened = PassageRetriever.open(constitution, embedder=WordEmbedder(), cache_dir=built)
    return opened.find_passages(QUERIES, k=9)


@pytest.fixture
def cache(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "cache")


@pytest.fixture
def index(cache: Path) -> Path:
    """The folder of the one index in the cache."""
    [folder] = (cache / "index").iterdir()
    return folder


def graph(index: Path) -> Path:
    """Return the folder of Chroma's graph index."""
    [folder] = (path for path in (index / "chroma").iterdir() if path.is_dir())
    return folder


def database(index: Path) -> Path:
    return index / "chroma" / "chroma.sqlite3"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scramble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    place = len(content) // 2
    content[place : place + 16] = random.Random(0).randbytes(16)
    path.write_bytes(content)


def change_manifest(index: Path, **changes: object) -> None:
    manifest = index / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_bytes()), **changes}), "utf-8")


def claim_soundness(index: Path) -> None:
    """Let the manifest say that the files are as they were written."""
    change_manifest(
        index,
        files={
            path.relative_to(index / "chroma").as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in (index / "chroma").rglob("*")
            if path.is_file()
        },
    )


def write_broken(index: Path) -> None:
    cut(database(index))
    claim_soundness(index)


def write_one_less(index: Path) -> None:
    units = build_units(Constitution.parse(TEXT).passages)[:-1]
    shutil.rmtree(index / "chroma")
    vectors = WordEmbedder().embed([unit.text for unit in units])
    write_vectors(index / "chroma", units, vectors)
    claim_soundness(index)


def empty(index: Path) -> None:
    shutil.rmtree(index)
    index.mkdir()


def scramble_graph(name: str, index: Path) -> None:
    scramble(graph(index) / name)


DAMAGES: dict[str, Damage] = {
    "database cut short": lambda index: cut(database(index)),
    "database scrambled": lambda index: scramble(database(index)),
    "database empty": lambda index: database(index).write_bytes(b""),
    "database gone": lambda index: database(index).unlink(),
    "graph gone": lambda index: shutil.rmtree(graph(index)),
    "graph's vectors scrambled": partial(scramble_graph, "data_level0.bin"),
    "graph's header scrambled": partial(scramble_graph, "header.bin"),
    "graph's lengths scrambled": partial(scramble_graph, "length.bin"),
    "all of Chroma gone": lambda index: shutil.rmtree(index / "chroma"),
    "a file more": lambda index: (index / "chroma" / "more").touch(),
    "manifest gone": lambda index: (index / "manifest.json").unlink(),
    "manifest cut short": lambda index: cut(index / "manifest.json"),
    "manifest scrambled": lambda index: scramble(index / "manifest.json"),
    "manifest of another count": lambda index: change_manifest(index, count=3),
    "manifest of another format": lambda index: change_manifest(index, format=0),
    "manifest of another embedder": lambda index: change_manifest(index, embedder="words/0"),
    "manifest no object": lambda index: (index / "manifest.json").write_bytes(b"[]"),
    "an empty folder": empty,
    "written broken": write_broken,
    "written with one vector less": write_one_less,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_index_is_built_anew(
    damage: Damage,
    constitution: Constitution,
    embedder: WordEmbedder,
    cache: Path,
    index: Path,
    expected: list[Grounding],
) -> None:
    damage(index)

    rebuilt = PassageRetriever.open(constitution, embedder=embedder, cache_dir=cache)
    assert len(embedder.calls) == 1
    opened = PassageRetriever.open(constitution, embedder=embedder, cache_dir=cache)
    assert len(embedder.calls) == 1

    assert rebuilt.find_passages(QUERIES, k=9) == opened.find_passages(QUERIES, k=9) == expected
    assert list((cache / "index").iterdir()) == [index]
