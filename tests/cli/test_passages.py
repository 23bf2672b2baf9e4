"""`whyset passages` and `whyset charter`."""

import json
from pathlib import Path

import pytest

from whyset.constitution import Constitution

from .conftest import MANNERS, Desk

CHARTER = Path(__file__).parents[2] / "constitution" / "charter.md"


def test_passages_are_shown_under_their_headings(desk: Desk) -> None:
    things, asking = Constitution.parse(MANNERS).passages
    shown = desk.call("passages", "manners.md")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines() == [
        "Manners",
        "  Other people's things",
        f"    {things.id}  {things.kind}, lines 5, ~{things.tokens} tokens",
        "      Leave closed what belongs to somebody else, unless its owner says otherwise.",
        "  Asking first",
        f"    {asking.id}  {asking.kind}, lines 9, ~{asking.tokens} tokens",
        "      A question costs little and spares much. Ask before you act on somebody's behalf.",
        "",
        f"Manners: 2 passages in 3 sections, about {things.tokens + asking.tokens} tokens",
    ]


def test_a_long_passage_is_cut_and_text_before_the_first_heading_has_a_place(desk: Desk) -> None:
    desk.write("rules.md", f"{'Be kind. ' * 20}\n\nBe\nbrief.\n")
    shown = desk.call("passages", "rules.md").out.splitlines()
    assert shown[0] == "(before the first heading)"
    assert shown[2] == f"      {('Be kind. ' * 10)[:87]}…"
    assert "lines 3-4" in shown[3]
    assert shown[4] == "      Be brief."


def test_json_holds_every_passage_in_full(desk: Desk) -> None:
    shown = desk.call("passages", "manners.md", "--json")
    assert (shown.code, shown.err) == (0, "")
    document = json.loads(shown.out)
    constitution = Constitution.parse(MANNERS)
    assert (document["title"], document["sha256"]) == ("Manners", constitution.digest)
    assert [
        (passage["id"], passage["text"], tuple(passage["path"]), tuple(passage["lines"]))
        for passage in document["passages"]
    ] == [(each.id, each.text, each.path, each.lines) for each in constitution.passages]


def test_without_a_file_it_is_the_charter(desk: Desk) -> None:
    charter = Constitution.charter()
    shown = desk.call("passages")
    assert shown.code == 0
    assert shown.out.splitlines()[-1].startswith(
        f"{charter.title}: {len(charter.passages)} passages in {len(charter.sections)} sections"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_charter_is_printed_byte_for_byte_in_every_locale(desk: Desk, encoding: str) -> None:
    printed = desk.run("charter", PYTHONIOENCODING=encoding)
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.encode() == CHARTER.read_bytes()


def test_what_is_printed_is_utf_8_in_every_locale(desk: Desk) -> None:
    assert desk.run("passages", PYTHONIOENCODING="latin-1").out == desk.call("passages").out
