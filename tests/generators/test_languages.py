"""Languages are told, sentence by sentence: own sentences, in `fixtures/languages.jsonl`."""

import json
from collections import defaultdict
from pathlib import Path

from whyset.generators.checks import check_language

SENTENCES = [
    json.loads(line)
    for line in (Path(__file__).parent / "fixtures" / "languages.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
LANGUAGES = sorted({row["language"] for row in SENTENCES})


def test_no_sentence_is_taken_for_another_language() -> None:
    for row in SENTENCES:
        check = check_language(row["text"], language=row["language"])
        assert check.status in {"passed", "skipped"}, row


def test_nearly_every_sentence_is_long_enough_to_tell() -> None:
    statuses = [check_language(row["text"], language=row["language"]).status for row in SENTENCES]

    assert statuses.count("passed") >= 0.9 * len(SENTENCES)


def test_a_paragraph_fails_as_any_other_language() -> None:
    texts = defaultdict(list)
    for row in SENTENCES:
        texts[row["language"]].append(row["text"])

    passes = {
        (written, asked)
        for written in LANGUAGES
        for asked in LANGUAGES
        if check_language(" ".join(texts[written]), language=asked).status != "failed"
    }

    assert passes == {(language, language) for language in LANGUAGES}
