"""Every generator of documents at a prompt, by a plan of its own, and with prompts of one's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.generator_cases import GENERATOR_CASES, GeneratorCase
from support.loopback import LoopbackServer

from whyset.datasets import require_provenance

from .conftest import TALKING, Desk


@pytest.fixture(params=[name for name, case in GENERATOR_CASES.items() if case.documents])
def case(request: pytest.FixtureRequest) -> GeneratorCase:
    return GENERATOR_CASES[request.param]


@pytest.fixture
def desk(case: GeneratorCase, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose server answers the case's generator."""
    with LoopbackServer(case.answer) as server:
        yield Desk(tmp_path, server)


def one(case: GeneratorCase, *more: str) -> tuple[str, ...]:
    vary = ("--vary", f"length={case.length}") if case.length else ()
    return ("write", case.generator, *vary, *more, *TALKING)


def test_one_document_is_printed_or_the_reason_why_there_is_none(
    case: GeneratorCase, desk: Desk
) -> None:
    printed = 0
    for number in range(3):
        made = desk.call(*one(case, "--about", f"asking first, number {number}", "--json"))
        if made.code:
            assert (made.code, made.out) == (1, "")
            assert "rejected (" in made.err
            continue
        desk.write("one.jsonl", made.out)
        (record,) = desk.read("one.jsonl")
        provenance = require_provenance(record)
        assert (provenance["generator"], provenance["outcome"]) == (case.generator, "written")
        assert provenance["passages"]
        printed += 1
    assert printed
    assert not [name for name in desk.names if "ledger" in name]


def test_a_plan_is_made_and_followed(case: GeneratorCase, desk: Desk) -> None:
    vary = ("--vary", f"length={case.length}") if case.length else ()
    planned = desk.call(
        *("plan", case.generator, "-n", "3", *vary),
        *("--constitution", "manners.md", "-o", "plan.yaml"),
    )
    assert planned.code == 0, planned.err
    assert "Every passage grounds at least 1 document." in planned.out

    made = desk.call("write", case.generator, "--plan", "plan.yaml", "-o", "out.jsonl", *TALKING)
    assert made.code in {0, 1}, made.err
    documents = desk.read("out.jsonl")
    assert made.out.startswith(f"{len(documents)} of 3 documents, about ")
    assert ("missing from the plan:" in made.out) == (len(documents) < 3)


def test_tokens_say_how_much_and_a_dry_run_what_it_takes(case: GeneratorCase, desk: Desk) -> None:
    run = desk.call(
        *("write", case.generator, "--tokens", "4k", "--dry-run"),
        *(*TALKING[:-1], "anthropic:claude-haiku-5-5"),
    )
    assert run.code == 0, run.err
    assert run.out.startswith("Dry run: nothing was sent. ")
    assert "documents to do" in run.out
    assert f"{case.generator}/" in run.out
    assert "$" in run.out
    assert desk.server.requests == []


def test_changed_prompts_are_known_by_their_digests(case: GeneratorCase, desk: Desk) -> None:
    assert desk.call("prompts", case.generator, "-o", "own").code == 0
    judge = "score" if case.generator == "explanation" else "judge"
    changed = desk.folder / "own" / case.generator / f"{judge}.md"
    changed.write_text(changed.read_text(encoding="utf-8") + "\nPlainly.\n", encoding="utf-8")

    own, shipped = (
        require_provenance(record)["prompts"]
        for options in (("--prompts", "own"), ())
        for record in [first_of(desk, case, *options)]
    )
    step = f"{case.generator}/{judge}"
    assert {name for name in shipped if own[name] != shipped[name]} == {step}


def first_of(desk: Desk, case: GeneratorCase, *options: str) -> dict[str, object]:
    """Return the first of some documents."""
    output = f"out{len(desk.names)}.jsonl"
    vary = ("--vary", f"length={case.length}") if case.length else ()
    made = desk.call("write", case.generator, "-n", "2", *vary, *options, "-o", output, *TALKING)
    assert made.code in {0, 1}, made.err
    return dict(desk.read(output)[0])
