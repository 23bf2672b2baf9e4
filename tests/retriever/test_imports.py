"""The face of the room, and what importing it does not bring along."""

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

import whyset.retriever

Run = Callable[..., "CompletedProcess[str]"]

HEAVY = (
    "anthropic",
    "bm25s",
    "chromadb",
    "huggingface_hub",
    "langchain",
    "langchain_core",
    "numpy",
    "onnxruntime",
    "threadpoolctl",
    "tokenizers",
    "torch",
)


def loaded(run_python: Run, code: str) -> set[str]:
    finished = run_python(f"import sys\n{code}\nprint(*sys.modules)")
    assert finished.returncode == 0, finished.stderr
    return {name for name in HEAVY if name in finished.stdout.split()}


def test_importing_the_room_brings_nothing_heavy(run_python: Run) -> None:
    assert loaded(run_python, "import whyset.retriever") == set()
    assert loaded(run_python, "from whyset.retriever import *; PassageRetriever") > {"numpy"}


@pytest.mark.parametrize(
    ("code", "brought"),
    [
        ("from whyset.retriever import open_embedder; open_embedder('lexical')", set[str]()),
        (
            "from whyset.retriever import open_embedder; open_embedder('minilm')",
            {"numpy", "threadpoolctl", "tokenizers"},
        ),
        ("import whyset.retriever.testing", set[str]()),
    ],
    ids=["lexical", "minilm", "testing"],
)
def test_each_part_brings_what_it_needs(code: str, brought: set[str], run_python: Run) -> None:
    assert loaded(run_python, code) == brought


def test_searching_by_words_or_in_memory_needs_no_chroma(run_python: Run) -> None:
    code = """
from whyset.constitution import Constitution
from whyset.retriever import PassageRetriever
constitution = Constitution.parse("# One\\n\\nAsk first.\\n")
PassageRetriever.open(constitution, embedder="lexical").find_passages([["ask"]], k=1)
PassageRetriever.open(constitution, ephemeral=True).find_passages([["ask"]], k=1)
"""
    assert not loaded(run_python, code) & {"anthropic", "chromadb", "onnxruntime", "torch"}


def test_all_of_the_face_is_there() -> None:
    names = whyset.retriever.__all__

    assert "PassageRetriever" in names
    assert dir(whyset.retriever) == sorted(names)
    assert all(getattr(whyset.retriever, name) is not None for name in names)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = whyset.retriever.Nothing
