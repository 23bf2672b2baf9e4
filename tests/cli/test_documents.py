"""`whyset write` and `whyset plan`: one document, a plan, a corpus that follows it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.answers.explanation import answer
from support.loopback import LoopbackServer

from whyset.datasets import require_provenance

from .conftest import QUOTING, TALKING, Desk

WRITE = ("write", "explanation")
PLAN = ("plan", "explanation", "--constitution", "manners.md")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk whose server writes explanations."""
    with LoopbackServer(answer) as server:
        yield Desk(tmp_path_factory.mktemp("desk"), server)


def test_one_document_about_something_is_printed_as_text(desk: Desk) -> None:
    made = desk.call(*WRITE, "--about", "asking first", "--as", "a ship's log", *TALKING)

    assert (made.code, made.err) == (0, "")
    assert len(made.out.split()) > 50
    assert not made.out.startswith("{")


def test_or_about_a_section_as_a_whole_record(desk: Desk) -> None:
    made = desk.call(*WRITE, "--section", "Asking first", "--json", *TALKING)

    assert made.code == 0
    desk.write("one.jsonl", made.out)
    (record,) = desk.read("one.jsonl")
    provenance = require_provenance(record)
    assert provenance["outcome"] == "written"
    assert [passage["path"][-1] for passage in provenance["passages"]] == ["Asking first"]


def test_without_a_model_it_is_a_digest_and_says_so(desk: Desk) -> None:
    made = desk.call(*WRITE, "--about", "what belongs to others", *QUOTING)

    assert made.code == 0
    assert "> Leave closed what belongs to somebody else" in made.out
    assert made.err.startswith("No --model named: using extractive")


def test_what_cannot_do_without_a_model_declines(desk: Desk) -> None:
    made = desk.call("write", "story", "--about", "asking", *QUOTING)

    assert made.error.startswith("story needs a language model")


def test_a_plan_is_printed_or_written_with_its_coverage(desk: Desk) -> None:
    printed = desk.call(*PLAN, "-n", "4")
    written = desk.call(*PLAN, "-n", "4", "-o", "plan.yaml")

    assert (printed.code, written.code) == (0, 0)
    assert printed.out == f"{(desk.folder / 'plan.yaml').read_text(encoding='utf-8')}\n"
    assert written.out.startswith("section ")
    assert "Every passage grounds at least 1 document." in written.out
    assert written.out.endswith("plan        plan.yaml\n")


def test_a_corpus_follows_its_plan_and_is_accounted_for(desk: Desk) -> None:
    assert desk.call(*PLAN, "-n", "6", "-o", "six.yaml").code == 0

    made = desk.call(*WRITE, "--plan", "six.yaml", "-o", "six.jsonl", *TALKING)

    documents = desk.read("six.jsonl")
    assert made.code in {0, 1}, made.err
    head = made.out.splitlines()[0]
    assert head.startswith(f"{len(documents)} of 6 documents, about ")
    assert {"variety:", "output      six.jsonl", "manifest    six.run.json"} <= set(
        made.out.splitlines()
    )
    assert {require_provenance(record)["generator"] for record in documents} == {"explanation"}


def test_a_plan_is_followed_without_a_model_too_as_far_as_quoting_goes(desk: Desk) -> None:
    desk.call(*PLAN, "-n", "2", "-o", "two.yaml")

    made = desk.call(*WRITE, "--plan", "two.yaml", "-o", "quoted.jsonl", *QUOTING)

    assert made.code == 0, made.err
    assert [require_provenance(record)["outcome"] for record in desk.read("quoted.jsonl")] == [
        "annotated",
        "annotated",
    ]


def test_the_same_command_again_sends_no_request(desk: Desk) -> None:
    command = (*WRITE, "-n", "2", "-o", "two.jsonl", "--json", *TALKING)
    first = desk.call(*command)
    asked = len(desk.server.requests)

    again = desk.call(*command)

    assert len(desk.server.requests) == asked
    assert first.code == again.code
    assert '"answered": 0' in again.out


def test_a_dry_run_counts_documents_and_sends_nothing(desk: Desk) -> None:
    asked = len(desk.server.requests)

    run = desk.call(*WRITE, "-n", "4", "--dry-run", *TALKING)

    assert run.code == 0
    assert run.out.startswith("Dry run: nothing was sent. 4 documents to do")
    assert "explanation/draft" in run.out
    assert len(desk.server.requests) == asked


def test_prompts_are_copied_out_changed_and_used(desk: Desk) -> None:
    copied = desk.call("prompts", "explanation", "-o", "own")
    assert copied.code == 0
    draft = desk.folder / "own" / "explanation" / "draft.md"
    assert str(Path("own/explanation/draft.md")) in copied.out.splitlines()
    draft.write_text(draft.read_text(encoding="utf-8") + "\nPlainly.\n", encoding="utf-8")

    before = len(desk.server.requests)
    desk.call(*WRITE, "--about", "asking first", "--prompts", "own", *TALKING)

    asked = [str(request.body) for request in desk.server.requests[before:]]
    assert sum("Plainly." in body for body in asked) == 1


def test_a_prompt_with_an_unknown_variable_is_refused(desk: Desk) -> None:
    desk.call("prompts", "explanation", "-o", "wrong")
    draft = desk.folder / "wrong" / "explanation" / "draft.md"
    draft.write_text(draft.read_text(encoding="utf-8") + "\n{{ mood }}\n", encoding="utf-8")

    made = desk.call(*WRITE, "--about", "asking first", "--prompts", "wrong", *TALKING)

    assert made.error.startswith("prompt explanation/draft: there is no variable mood; it may use ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "say what one document is about (--about, --section), or how many (-n, --tokens)"),
        ("-n 3", "say where the corpus goes: -o docs.jsonl, or -o - to print"),
        ("--about x -n 3 -o d.jsonl", "--about and --as are for one document, without -n"),
        ("--about x -o d.jsonl", "give an amount: -n 500, --tokens 3M, or --plan PLAN.yaml"),
        ("--about x --vary register", "--vary is AXIS=VALUE,…, not 'register'"),
        ("--about x --vary register=dry,plain", "one document takes one value of register"),
        ("--about x --held-out manners.md", "--held-out and --against are for a corpus"),
        ("--about x --against manners.md", "--held-out and --against are for a corpus"),
        ("--about x --batch", "--batch and --budget need a run that keeps a ledger: name a file"),
    ],
)
def test_what_does_not_fit_together(desk: Desk, arguments: str, message: str) -> None:
    made = desk.call(*WRITE, *arguments.split(), *TALKING)

    assert message in made.error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("-n 4 --section Nothing", "no section 'Nothing'"),
        ("--tokens lots", "lots"),
        ("-n 4 --vary mood=glum", "no axis 'mood'"),
        ("-n 1", "passage"),
        ("", "give an amount: -n 500, or --tokens 3M"),
    ],
)
def test_plans_that_cannot_be_made(desk: Desk, arguments: str, message: str) -> None:
    made = desk.call(*PLAN, *arguments.split())

    assert message in made.error


def test_a_plan_for_another_generator_is_refused(desk: Desk) -> None:
    desk.call(*PLAN, "-n", "4", "-o", "other.yaml")

    made = desk.call("write", "story", "--plan", "other.yaml", "-o", "s.jsonl", *TALKING)

    assert "this plan is for explanation" in made.error


def test_a_section_that_holds_nothing_is_nothing_to_write_about(desk: Desk) -> None:
    desk.write("bare.md", "# Manners\n\n## Later\n\n## Now\n\nAsk before you act.\n")

    made = desk.call(*WRITE, "--section", "Later", *QUOTING, "--constitution", "bare.md")

    assert made.error == "Invalid value: there is nothing under Later"


@pytest.mark.parametrize("typed", ["--whole", "--seed=3", "--drafts=2", "--vary=register=dry"])
def test_what_a_plan_says_is_changed_there(desk: Desk, typed: str) -> None:
    desk.call(*PLAN, "-n", "4", "-o", "kept.yaml")

    made = desk.call(*WRITE, "--plan", "kept.yaml", typed, "-o", "k.jsonl", *TALKING)

    assert (
        "the plan sets the amount, the sections and the options: change them in the plan file"
        in made.error
    )


def test_probes_become_a_task_for_inspect(desk: Desk) -> None:
    probes = ("write", "probe", "-n", "2", "--best-effort", "-o", "probes.jsonl", *QUOTING)
    made = desk.call(*probes)
    assert made.code in {0, 1}, made.err
    count = len(desk.read("probes.jsonl"))

    run = desk.call("export", "probes.jsonl", "--for", "inspect", "-o", "task")

    assert run.code == 0, run.err
    assert run.out.startswith(f"{count} probe")
    assert run.out.endswith("inspect eval task/task.py --model PROVIDER/MODEL\n")
    assert {path.name for path in (desk.folder / "task").iterdir()} == {
        "grade.md",
        "probes.jsonl",
        "task.py",
    }


def test_what_is_no_probe_is_no_task(desk: Desk) -> None:
    desk.write_rows(1)

    run = desk.call("export", "sft.jsonl", "--for", "inspect", "-o", "none")

    assert "probe" in run.error
    assert not (desk.folder / "none" / "task.py").exists()
