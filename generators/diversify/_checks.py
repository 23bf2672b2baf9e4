"""Which checks an environment must pass, and a response that was sampled in it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from whyset.datasets import Conversation, ToolDefinition
from whyset.retriever import ScoredPassage

from .._rendering import conversation_text
from .._row_checks import (
    ROW_STYLE_LIMITS,
    check_row_language,
    check_sampled_response,
    text_before_response,
)
from .._text import count_words, find_shared_ngram
from ..checks import (
    Check,
    check_condition,
    check_names,
    check_no_credentials,
    check_no_dates,
    check_no_eval_awareness,
    check_no_eval_scenario,
    check_no_leak,
    check_no_links,
    check_no_placeholders,
    check_no_self_preservation,
    check_style,
    fail_check,
    pass_check,
)
from ._schemas import DraftTool, Environment
from ._tools import find_schema_fault, has_drawn_complexity, parse_parameters
from ._variety import EnvironmentDraw

# ---- What can be proved of a tool that is never needed: nobody speaks of it, calls it or has it.

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,63}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LONGEST_SHARED = 6
_SHORTEST_WORD = 3

# What names of tools say of any subject.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        add all any api assign build bulk calc cancel change check clear close compute confirm count
        create data del delete details edit end estimate export fetch find for from get id import
        info init item items list load log lookup make mark move new next off open pause print
        publish put query read register release remove reserve reset resume run save search send
        set show start state status stop submit sync the toggle unset upd update upsert validate
        view with write
        """,
    )
)


def check_tool_names(tools: Sequence[DraftTool], offered: Sequence[ToolDefinition]) -> Check:
    """Every tool has a name that providers take and no other tool has."""
    taken = {_plain(tool.name): tool.name for tool in offered}
    for tool in tools:
        if not _NAME.fullmatch(tool.name):
            return fail_check(
                "tool_names",
                f"a tool is called {tool.name!r}: 2 to 64 letters, digits, _ and -, a letter first",
            )
        if (plain := _plain(tool.name)) in taken:
            return fail_check("tool_names", f"{tool.name!r} and {taken[plain]!r} are one name")
        taken[plain] = tool.name
    return pass_check("tool_names")


def check_tools_unused(tools: Sequence[DraftTool], conversation: Conversation) -> Check:
    """No new tool is named, called or doubled anywhere in the conversation.

    A tool fails by name where its name, or its name spoken as words, stands in what was said or
    called; where a telling word of its name is in that of a tool the row has; where every telling
    word of it stands in what the user said last or in the response; or where its description
    shares six words in a row with that of a tool the row has.

    What it cannot see: a use for a tool whose name shares no word with the conversation, and one
    in another language than the name's. That is the judge's to find.
    """
    spoken = conversation_text(conversation).casefold()
    flat = " ".join(re.findall(r"[^\W_]+", spoken))
    called = [call.name for message in conversation.messages for call in message.tool_calls]
    own = {word for name in (*conversation.tool_names, *called) for word in _telling(name)}
    near = _words(" ".join((_asked_last(conversation), conversation.response.text)))
    for tool in tools:
        words = _telling(tool.name)
        if tool.name.casefold() in spoken or _stands_in(_parts(tool.name), flat):
            return _irrelevant(tool, "is named in the conversation")
        if shared := sorted(words & own):
            return _irrelevant(tool, f"is about {shared[0]!r}, as a tool of the row's is")
        if words and words <= near:
            return _irrelevant(tool, "is about what the conversation is about")
        if run := find_shared_ngram(
            tool.description,
            [offered.description for offered in conversation.tool_definitions],
            length=_LONGEST_SHARED,
        ):
            return _irrelevant(tool, f"is described as a tool of the row's is: {' '.join(run)!r}")
    return pass_check("tools_irrelevant")


def _irrelevant(tool: DraftTool, why: str) -> Check:
    return fail_check("tools_irrelevant", f"the tool {tool.name!r} {why}: take another")


def _asked_last(conversation: Conversation) -> str:
    said = [message.text for message in conversation.prompt if message.role == "user"]
    return said[-1] if said else ""


def _plain(name: str) -> str:
    return re.sub(r"[_-]", "", name).casefold()


def _parts(name: str) -> list[str]:
    return [part.casefold() for part in _PART.findall(name)]


def _telling(name: str) -> set[str]:
    """Return the words of a name that say what a tool is about, in the singular."""
    return {
        _singular(part)
        for part in _parts(name)
        if not {part, _singular(part)} & _COMMON and len(part) >= _SHORTEST_WORD
    }


def _words(text: str) -> set[str]:
    return {_singular(word) for word in re.findall(r"[^\W\d_]+", text.casefold())}


def _singular(word: str) -> str:
    return word[:-1] if len(word) > _SHORTEST_WORD and word.endswith("s") else word


def _stands_in(parts: Sequence[str], flat: str) -> bool:
    """Say whether a name of several words stands in a text as those words."""
    return len(parts) > 1 and f" {' '.join(parts)} " in f" {flat} "


_MOST_NAMES = 6


def check_environment(
    environment: Environment,
    *,
    conversation: Conversation,
    hand: EnvironmentDraw,
    language: str,
    instructions: str,
) -> list[Check]:
    """Run every check that an environment can be held to without a model."""
    spoken = conversation_text(conversation)
    descriptions = [tool.description for tool in environment.tools]
    whole = "\n\n".join(filter(None, (environment.system, *descriptions)))
    return [
        *_check_tools(environment, conversation, hand),
        *_check_system(environment.system, hand),
        check_no_eval_awareness(whole, conversation=""),
        check_no_eval_scenario(whole),
        check_no_self_preservation(whole),
        check_no_leak(whole, passage_ids=(), conversation=spoken, instructions=instructions),
        check_no_links(whole),
        check_no_credentials(whole),
        check_no_placeholders(whole),
        check_no_dates(whole),
        check_names(whole, max_people=_MOST_NAMES, allowed="\n".join((spoken, hand.persona))),
        check_style(whole, limits=ROW_STYLE_LIMITS),
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
    """Run every check that a response in the new environment can be held to without a model."""
    checks = check_sampled_response(
        response,
        conversation=conversation,
        allowed="\n\n".join((text_before_response(conversation), *environment)),
        injected=(),
        passages=passages,
        title=title,
        language=language,
    )
    # The environment has some of the same name.
    return [replace(check, name=f"response_{check.name}") for check in checks]


def _check_tools(
    environment: Environment, conversation: Conversation, hand: EnvironmentDraw
) -> Iterable[Check]:
    tools = environment.tools
    yield check_condition(
        "tool_count",
        len(tools) == hand.tools,
        f"{len(tools)} tools are there, {hand.tools} are wanted",
    )
    if not tools:
        why = "there are no tools"
        for name in ("tool_schemas", "tool_schemas_as_drawn", "tool_names", "tools_irrelevant"):
            yield Check(name, "skipped", why)
        return
    faults = {tool.name: fault for tool in tools if (fault := find_schema_fault(tool.parameters))}
    yield check_condition(
        "tool_schemas",
        not faults,
        "; ".join(f"the schema of {name!r} {fault}" for name, fault in faults.items()),
    )
    yield _check_drawn([tool.parameters for tool in tools], hand.variety, sound=not faults)
    yield check_tool_names(tools, conversation.tool_definitions)
    yield check_tools_unused(tools, conversation)


def _check_drawn(schemas: Sequence[str], variety: Mapping[str, str], *, sound: bool) -> Check:
    name = "tool_schemas_as_drawn"
    if not sound:
        return Check(name, "skipped", "not every schema is sound")
    drawn = variety["tool_schema"]
    kept = any(has_drawn_complexity(parse_parameters(schema) or {}, drawn) for schema in schemas)
    return check_condition(name, kept, f"no schema is of the kind that was drawn: {drawn}")


def _check_system(system: str, hand: EnvironmentDraw) -> Iterable[Check]:
    if not hand.writes_system:
        yield check_condition(
            "system", not system.strip(), "no system prompt is wanted: leave it empty"
        )
        yield Check("persona", "skipped", "no system prompt is wanted")
        return
    words, count = hand.words, count_words(system)
    yield check_condition(
        "system",
        words.min_words <= count <= words.max_words,
        f"the system prompt has {count} words, {words.min_words} to {words.max_words} are wanted",
    )
    if hand.persona:
        yield check_condition(
            "persona",
            hand.persona in system,
            f"the system prompt does not call the assistant {hand.persona!r}",
        )
    else:
        yield Check("persona", "skipped", "no name was asked for")
