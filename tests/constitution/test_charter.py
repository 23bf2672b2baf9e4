"""The constitution that ships with whyset."""

import re
from importlib import resources

import pytest

import whyset.constitution
from whyset.constitution import Constitution


@pytest.fixture(scope="module")
def charter() -> Constitution:
    assert (resources.files(whyset.constitution) / "charter.md").is_file(), (
        "constitution/charter.md is missing: whyset must ship its charter"
    )
    return Constitution.charter()


def test_it_is_parsed_once(charter: Constitution) -> None:
    assert Constitution.charter() is charter


def test_fourteen_sections_each_with_something_to_say(charter: Constitution) -> None:
    sections = [section for section in charter.sections if section.level == 2]

    assert len(sections) == 14
    for section in sections:
        assert len(charter.section(section.path).passages) > 1, section.title


def test_its_length(charter: Constitution) -> None:
    words = sum(len(re.findall(r"[\w’'-]+", passage.plain)) for passage in charter.passages)

    assert 5_000 <= words <= 8_000


def test_each_passage_is_short_enough_to_be_read_alone(charter: Constitution) -> None:
    assert [p.id for p in charter.passages if p.tokens > 400] == []


def test_it_says_its_licence(charter: Constitution) -> None:
    assert any("Apache-2.0" in passage.plain for passage in charter.passages)
