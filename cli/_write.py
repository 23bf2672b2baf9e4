"""`whyset write GENERATOR` and `whyset plan GENERATOR`: one document, a corpus, or its plan."""

from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._commands import DocumentGroup
from ._constitution import load_constitution
from ._options import (
    STDIO,
    ConstitutionOption,
    JudgeOption,
    ModelOption,
    RunOptions,
    expand_options,
    require_nonempty,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from whyset.constitution import Constitution
    from whyset.generators import DocumentGenerator
    from whyset.pipelines import Plan

_FORM_AXIS = "form"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusOptions:
    """What a corpus is to be, as it was typed."""

    number: Annotated[
        int | None, typer.Option("-n", "--number", min=1, help="How many documents.")
    ] = None
    tokens: Annotated[
        str | None,
        typer.Option(
            callback=require_nonempty, metavar="COUNT", help="Number of tokens instead: 3M, 250k."
        ),
    ] = None
    section: Annotated[
        list[str] | None,
        typer.Option(
            help="A section of the constitution to write about, with its subsections; its heading "
            "is enough. May be given several times [default: all]."
        ),
    ] = None
    per_passage: Annotated[
        int, typer.Option(min=0, help="Minimum number of documents for each passage.")
    ] = 1
    drafts: Annotated[
        int,
        typer.Option(min=1, help="Documents for each context, each from its own idea."),
    ] = 1
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AXIS=VALUE,…",
            help="Draw these values only on an axis, such as register=plain,dry; whyset generators "
            "NAME lists the axes. May be given several times.",
        ),
    ] = None
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0
    best_effort: Annotated[
        bool,
        typer.Option(
            "--best-effort", help="Let a small corpus leave passages uncovered, and report which."
        ),
    ] = False
    held_out: Annotated[
        Path | None,
        typer.Option(
            help="Evaluation scenarios (text, or JSON lines with a 'text' column) that no document "
            "may resemble."
        ),
    ] = None

    def make_plan(self, generator: "DocumentGenerator", constitution: "Constitution") -> "Plan":
        """Return the plan that it comes to.

        Raises:
            BadParameter: It says not how much, or something that is no amount.
            WhysetError: The plan could not be kept.
        """
        from whyset.pipelines import make_plan, parse_amount

        return make_plan(
            generator,
            constitution,
            documents=self.number,
            tokens=None if self.tokens is None else parse_amount(self.tokens),
            sections=self.section or (),
            per_passage=self.per_passage,
            drafts=self.drafts,
            seed=self.seed,
            variety={
                axis: dict.fromkeys(values, 1) for axis, values in self.parse_variety().items()
            },
            best_effort=self.best_effort,
            held_out=self.held_out.name if self.held_out else "",
        )

    def parse_variety(self) -> "Mapping[str, list[str]]":
        """Return the values that are to be drawn, by axis.

        Raises:
            BadParameter: One says no axis or no value.
        """
        found: dict[str, list[str]] = {}
        for said in self.vary or ():
            axis, _, values = said.partition("=")
            named = [value.strip() for value in values.split(",") if value.strip()]
            if not axis or not named:
                raise typer.BadParameter(f"--vary is AXIS=VALUE,…, not {said!r}")
            found.setdefault(axis.strip(), []).extend(named)
        return found


@expand_options
def plan_documents(
    generator: "type[DocumentGenerator]",
    options: dict[str, Any],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PLAN.yaml", help="Where the plan goes [default: printed]."
        ),
    ] = None,
    corpus: CorpusOptions,
    constitution: ConstitutionOption = None,
) -> None:
    """Plan a corpus: how many documents, over which sections, with which variety.

    The plan is a file to read and to edit; whyset write GENERATOR --plan PLAN.yaml follows it.
    """
    if corpus.number is None and corpus.tokens is None:
        raise typer.BadParameter("give an amount: -n 500, or --tokens 3M")

    from whyset.pipelines import render_coverage, render_plan, write_plan

    principles = load_constitution(constitution)
    made = generator(**options)
    plan = corpus.make_plan(made, principles)
    if output is None:
        typer.echo(render_plan(plan, principles, axes=made.axes))
        return
    write_plan(plan, output, principles, axes=made.axes)
    typer.echo(render_coverage(plan, principles))
    typer.echo(f"\nplan        {output}")


@expand_options
def write_documents(
    generator: "type[DocumentGenerator]",
    options: dict[str, Any],
    *,
    about: Annotated[
        str | None,
        typer.Option(
            callback=require_nonempty, help="What one document is to be about, in your own words."
        ),
    ] = None,
    as_: Annotated[
        str | None,
        typer.Option(
            "--as",
            callback=require_nonempty,
            help="What kind of document: one of the generator's, or your own.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", callback=require_nonempty, help="Where a corpus goes."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(metavar="PLAN.yaml", help="Follow a plan that whyset plan has made."),
    ] = None,
    corpus: CorpusOptions,
    against: Annotated[
        list[Path],
        typer.Option(
            metavar="CORPUS",
            help="A corpus whose documents none may resemble. May be given several times.",
        ),
    ] = [],
    constitution: ConstitutionOption = None,
    model: ModelOption = None,
    judge: JudgeOption = None,
    typed: RunOptions,
) -> None:
    """Name --about or --section for one document, printed; -n or --tokens and -o for a corpus.

    A corpus is planned: every passage of the chosen sections grounds its share, and variety is
    drawn with exact quotas. What does not pass goes to OUT.quarantine.jsonl and is replaced. Run
    the same command again after an interruption: it goes on where it stopped.
    """
    is_corpus = any(each is not None for each in (corpus.number, corpus.tokens, plan))
    budget = typed.parse_budget(is_durable=is_corpus and output not in {None, STDIO})
    if is_corpus:
        if about is not None or as_ is not None:
            raise typer.BadParameter("--about and --as are for one document, without -n")
        if output is None and not typed.dry_run:
            raise typer.BadParameter("say where the corpus goes: -o docs.jsonl, or -o - to print")
    elif output is not None or typed.dry_run:
        raise typer.BadParameter("give an amount: -n 500, --tokens 3M, or --plan PLAN.yaml")
    elif corpus.held_out is not None or against:
        raise typer.BadParameter("--held-out and --against are for a corpus, with -n or --tokens")
    elif about is None and not corpus.section:
        raise typer.BadParameter(
            "say what one document is about (--about, --section), or how many (-n, --tokens)"
        )

    from whyset.pipelines import CorpusFiles, load_scenarios, read_plan

    from ._progress import Progress
    from ._run import open_with_progress, print_notices, print_single, run_corpus

    principles = load_constitution(constitution)
    scenarios = load_scenarios(corpus.held_out) if corpus.held_out else ()
    config = typed.build_config(budget)
    progress = Progress(shown=not typed.quiet, unit="document")
    followed = None
    if plan is not None:
        followed = read_plan(plan, principles)
        options = _planned_options(followed, generator, options, corpus)
    made = generator(prompts=typed.load_prompts(generator.name), **options)
    # What does not fit is said before an index is opened, which can take a minute.
    brief: dict[str, Any] = {}
    if is_corpus:
        followed = followed or corpus.make_plan(made, principles)
        files = CorpusFiles.from_output(
            output or STDIO, plan=plan, constitution=constitution, against=against
        )
    else:
        brief = _build_brief(made, principles, about, as_, corpus)
    pipeline = open_with_progress(made, principles, typed, progress, model=model, judge=judge)
    print_notices(pipeline, by_default=model is None and not typed.quiet)
    if followed is None:
        print_single(pipeline, brief, config.retries, as_json=typed.json_output)
        return
    run_corpus(files, followed, pipeline, config, typed, progress, scenarios=scenarios)


class WriteGroup(DocumentGroup):
    """`whyset write GENERATOR`."""

    template = staticmethod(write_documents)


class PlanGroup(DocumentGroup):
    """`whyset plan GENERATOR`."""

    template = staticmethod(plan_documents)


def _planned_options(
    plan: "Plan",
    generator: "type[DocumentGenerator]",
    options: dict[str, Any],
    corpus: CorpusOptions,
) -> dict[str, Any]:
    """Return the options that a plan has, after a look at what was typed beside it.

    Raises:
        BadParameter: The plan is for another generator, or says otherwise than what was typed.
    """
    if plan.generator != generator.name:
        raise typer.BadParameter(
            f"this plan is for {plan.generator}: whyset write {plan.generator} --plan …"
        )
    defaults = generator.options_class()
    if replace(corpus, held_out=None) != CorpusOptions() or defaults.of(options) != defaults:
        raise typer.BadParameter(
            "the plan sets the amount, the sections and the options: change them in the plan file"
        )
    if plan.held_out and corpus.held_out is None:
        raise typer.BadParameter(
            f"this plan holds out the scenarios of {plan.held_out}: name the file by --held-out"
        )
    return plan.generator_options


def _build_brief(
    generator: "DocumentGenerator",
    constitution: "Constitution",
    about: str | None,
    as_: str | None,
    corpus: CorpusOptions,
) -> dict[str, Any]:
    """Return the brief of one document as plain values.

    Raises:
        BadParameter: An axis is none of the generator's, or gets several values.
        ConstitutionLookupError: There is no such section.
    """
    axes = {axis.name for axis in generator.axes}
    variety = {}
    for axis, values in corpus.parse_variety().items():
        if axis not in axes:
            raise typer.BadParameter(f"no axis {axis!r}; there are: {', '.join(sorted(axes))}")
        if len(values) > 1:
            raise typer.BadParameter(f"one document takes one value of {axis}")
        variety[axis] = values[0]
    if as_ is not None:
        if _FORM_AXIS not in axes:
            raise typer.BadParameter(
                f"--as names a form, and {generator.name} has no axis of forms"
            )
        variety[_FORM_AXIS] = as_
    brief: dict[str, Any] = {"variety": variety, "seed": corpus.seed}
    if about is not None:
        brief["about"] = about
    if corpus.section:
        from whyset.pipelines import Focus, group_passages

        named = [constitution.section(name).passages for name in corpus.section]
        groups = group_passages(list(chain.from_iterable(named)), Focus())
        if not groups:
            raise typer.BadParameter(f"there is nothing under {', '.join(corpus.section)}")
        brief["passages"] = list(groups[corpus.seed % len(groups)].ids)
    return brief
