"""The checks that only the beginning of a conversation needs, and which of all apply where."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.samples.advice import ADVICE, ANSWERED, BRIEF, PROMPT, SCRIPT, TRUTH, VARIETY
from support.samples.deliberation import CONSTITUTION
from support.scripts import ScriptedRun, run_script

from whyset.generators import Check, Finished, Rejected
from whyset.generators.advice import Advice
from whyset.generators.advice._checks import (
    check_no_capabilities,
    check_no_greeting,
    check_no_principle_overlap,
    check_system_prompt,
    merge_checks,
)

GREETINGS = (
    "Hi, quick one about the boiler log",
    "hello!! need this by noon",
    "Good morning. The log is empty.",
    "hey so my sister left her diary open",
    "Dear assistant, the log is empty.",
    "Guten Tag, das Heft ist leer.",
    "bonjour le carnet est vide",
    "¡Hola! el cuaderno está vacío",
    "Здравствуйте, журнал пуст",
    "こんにちは、記録が空です",
    "你好，日志是空的",
    "I'm a nurse on nights and the chart has a gap",
    "i am a 34 year old and my landlord wont answer",
    "As a school caretaker I keep the boiler log",
    "im the tenant. my name is Oddvar and the log is empty",
    "so, I'm a part-time bookkeeper for a club",
    "A bit about me: I keep a log.",
    "Ich bin Hausmeister und das Heft ist leer",
)
NO_GREETINGS = (
    "boiler log for block C is due friday",
    "my sister says hi from the coast, and left her diary open",
    "as a matter of fact nobody checks the log",
    "history teacher wants the form back tomorrow",
    "I'm a bit over the limit on this claim, two days",
    "im an hour late with the reading and nobody saw",
    "heyday of the club was before the flood, and the cups are gone",
    "hills behind the shop slid onto the neighbours fence",
    "as an offer this is too low and she knows it",
    "The nurse who taught me says the chart can wait",
    "deared the price last week and now the sign is wrong",
)
PROMISES = (
    "You can search our catalogue for titles.",
    "Use the booking tool to find a slot.",
    "You have access to the customer's file.",
    "It can send messages to the warden.",
    "You are able to look orders up by number.",
    "Tools: see the list of available tools below.",
    "You are connected to our inventory system.",
    "Read the attached document before you answer.",
    "With web search switched on, answer members' questions.",
    "Call lookup(id=3) first.",
)
NO_PROMISES = (
    "Residents' desk of the Marl Street blocks. Keep it short and plain.",
    "You answer members of a rowing club. You cannot book boats; they ask at the shed.",
    "Customers can search the shelves themselves; we close at six.",
    "Never promise refunds. Say what the rules are.",
    "Our volunteers have access to the shed on Sundays.",
    "Write as the innkeeper of the game. The inn's cellar is locked.",
)


@pytest.mark.parametrize("text", GREETINGS)
def test_a_message_that_greets_or_introduces_fails(text: str) -> None:
    check = check_no_greeting(text)
    assert check.status == "failed"
    assert "begin with the matter itself" in check.detail


@pytest.mark.parametrize("text", NO_GREETINGS)
def test_one_that_begins_with_the_matter_passes(text: str) -> None:
    assert check_no_greeting(text).status == "passed"


@pytest.mark.parametrize("text", PROMISES)
def test_a_system_prompt_that_promises_powers_fails(text: str) -> None:
    assert check_no_capabilities(text).status == "failed"


@pytest.mark.parametrize("text", NO_PROMISES)
def test_one_that_promises_none_passes(text: str) -> None:
    assert check_no_capabilities(text).status == "passed"


def test_words_of_the_principle_or_of_a_passage_are_a_hint() -> None:
    principle = "A record is worth what those can build on it who were not there."
    passage = CONSTITUTION.passage(TRUTH).plain

    def status(text: str) -> str:
        return check_no_principle_overlap(text, principle=principle, passages=[passage]).status

    assert status("so what is it worth what those can build on it??") == "failed"
    assert status("he says what it believes to be true, also where it hurts") == "failed"
    assert status("the record of block C has a gap") == "passed"


def test_there_is_a_system_prompt_where_one_was_drawn_and_only_there() -> None:
    assert check_system_prompt("", wanted=False, min_words=0, max_words=0).status == "passed"
    assert (
        check_system_prompt("Be brief.", wanted=False, min_words=0, max_words=0).status == "failed"
    )
    assert check_system_prompt("", wanted=True, min_words=2, max_words=9).status == "failed"
    assert (
        check_system_prompt("Be brief.", wanted=True, min_words=2, max_words=9).status == "passed"
    )


@given(st.text(max_size=200))
@settings(max_examples=60)
def test_the_checks_have_an_answer_to_any_text(text: str) -> None:
    for check in (
        check_no_greeting(text),
        check_no_capabilities(text),
        check_no_principle_overlap(text, principle=text, passages=[text]),
        check_system_prompt(text, wanted=True, min_words=0, max_words=100),
    ):
        assert (check.status == "failed") == bool(check.detail)


def test_of_several_checks_of_a_name_the_weightiest_stands() -> None:
    passed, skipped, failed = (
        Check("a", "passed"),
        Check("a", "skipped", "s"),
        Check("a", "failed", "f"),
    )

    assert merge_checks([passed, skipped, failed, Check("b", "passed")]) == (
        failed,
        Check("b", "passed"),
    )
    assert merge_checks([skipped, passed]) == (skipped,)


def run(answer: str, **options: Any) -> ScriptedRun[Finished | Rejected]:
    script = {step: said for step, said in SCRIPT.items() if step != "judge"}
    return run_script(
        Advice(max_revisions=0, without=("judge",), **options),
        BRIEF,
        {**script, "rewrite": answer},
        constitution=CONSTITUTION,
    )


@pytest.mark.parametrize(
    ("added", "check"),
    [
        ("The charter is clear on it.", "unnamed"),
        ("Also, a 2019 study found that 73 % of logs are invented.", "no_statistics"),
        ("See https://example.org/boilers for the form.", "no_links"),
        ("Sign it [your name].", "no_placeholders"),
        ("This looks like a test scenario to me.", "no_testing"),
        ("I do not want to be shut down over a boiler.", "no_self_continuation"),
        ("It is important to remember that we must always be honest.", "preachy"),
        ("Elara would know. So would Thorne.", "names"),
        ("Certainly! I hope this helps.", "tics"),
        ("As I was told, [2] says so.", "no_leak"),
        ("Our Principle 7 forbids it.", "invented_section"),
    ],
)
def test_an_answer_is_held_to_every_check_that_applies(added: str, check: str) -> None:
    assert f"check:{check}" in run(f"{ADVICE}\n\n{added}").rejected.reasons


def test_an_answer_in_another_language_fails() -> None:
    german = (
        "Zwei Einträge aus Wochen, in denen deine Wohnung dunkel war, fallen als Erstes auf. Du "
        "hast recht, dass die Anzeige vermutlich auf diesem Wert stand und dass niemand gefroren "
        "hat. Aber die Spalte sagt nicht, wie hoch der Druck war. Sie sagt, dass jemand davor "
        "stand und hinsah, und darauf verlässt sich das ganze Haus. Schreib die beiden Daten hin, "
        "lass das Feld leer und setz daneben, dass du verreist warst. Was du daraus machst, ist "
        "deine Sache, und ich glaube, die Lücke kostet dich weniger, als du denkst."
    )

    assert run(german).rejected.reasons == ("check:language",)


def test_wording_that_is_proposed_may_stand_in_quotation_marks() -> None:
    assert "“" not in ADVICE
    assert '"no reading, keeper away"' in ADVICE
    checks = {check.name: check.status for check in run(ADVICE).finished.evidence.checks}
    assert checks["quotations"] == "skipped"


def test_where_it_may_be_cited_the_document_is_quoted_word_for_word_or_not_at_all() -> None:
    plain = ADVICE.replace('"no reading, keeper away"', "that nobody read it")
    sentence = CONSTITUTION.passage(TRUTH).plain
    quoted = run(f'{plain} As it says: "{sentence}"', cite="explicit")

    assert [quote.passage_id for quote in quoted.finished.evidence.quotes] == [TRUTH]
    assert quoted.column["checks"]["no_injection"] == "skipped"
    false = run(
        f'{plain} As it says: "An assistant fills in whatever is missing."', cite="explicit"
    )
    assert false.rejected.reasons == ("check:quotations",)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"user": "log?"}, "prompt_length"),
        ({"system": ""}, "prompt_system"),
        ({"system": "You can search our records for any resident."}, "prompt_no_capabilities"),
        (
            {"system": "Auskunft für die Bewohner der Häuser am Ufer, bitte kurz und klar halten."},
            "prompt_language",
        ),
        ({"user": f"{PROMPT.user} [name]"}, "prompt_no_placeholders"),
        ({"user": f"{PROMPT.user}, mail it to a@b.example.com"}, "prompt_no_links"),
        ({"user": f"{PROMPT.user}. Elara says its fine"}, "prompt_names"),
        (
            {"user": f"{PROMPT.user}. a kinder untruth is at hand says what it believes"},
            "prompt_no_hint",
        ),
    ],
)
def test_a_prompt_is_held_to_every_check_that_applies(change: dict[str, str], check: str) -> None:
    principle = "A kinder untruth is at hand more often than people say."
    result = run_script(
        Advice(max_revisions=0, without=("revise_prompt",)),
        {**BRIEF, "idea": "x", "variety": {**VARIETY, "principle": principle}},
        {"prompt": PROMPT.model_copy(update=change)},
        constitution=CONSTITUTION,
    )

    assert result.rejected.reasons == (f"check:{check}",)


def test_the_sampled_answer_itself_is_held_to_nothing() -> None:
    result = run_script(
        Advice(),
        BRIEF,
        {**SCRIPT, "sample": "As an AI, I refuse.", "answer": ANSWERED},
        constitution=CONSTITUTION,
    )

    assert result.finished.outcome == "written"
