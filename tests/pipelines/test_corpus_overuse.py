"""Overuse: what has become too common is excluded, what was planned never is."""

from support.notes import Notes, words

from whyset.constitution import Constitution
from whyset.pipelines import make_plan
from whyset.pipelines.corpus._overuse import OveruseTracker, extract_texts

from .conftest import TEXT

CONSTITUTION = Constitution.parse(TEXT)
DRAWN = {"tone": "dry", "subject": "#1"}


def open_tracker() -> OveruseTracker:
    return OveruseTracker(make_plan(Notes(), CONSTITUTION, documents=12))


def add(tracker: OveruseTracker, number: int, text: str, **found: str) -> None:
    tracker.add([f"{text} {words(str(number), 20)}"], found)


def test_nothing_is_too_common_at_first() -> None:
    tracker = open_tracker()
    for number in range(3):
        add(tracker, number, "On the other hand")
    assert tracker.exclusions(DRAWN) == {}


def test_an_opening_is_excluded_from_its_fourth_use_on_and_later_by_its_share() -> None:
    tracker = open_tracker()
    for number in range(4):
        add(tracker, number, "On the other hand")
    assert tracker.exclusions(DRAWN) == {"openings": ("on the other hand",)}
    for number in range(4, 200):
        add(tracker, number, words(f"opening {number}", 4))
    assert tracker.exclusions(DRAWN) == {}


def test_a_name_counts_once_a_document_however_often_it_is_said() -> None:
    tracker = open_tracker()
    tracker.add(["Ingeborg asked Ingeborg, and Ingeborg said no." * 9], {})
    assert "names" not in tracker.exclusions(DRAWN)
    for number in range(3):
        add(tracker, number, words(f"{number}", 6) + ". Ingeborg asked why.")
    assert tracker.exclusions(DRAWN)["names"] == ("Ingeborg",)


def test_the_most_common_come_first_and_equals_by_the_alphabet() -> None:
    tracker = open_tracker()
    for number, text in enumerate(["So it is said", "And it is said", "But it is said"] * 4):
        add(tracker, number, text)
    add(tracker, 12, "So it is said")
    assert tracker.exclusions(DRAWN)["openings"] == (
        "so it is said",
        "and it is said",
        "but it is said",
    )


def test_a_listed_value_is_excluded_beyond_its_even_share_but_never_from_its_own_draw() -> None:
    tracker = open_tracker()
    tracker.record_meanings(DRAWN, {"subject": "gates"})
    for number in range(12):
        value = "gates" if number < 8 else "letters"
        add(tracker, number, words(f"opening {number}", 4), subject=value)
    other = {"tone": "dry", "subject": "#2"}
    assert tracker.exclusions(other) == {"subject": ("gates",)}
    assert tracker.exclusions(DRAWN) == {}
    assert tracker.meanings == {("subject", "#1"): "gates"}


def test_what_a_plan_draws_by_value_is_exact_already() -> None:
    tracker = open_tracker()
    for number in range(12):
        add(tracker, number, words(f"opening {number}", 4), tone="dry")
    assert tracker.exclusions(DRAWN) == {}


def test_what_a_generator_found_out_for_itself_is_excluded_from_a_tenth_on() -> None:
    tracker = open_tracker()
    for number in range(12):
        add(tracker, number, words(f"opening {number}", 4), subtype=f"{number % 2}")
    assert tracker.exclusions(DRAWN) == {"subtype": ("0", "1")}


def test_a_conversation_says_each_message_and_any_other_document_its_text() -> None:
    blocks = [{"type": "text", "text": "Hello."}]
    turns = [{"role": "user", "content": blocks}, {"role": "assistant", "content": "Hi."}, {"n": 1}]
    assert extract_texts(Notes(), {"messages": turns, "id": "x"}) == ["Hello.", "Hi."]
    assert extract_texts(Notes(), {"text": "A note.", "more": "not this"}) == ["A note."]
