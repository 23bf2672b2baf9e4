"""`whyset generators` and `whyset prompts`: what is installed, and what each can do."""

import json

import pytest

from whyset.generators import list_generators, load_generator_class

from .conftest import Desk

NAMES = sorted(list_generators())


def test_every_installed_generator_is_listed_with_what_it_makes(desk: Desk) -> None:
    run = desk.call("generators")

    assert run.code == 0
    for name in NAMES:
        generator = load_generator_class(name)
        assert f"  {name}" in run.out
        assert generator.summary in run.out
        for option in generator.options_class.model_fields:
            assert (" -k" if option == "k" else f" --{option.replace('_', '-')}") in run.out


def test_as_json_too(desk: Desk) -> None:
    run = desk.call("generators", "--json")

    records = json.loads(run.out)
    assert [record["name"] for record in records] == NAMES
    assert {record["takes"] for record in records} == {"rows", "briefs"}


@pytest.mark.parametrize("name", NAMES)
def test_one_of_them_in_full(desk: Desk, name: str) -> None:
    generator = load_generator_class(name)

    run = desk.call("generators", name)

    assert run.code == 0
    for option in generator.options_class.model_fields:
        assert ("  -k  " if option == "k" else f"  --{option.replace('_', '-')}  ") in run.out
    for outcome in generator.outcomes:
        assert f"  {outcome}" in run.out
    assert f"prompts: {', '.join(sorted(generator.prompt_sources()))}" in run.out


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_its_help(desk: Desk, name: str) -> None:
    (record,) = [
        each for each in json.loads(desk.call("generators", "--json").out) if each["name"] == name
    ]

    assert all(option["help"] for option in record["options"])
    assert record["summary"]


@pytest.mark.parametrize("command", ["generators", "prompts"])
def test_one_that_is_not_installed_is_answered_with_those_that_are(
    desk: Desk, command: str
) -> None:
    run = desk.call(command, "haiku")

    assert run.error == f"no generator 'haiku'; installed: {', '.join(NAMES)}"


def test_prompts_are_printed_whole(desk: Desk) -> None:
    run = desk.call("prompts", "deliberation")

    sources = load_generator_class("deliberation").prompt_sources()
    assert run.out == "".join(
        f"--- deliberation/{name}.md ---\n{source}\n" for name, source in sources.items()
    )


def test_copies_never_replace_a_file(desk: Desk) -> None:
    assert desk.call("prompts", "deliberation", "-o", "own").code == 0

    again = desk.call("prompts", "deliberation", "-o", "own")

    assert "own/deliberation/appraise.md: exists already" in again.error


def test_a_folder_of_prompts_needs_the_generators_own(desk: Desk) -> None:
    desk.write_rows(1)
    (desk.folder / "own").mkdir()

    run = desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", "--prompts", "own")

    assert run.error == (
        "own: has no folder 'deliberation'; prompts are expected as own/deliberation/NAME.md"
    )
