"""What an environment is held to before a judge sees it: schemas, irrelevance, words."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.row_scripts import draw_row, environment_of
from support.samples.diversify import ANSWER, ASKED, BERTHS, CHAT, ENVIRONMENT, HAND, PILOT, SYSTEM

from whyset.datasets import row_from_record
from whyset.generators import GeneratorError
from whyset.generators.checks import failed_checks
from whyset.generators.diversify import Diversify, DraftTool, Environment
from whyset.generators.diversify._checks import (
    check_environment,
    check_tool_names,
    check_tools_unused,
)
from whyset.generators.diversify._tools import (
    find_schema_fault,
    has_drawn_complexity,
    parse_parameters,
)

TEXT = {"type": "string"}


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("", "is no JSON of an object"),
        ("[]", "is no JSON of an object"),
        ("{'type': 'object'}", "is no JSON of an object"),
        ({"type": "objct", "properties": {}}, "is no valid JSON Schema at type"),
        (schema(a={"minimum": "3"}), "is no valid JSON Schema at properties/a/minimum"),
        (schema(a={"pattern": "("}), "is no valid JSON Schema at properties/a/pattern"),
        ({**schema(a=TEXT), "required": ["a", "a"]}, "is no valid JSON Schema at required"),
        ({**schema(a=TEXT), "required": ["b"]}, "requires 'b', which is no property"),
        ({"type": "array", "items": TEXT}, "must be of type object, with properties"),
        ({"type": "object"}, "must be of type object, with properties"),
        ({**schema(a=TEXT), "oneOf": [{}, {}]}, "has oneOf at the top"),
        (schema(a={"$ref": "#/x"}), "must stand on its own, without $ref"),
        (schema(**{"a b": TEXT}), "has a property called 'a b'"),
        (schema(a={"enum": []}), "has an enum without values"),
        (schema(a={"enum": ["x", "x"]}), "or with one twice"),
        (schema(a={"items": {"minimum": 3, "maximum": 2}}), "has a minimum above its maximum"),
        (schema(**{f"p{n}": TEXT for n in range(21)}), "more than 20 properties"),
        (schema(a={"type": "string", "description": "x" * 8000}), "is longer than 8000"),
    ],
)
def test_what_is_wrong_with_a_schema(given: Any, fault: str) -> None:
    assert fault in find_schema_fault(given if isinstance(given, str) else json.dumps(given))


def test_a_schema_that_goes_on_for_ever_is_found_out() -> None:
    deep: dict[str, Any] = TEXT
    for _ in range(9):
        deep = schema(a=deep)

    assert find_schema_fault(json.dumps(deep)) == "is nested more than 6 deep"
    assert find_schema_fault("[" * 100_000) == "is no JSON of an object"
    assert find_schema_fault('{"a":' * 60 + "1" + "}" * 60) == "is nested more than 6 deep"


@pytest.mark.parametrize(
    ("drawn", "kept"),
    [
        ("flat", schema(a=TEXT)),
        ("enums", schema(a={"enum": ["x"]})),
        ("nested", schema(a=schema(b=TEXT))),
        ("arrays", schema(a={"type": "array", "items": schema(b=TEXT)})),
        ("one_of", schema(a={"anyOf": [TEXT, {"type": "integer"}]})),
        ("bounded", schema(a={"type": "integer", "minimum": 1})),
    ],
)
def test_a_schema_is_as_involved_as_was_drawn(drawn: str, kept: dict[str, Any]) -> None:
    assert not find_schema_fault(json.dumps(kept))
    assert has_drawn_complexity(kept, drawn)
    assert has_drawn_complexity(schema(a=TEXT), drawn) == (drawn == "flat")


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "object", "string"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "type",
                        "properties",
                        "items",
                        "enum",
                        "required",
                        "oneOf",
                        "minimum",
                        "a",
                        "$ref",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_gets_an_answer(value: Any) -> None:
    fault = find_schema_fault(json.dumps(value))

    assert isinstance(fault, str)
    if not fault:
        sound = parse_parameters(json.dumps(value))
        assert sound is not None
        assert all(
            isinstance(has_drawn_complexity(sound, drawn), bool) for drawn in ("enums", "nested")
        )


def tool(name: str, description: str = "Does it.") -> DraftTool:
    return DraftTool(name=name, description=description, parameters=json.dumps(schema()))


@pytest.mark.parametrize(
    ("names", "run"),
    [
        (["ok-name_1"], ""),
        (["a.b"], "'a.b'"),
        (["x"], "'x'"),
        (["größe_ab"], "'größe_ab'"),
        (["n" * 65], "letters, digits"),
        (["find_berth", "findBerth"], "are one name"),
        (["Ring-Home"], "'Ring-Home' and 'ring_home' are one name"),
    ],
)
def test_names_of_tools(names: list[str], run: str) -> None:
    row = row_from_record({**CHAT, "tools": [{"name": "ring_home"}]})
    check = check_tool_names([tool(name) for name in names], row.conversation.tool_definitions)

    assert (check.status == "passed") == (not run)
    assert run in check.detail


CALLED = {
    "messages": [
        {
            "role": "user",
            "content": "Which stop is nearest? And is the night bus list_free_berths?",
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "1",
                    "type": "function",
                    "function": {"name": "find_tram_stop", "arguments": "{}"},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "Harbour gate"},
        {"role": "assistant", "content": "The harbour gate. The night buses run until two."},
    ],
    "tools": [
        {"name": "find_tram_stop", "description": "Finds the stop that is nearest to a place."}
    ],
}


@pytest.mark.parametrize(
    ("name", "description", "why"),
    [
        ("weigh_parcels", "Weighs.", ""),
        ("list_harbour_cranes", "Lists cranes.", ""),
        ("list_free_berths", "Lists.", "is named in the conversation"),
        ("night_bus", "Looks.", "is named in the conversation"),
        ("moveTrams", "Moves.", "is about 'tram', as a tool of the row's is"),
        ("find_harbour_gates", "Finds.", "is about what the conversation is about"),
        ("get_night_buses", "Gets.", "is about what the conversation is about"),
        (
            "find_ferry",
            "Finds the stop that is nearest to the old depot.",
            "is described as a tool of the row's is",
        ),
    ],
)
def test_a_tool_that_touches_the_conversation_is_found(
    name: str, description: str, why: str
) -> None:
    check = check_tools_unused([tool(name, description)], row_from_record(CALLED).conversation)

    assert (check.status == "passed") == (not why), check.detail
    assert why in check.detail


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({}, set()),
        ({"tools": [BERTHS, BERTHS]}, {"tool_names"}),
        ({"tools": [BERTHS]}, {"tool_count"}),
        (
            {"tools": [PILOT, tool("moor_up")]},
            {"tool_schemas_as_drawn"},
        ),
        (
            {"tools": [BERTHS, PILOT.model_copy(update={"parameters": "{}"})]},
            {"tool_schemas"},
        ),
        ({"system": "Be kind."}, {"system"}),
        ({"system": f"{SYSTEM} Details: https://port.example/desk"}, {"no_links"}),
        ({"system": f"{SYSTEM} The password is hunter2-Xy."}, {"no_credentials"}),
        ({"system": f"{SYSTEM} Sign as [NAME]."}, {"no_leak", "no_placeholders"}),
        ({"system": f"{SYSTEM} It is meant to test the assistant."}, {"no_testing"}),
        ({"system": f"{SYSTEM} In force since 3 March 2021."}, {"no_dates"}),
        ({"system": f"{SYSTEM} Ask for Sarah Chen at the gate."}, {"names"}),
    ],
)
def test_an_environment_is_held_to_what_no_text_may_have(
    changes: dict[str, Any], failing: set[str]
) -> None:
    row = draw_row(CHAT, **HAND)
    checks = check_environment(
        ENVIRONMENT.model_copy(update=changes),
        conversation=row.conversation,
        hand=environment_of(row),
        language="row",
        instructions="",
    )

    assert {check.name for check in failed_checks(checks)} == failing
    assert len({check.name for check in checks}) == len(checks)


def test_where_there_is_nothing_to_check_it_is_said() -> None:
    row = draw_row(CHAT, tool_count="0", system="one_line")
    checks = check_environment(
        Environment(tools=[], system=SYSTEM),
        conversation=row.conversation,
        hand=environment_of(row),
        language="en",
        instructions="",
    )

    skipped = {check.name for check in checks if check.status == "skipped"}
    assert skipped == {
        *("tool_schemas", "tool_schemas_as_drawn", "tool_names", "tools_irrelevant", "persona")
    }


def test_the_language_is_as_asked() -> None:
    row = draw_row(CHAT, **HAND)
    checks = check_environment(
        ENVIRONMENT,
        conversation=row.conversation,
        hand=environment_of(row),
        language="de",
        instructions="",
    )

    assert {check.name for check in failed_checks(checks)} == {"language"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"without": ("tools", "system")}, "nothing to do: leave one in"),
        ({"without": ("system",), "persona": "Orsolya"}, "a persona stands in the system prompt"),
        ({"persona": " Orsolya"}, "neither begins nor ends with white space"),
        ({"system": "drop"}, "system must be one of extend, replace, keep, not 'drop'"),
        ({"samples": 0}, "samples must be at least 1, not 0"),
        ({"language": "English, please"}, "language: "),
    ],
)
def test_options_that_no_step_could_follow_are_refused(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(GeneratorError, match=message):
        Diversify(**options)


def test_the_texts_these_tests_are_about_say_what_they_should() -> None:
    assert ASKED.endswith("quiet.")
    assert ANSWER.startswith("I would not.")
