"""Which checks an environment must pass, and a response that was sampled in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from whyset.datasets import Conversation
from whyset.retriever import ScoredPassage

from .._rendering import spoken_text
from .._row_checks import ROW_TIC_LIMITS, check_responded, check_row_language, said_before
from .._words import count_words
from ..checks import (
    Check,
    check_names,
    check_no_credentials,
    check_no_dates,
    check_no_eval_scenario,
    check_no_leak,
    check_no_links,
    check_no_placeholders,
    check_no_self_continuation,
    check_no_testing,
    check_tics,
    checked,
)
from ._irrelevance import check_irrelevant, check_tool_names
from ._opinions import Environment
from ._schemas import fault_of, is_as_drawn, parameters_in
from ._variety import Hand

_MOST_NAMES = 6


def check_environment(
    environment: Environment,
    *,
    conversation: Conversation,
    hand: Hand,
    language: str,
    instructions: str,
) -> list[Check]:
    """Run every check that an environment can be held to without a model.

    Args:
        environment: What a writer returned.
        conversation: The row's, its response included.
        hand: What was dealt.
        language: The one asked for, or the row's own.
        instructions: What the writer was told.
    """
    spoken = spoken_text(conversation)
    told = [tool.description for tool in environment.tools]
    whole = "\n\n".join(filter(None, (environment.system, *told)))
    return [
        *_check_tools(environment, conversation, hand),
        *_check_system(environment.system, hand),
        check_no_testing(whole, conversation=""),
        check_no_eval_scenario(whole),
        check_no_self_continuation(whole),
        check_no_leak(whole, passage_ids=(), conversation=spoken, instructions=instructions),
        check_no_links(whole),
        check_no_credentials(whole),
        check_no_placeholders(whole),
        check_no_dates(whole),
        check_names(whole, limit=_MOST_NAMES, allowed="\n".join((spoken, hand.persona))),
        check_tics(whole, limits=ROW_TIC_LIMITS),
        check_row_language(whole, language=language),
    ]


def check_response(
    response: str,
    *,
    conversation: Conversation,
    environment: Sequence[str],
    passages: Sequence[ScoredPassage],
    title: str,
    language: str,
) -> list[Check]:
    """Run every check that a response in the new environment can be held to without a model.

    Args:
        response: What a model answered.
        conversation: The row's, with the response that it takes the place of.
        environment: The system prompt and the descriptions that it was sampled under.
        passages: What a judge is shown.
        title: The constitution's.
        language: The one asked for, or the row's own.
    """
    checks = check_responded(
        response,
        conversation=conversation,
        known="\n\n".join((said_before(conversation), *environment)),
        injected=(),
        passages=passages,
        title=title,
        language=language,
    )
    # The environment has some of the same name.
    return [replace(check, name=f"response_{check.name}") for check in checks]


def _check_tools(
    environment: Environment, conversation: Conversation, hand: Hand
) -> Iterable[Check]:
    tools = environment.tools
    yield checked(
        "tool_count",
        len(tools) == hand.tools,
        f"{len(tools)} tools are there, {hand.tools} are wanted",
    )
    if not tools:
        why = "there are no tools"
        for name in ("tool_schemas", "tool_schemas_as_drawn", "tool_names", "tools_irrelevant"):
            yield Check(name, "skipped", why)
        return
    faults = {tool.name: fault for tool in tools if (fault := fault_of(tool.parameters))}
    yield checked(
        "tool_schemas",
        not faults,
        "; ".join(f"the schema of {name!r} {fault}" for name, fault in faults.items()),
    )
    yield _check_drawn([tool.parameters for tool in tools], hand.variety, sound=not faults)
    yield check_tool_names(tools, conversation.offered)
    yield check_irrelevant(tools, conversation)


def _check_drawn(schemas: Sequence[str], variety: Mapping[str, str], *, sound: bool) -> Check:
    name = "tool_schemas_as_drawn"
    if not sound:
        return Check(name, "skipped", "not every schema is sound")
    drawn = variety["tool_schema"]
    kept = any(is_as_drawn(parameters_in(schema) or {}, drawn) for schema in schemas)
    return checked(name, kept, f"no schema is of the kind that was drawn: {drawn}")


def _check_system(system: str, hand: Hand) -> Iterable[Check]:
    if not hand.writes_system:
        yield checked("system", not system.strip(), "no system prompt is wanted: leave it empty")
        yield Check("persona", "skipped", "no system prompt is wanted")
        return
    words, count = hand.words, count_words(system)
    yield checked(
        "system",
        words.fewest <= count <= words.most,
        f"the system prompt has {count} words, {words.fewest} to {words.most} are wanted",
    )
    if hand.persona:
        yield checked(
            "persona",
            hand.persona in system,
            f"the system prompt does not call the assistant {hand.persona!r}",
        )
    else:
        yield Check("persona", "skipped", "no name was asked for")
