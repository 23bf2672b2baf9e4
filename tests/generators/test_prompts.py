"""Prompts: what each template takes, and that data put into one stays data."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyset.generators import GeneratorError
from whyset.generators._prompts import PromptSet, PromptTemplate, fence
from whyset.generators.deliberation import Deliberation

RUN = {"channel": "preface", "cite": "implicit"}

anything = st.text(max_size=60) | st.lists(
    st.sampled_from(["<", "/", "data-", ">", "</data-", "\n", "0a1b2c3d4e", "{{ x }}", "{%", "%}"])
).map("".join)


@pytest.mark.parametrize(
    ("step", "system", "user"),
    [
        ("appraise", set(), {"conversation", "passages", "response"}),
        (
            "write",
            {"channel", "cite"},
            {"considerations", "conversation", "length", "passages", "response"},
        ),
        ("judge", {"channel"}, {"conversation", "draft", "passages", "response"}),
        (
            "revise",
            {"channel", "cite"},
            {"conversation", "draft", "length", "passages", "problems", "response"},
        ),
        ("repair", set(), {"conversation", "finding", "passages", "response"}),
    ],
)
def test_the_variables_of_each_template(step: str, system: set[str], user: set[str]) -> None:
    prompt = Deliberation().prompts[step]

    # What differs from row to row stands in the user part alone: the system part can be cached.
    assert PromptTemplate("", prompt.system, "", "").variables() == system <= RUN.keys()
    assert PromptTemplate("", "", prompt.user, "").variables() == user
    assert prompt.variables() == system | user


def test_every_template_is_used_and_every_step_has_one() -> None:
    folder = Path(__file__).parents[2] / "generators" / "deliberation" / "prompts"

    assert set(Deliberation().prompts.digests()) == {
        f"deliberation/{path.stem}" for path in folder.glob("*.md")
    }


def test_every_missing_variable_is_named_at_once() -> None:
    prompt = Deliberation().prompts["write"]

    with pytest.raises(GeneratorError) as refused:
        prompt.render(run={"channel": "preface"}, row={"passages": "p", "length": "l"})

    assert str(refused.value) == (
        "prompt deliberation/write: no value for cite, considerations, conversation, response"
    )


def test_a_system_part_cannot_hold_what_is_the_rows_own() -> None:
    prompt = PromptTemplate.parse(
        "x/y", "<!-- system -->\n{{ tone }} {{ response }}\n<!-- user -->\n{{ response }}"
    )

    with pytest.raises(GeneratorError) as refused:
        prompt.render(run={"tone": "calm"}, row={"response": "r"})

    assert str(refused.value) == "prompt x/y: the system part must not use the row's own response"


@pytest.mark.parametrize(
    "source", ["", "text", "<!-- system -->\nonly", "<!-- user -->\nx\n<!-- system -->\ny"]
)
def test_a_template_needs_both_parts(source: str) -> None:
    with pytest.raises(GeneratorError, match=r"^prompt x/y: must begin with a line '<!-- system"):
        PromptTemplate.parse("x/y", source)


def test_a_template_with_wrong_syntax_is_refused_when_it_is_read() -> None:
    with pytest.raises(GeneratorError, match=r"^prompt x/y: unexpected '}'"):
        PromptTemplate.parse("x/y", "<!-- system -->\n{{ a }\n<!-- user -->\n")


def test_a_template_that_is_not_there_is_named() -> None:
    with pytest.raises(GeneratorError, match="there is no prompt 'sing' among"):
        Deliberation().prompts["sing"]


OWN = "<!-- system -->\nIn {{ channel }}.\n<!-- user -->\n{{ conversation }}\n{{ response }}"


def test_a_user_may_have_other_prompts() -> None:
    own = Deliberation(prompts={"write": OWN})

    assert own.prompts["write"].system == "In {{ channel }}.\n"
    assert own.prompts["judge"] == Deliberation().prompts["judge"]
    assert own.identity != Deliberation().identity
    assert own.evidence().settings["prompts"] == own.prompts.digests()


@pytest.mark.parametrize(
    ("name", "source", "outcome"),
    [
        (
            "sing",
            OWN,
            "deliberation has no prompt 'sing'; it has appraise, judge, repair, revise, write",
        ),
        (
            "write",
            OWN.replace("response", "answer"),
            "prompt deliberation/write: there is no variable answer; it may use channel, cite, "
            "considerations, conversation, length, passages, response",
        ),
        (
            "write",
            OWN.replace("channel", "response"),
            "prompt deliberation/write: response may be used in the user part only",
        ),
    ],
)
def test_a_users_prompt_that_cannot_take_the_place_is_refused(
    name: str, source: str, outcome: str
) -> None:
    with pytest.raises(GeneratorError) as refused:
        Deliberation(prompts={name: source})

    assert str(refused.value) == outcome


def test_all_that_is_wrong_with_a_users_prompts_is_told_at_once() -> None:
    with pytest.raises(GeneratorError) as refused:
        PromptSet.from_sources("x", {"y": OWN}, {"y": f"{OWN}{{{{ mood }}}}", "z": OWN})

    assert str(refused.value) == (
        "prompt x/y: there is no variable mood; it may use channel, conversation, response; "
        "x has no prompt 'z'; it has y"
    )


def test_a_template_is_known_by_its_content() -> None:
    first, same, other = (
        PromptTemplate.parse("x/y", f"<!-- system -->\n{text}\n<!-- user -->\n") for text in "aab"
    )

    assert first.digest == same.digest != other.digest


@given(anything)
def test_what_is_put_in_is_never_read_as_a_template(text: str) -> None:
    prompt = PromptTemplate.parse(
        "x/y", "<!-- system -->\n{{ tone }}\n<!-- user -->\n[{{ response }}]"
    )

    assert prompt.render(run={"tone": "calm"}, row={"response": text}) == ("calm", f"[{text}]")


def test_conditions_that_do_not_hold_leave_no_holes() -> None:
    prompt = PromptTemplate.parse(
        "x/y",
        "<!-- system -->\na\n\n{% if cite == 'none' %}\nb\n{% endif %}\n\n\nc\n<!-- user -->\nd",
    )

    assert prompt.render(run={"cite": "explicit"}, row={})[0] == "a\n\nc"


@given(anything)
def test_a_fence_cannot_be_closed_by_what_it_holds(text: str) -> None:
    fenced = fence(text)

    opening = re.match(r"<(data-[0-9a-f]{10})>\n", fenced)
    assert opening
    assert fenced == f"<{opening[1]}>\n{text}\n</{opening[1]}>"
    assert opening[1] not in text


@given(anything)
def test_nor_by_a_fence_made_for_it_before(text: str) -> None:
    inner = fence(text)
    tag = inner[1:16]

    assert not fence(f"{inner}{text}").startswith(f"<{tag}>")
    assert fence(inner) == fence(inner)
