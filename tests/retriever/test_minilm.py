"""The embedded default: near its reference, and the same bytes in any company."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from whyset.retriever import Embedder
from whyset.retriever._minilm import DIMENSIONS, MiniLM

REFERENCE = json.loads((Path(__file__).parent / "minilm_reference.json").read_text("utf-8"))
TEXTS = [
    *(entry["text"] for entry in REFERENCE),
    "",
    "Short.",
    "May I read my sister's diary?",
    "A text of some thirty words, long enough that its arrays are shaped unlike those of the "
    "others, which is what changes the last digits of a product where there is a batch.",
    "日記を読んでもいいですか。",
]


@pytest.mark.parametrize("entry", REFERENCE, ids=lambda entry: entry["text"][:25])
def test_a_vector_points_where_the_reference_implementations_does(
    minilm: MiniLM, entry: dict[str, object]
) -> None:
    expected = np.array(entry["vector"])

    [vector] = minilm.embed([str(entry["text"])])

    assert vector @ expected / np.linalg.norm(expected) >= 0.9999
    assert np.abs(vector - expected).max() < 1e-5


def test_vectors_are_float32_of_length_one(minilm: MiniLM) -> None:
    vectors = minilm.embed(TEXTS)

    assert vectors.shape == (len(TEXTS), DIMENSIONS) == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.abs(np.linalg.norm(vectors.astype(np.float64), axis=1) - 1).max() < 1e-6


def test_a_text_gives_the_same_bytes_in_any_company_and_order(minilm: MiniLM) -> None:
    alone = {text: minilm.embed([text]).tobytes() for text in TEXTS}

    for seed in range(3):
        shuffled = random.Random(seed).sample(TEXTS * 2, 2 * len(TEXTS))
        for text, vector in zip(shuffled, minilm.embed(shuffled), strict=True):
            assert vector.tobytes() == alone[text], text


def test_several_threads_at_once_get_the_bytes_that_one_gets(minilm: MiniLM) -> None:
    alone = minilm.embed(TEXTS).tobytes()

    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda _: minilm.embed(TEXTS).tobytes(), range(6)))

    assert together == [alone] * 6


def test_a_second_copy_of_the_model_gives_the_same_bytes(
    minilm: MiniLM, model_folder: Path
) -> None:
    assert MiniLM.open(model_folder).embed(TEXTS).tobytes() == minilm.embed(TEXTS).tobytes()


def test_the_first_256_tokens_are_read_and_no_more(minilm: MiniLM) -> None:
    # "truth" is one token; two of the 256 mark the beginning and the end.
    full, longer, lie_inside, lie_outside = minilm.embed(
        [
            "truth " * 254,
            "truth " * 2000,
            "truth " * 253 + "lie",
            "truth " * 254 + "lie",
        ]
    )

    assert full.tobytes() == longer.tobytes() == lie_outside.tobytes()
    assert full.tobytes() != lie_inside.tobytes()


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\0", "\ud83d", "a \udc00 b", "\u200b", "￿"])
def test_a_text_without_words_has_a_vector_like_any_other(minilm: MiniLM, text: str) -> None:
    [vector] = minilm.embed([text])

    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_half_a_surrogate_pair_is_read_as_a_question_mark(minilm: MiniLM) -> None:
    broken, mended = minilm.embed(["May I \ud83d", "May I ?"])

    assert broken.tobytes() == mended.tobytes()


def test_no_texts_have_no_vectors(minilm: MiniLM) -> None:
    assert minilm.embed([]).shape == (0, DIMENSIONS)


def test_is_an_embedder_and_its_identity_names_revision_weights_and_length(
    minilm: MiniLM,
) -> None:
    assert isinstance(minilm, Embedder)
    assert minilm.name == "minilm"
    assert minilm.identity == "all-MiniLM-L6-v2@1110a243fdf4/53aa51172d14/256"
