"""Every generator through the command's door: a few rows or documents."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.answers.deliberation import write_rows
from support.generator_cases import GENERATOR_CASES, GeneratorCase
from support.loopback import LoopbackServer

from whyset.constitution import Constitution
from whyset.datasets import require_provenance

from .conftest import TALKING, Desk

REWRITTEN = "deliberation"


@pytest.fixture(params=[name for name in GENERATOR_CASES if name != REWRITTEN])
def case(request: pytest.FixtureRequest) -> GeneratorCase:
    return GENERATOR_CASES[request.param]


@pytest.fixture
def desk(case: GeneratorCase, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose server answers the case's generator."""
    with LoopbackServer(case.answer) as server:
        yield Desk(tmp_path, server)


def test_it_is_a_command_that_accounts_for_all_and_asks_for_nothing_twice(
    case: GeneratorCase, desk: Desk
) -> None:
    if case.documents:
        command = ["write", case.generator, "-n", "3", "-o", "out.jsonl"]
        command += ["--vary", f"length={case.length}"] if case.length else []
    else:
        write_rows(desk.folder / "rows.jsonl", case.rows)
        command = [case.generator, "rows.jsonl", "-o", "out.jsonl"]
    command += [f"--{option}" for option, value in case.options.items() if value is True]

    made = desk.call(*command, *TALKING)

    output, asks = desk.read("out.jsonl"), len(desk.server.requests)
    lost = "out.quarantine.jsonl" in desk.names
    quarantine = desk.read("out.quarantine.jsonl") if lost else []
    assert made.code in ({0, 1} if case.documents else {1 if lost else 0}), made.err
    assert output
    if case.documents:
        assert made.out.startswith(f"{len(output)} of 3 documents, about ")
    else:
        assert len(output) + len(quarantine) == len(case.rows)
        assert made.out.startswith(f"{len(case.rows)} rows")
    manners = Constitution.load(desk.folder / "manners.md")
    for record in output:
        provenance = require_provenance(record)
        assert provenance["generator"] == case.generator
        assert not case.grounded or provenance["constitution"]["sha256"] == manners.digest

    written = desk.bytes_of("out.jsonl")
    again = desk.call(*command, *TALKING)
    assert (again.code, desk.bytes_of("out.jsonl")) == (made.code, written)
    assert len(desk.server.requests) == asks
