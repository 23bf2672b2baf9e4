"""Measure near-duplicates: how alike texts are that are the same, and texts that are not.

    python benchmarks/duplicates.py [--shared FOLDER] [--texts N]

Prints Markdown. Ideas are pairs written by hand (`ideas.jsonl`): one idea in other words, and two
ideas in the same frame, such as two minutes of a parish council. Longer texts are cut from the
bundled charter and from the constitutions in the shared folder where there is one: each beside its
nearest neighbour, which is another text, and beside itself with sentences and words left out.
"""

import argparse
import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from whyset.constitution import Constitution
from whyset.pipelines import DEFAULT_THRESHOLDS
from whyset.pipelines.corpus._dedup import Deduplicator, Fingerprint
from whyset.retriever import Embedder, open_embedder

HERE = Path(__file__).resolve().parent
SHARED = HERE.parent.parent / "shared"
LENGTHS = (40, 80, 160, 400)
LEFT_OUT = (0.1, 0.3)


def sources(shared: Path) -> list[list[str]]:
    """Return the words of each constitution."""
    texts = [Constitution.charter()]
    texts += [Constitution.load(path) for path in sorted((shared / "constitutions").glob("*-*.md"))]
    return [" ".join(passage.plain for passage in text.passages).split() for text in texts]


def windows(words: Sequence[str], length: int) -> list[str]:
    """Return a text cut into pieces of so many words."""
    starts = range(0, len(words) - length + 1, length)
    return [" ".join(words[start : start + length]) for start in starts]


def left_out(text: str, share: float, chance: random.Random) -> str:
    """Return a text without a share of its sentences and half as large a one of its words."""
    sentences = re.split(r"(?<=[.!?])\s+", text)
    kept = [each for each in sentences if chance.random() > share] or sentences
    return " ".join(word for word in " ".join(kept).split() if chance.random() > share / 2)


def alike(one: Fingerprint, other: Fingerprint) -> tuple[float, float]:
    """Return what two texts have in common: by words, and by meaning."""
    assert one.vector is not None
    assert other.vector is not None
    return float(one.minhash.jaccard(other.minhash)), float(one.vector @ other.vector)


def caught(novelty: Callable[[], Deduplicator], one: Fingerprint, other: Fingerprint) -> bool:
    """Say whether one passes for a near-duplicate of the other."""
    held = novelty()
    held.add("one", one)
    return held.find_duplicate(other) is not None


def row(name: str, pairs: Sequence[tuple[Fingerprint, Fingerprint]], embedder: Embedder) -> None:
    """Print what pairs have in common, and how many are taken for near-duplicates."""
    words, meaning = zip(*(alike(*pair) for pair in pairs), strict=True)
    found = sum(caught(lambda: Deduplicator(embedder), *pair) for pair in pairs)
    cells = [f"{np.quantile(held, q):.2f}" for held in (words, meaning) for q in (0, 0.5, 1)]
    print(f"| {name} | {len(pairs)} | {' | '.join(cells)} | {found} |")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description="Measure near-duplicates.")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--texts", type=int, default=120, help="texts of each length")
    options = parser.parse_args()
    embedder = open_embedder("minilm")
    assert embedder is not None
    novelty, chance = Deduplicator(embedder), random.Random(1)
    print(
        f"Near-duplicates from {DEFAULT_THRESHOLDS.shingle_share} by words; by meaning from",
        end=" ",
    )
    print(
        f"{DEFAULT_THRESHOLDS.short_cosine} (short) to {DEFAULT_THRESHOLDS.long_cosine} (long).\n"
    )
    spread = "least | median | most"
    print(f"| texts | pairs | words: {spread} | meaning: {spread} | found |")
    print("|---|---|---|---|---|---|---|---|---|")
    lines = (HERE / "ideas.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [json.loads(line) for line in lines]
    for same in (True, False):
        name = "one idea in other words" if same else "two ideas in one frame"
        held = [pair for pair in pairs if pair["alike"] is same]
        prints = novelty.compute_fingerprints(
            [pair[key] for pair in held for key in ("one", "other")]
        )
        row(name, list(zip(prints[::2], prints[1::2], strict=True)), embedder)
    held_words = sources(options.shared)
    for length in LENGTHS:
        texts = [each for words in held_words for each in windows(words, length)]
        texts = chance.sample(texts, min(options.texts, len(texts)))
        prints = novelty.compute_fingerprints(texts)
        vectors = np.array([each.vector for each in prints])
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, -1)
        nearest = [(prints[n], prints[int(m)]) for n, m in enumerate(cosines.argmax(axis=1))]
        row(f"{length} words, and the nearest other text", nearest, embedder)
        for share in LEFT_OUT:
            some = [left_out(text, share, chance) for text in texts[: options.texts // 2]]
            same_texts = list(zip(prints, novelty.compute_fingerprints(some), strict=False))
            row(f"{length} words, and itself without {share:.0%}", same_texts, embedder)


if __name__ == "__main__":
    main()
