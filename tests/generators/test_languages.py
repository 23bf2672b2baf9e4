"""Languages are detected, sentence by sentence: `fixtures/languages.jsonl` has our own."""

import json
from collections import defaultdict
from pathlib import Path

from whyset.generators.checks import check_language

FIXTURE = Path(__file__).parent / "fixtures" / "languages.jsonl"
SENTENCES = [json.loads(line) for line in FIXTURE.read_text(encoding="utf-8").splitlines()]


def test_nearly_every_sentence_passes_and_none_fails() -> None:
    checks = [(row, check_language(row["text"], language=row["language"])) for row in SENTENCES]

    assert [(row, check) for row, check in checks if check.status == "failed"] == []
    assert sum(check.status == "passed" for _, check in checks) >= 0.9 * len(SENTENCES)


def test_a_paragraph_passes_as_its_own_language_alone() -> None:
    sentences = defaultdict(list)
    for row in SENTENCES:
        sentences[row["language"]].append(row["text"])

    passes = {
        (written, wanted)
        for written in sentences
        for wanted in sentences
        if check_language(" ".join(sentences[written]), language=wanted).status != "failed"
    }

    assert passes == {(language, language) for language in sentences}
