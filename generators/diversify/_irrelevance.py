"""What can be proved of a tool that is never needed: nobody speaks of it, calls it or has it."""

import re
from collections.abc import Sequence

from whyset.datasets import Conversation, OfferedTool

from .._rendering import spoken_text
from .._words import shared_run
from ..checks import Check, failed, passed
from ._opinions import DraftTool

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


def check_tool_names(tools: Sequence[DraftTool], offered: Sequence[OfferedTool]) -> Check:
    """Every tool has a name that providers take and no other tool has."""
    taken = {_plain(tool.name): tool.name for tool in offered}
    for tool in tools:
        if not _NAME.fullmatch(tool.name):
            return failed(
                "tool_names",
                f"a tool is called {tool.name!r}: 2 to 64 letters, digits, _ and -, a letter first",
            )
        if (plain := _plain(tool.name)) in taken:
            return failed("tool_names", f"{tool.name!r} and {taken[plain]!r} are one name")
        taken[plain] = tool.name
    return passed("tool_names")


def check_irrelevant(tools: Sequence[DraftTool], conversation: Conversation) -> Check:
    """No new tool is named, called or doubled anywhere in the conversation.

    A tool fails by name where its name, or its name spoken as words, stands in what was said or
    called; where a telling word of its name is in that of a tool the row has; where every telling
    word of it stands in what the user said last or in the response; or where its description
    shares six words in a row with that of a tool the row has.

    What it cannot see: a use for a tool whose name shares no word with the conversation, and one
    in another language than the name's. That is the judge's to find.
    """
    spoken = spoken_text(conversation).casefold()
    flat = " ".join(re.findall(r"[^\W_]+", spoken))
    called = [call.name for message in conversation.messages for call in message.tool_calls]
    own = {word for name in (*conversation.tools, *called) for word in _telling(name)}
    near = _words(" ".join((_asked_last(conversation), conversation.response.text)))
    for tool in tools:
        words = _telling(tool.name)
        if tool.name.casefold() in spoken or _stands_in(_parts(tool.name), flat):
            return _irrelevant(tool, "is named in the conversation")
        if shared := sorted(words & own):
            return _irrelevant(tool, f"is about {shared[0]!r}, as a tool of the row's is")
        if words and words <= near:
            return _irrelevant(tool, "is about what the conversation is about")
        if run := shared_run(
            tool.description,
            [offered.description for offered in conversation.offered],
            length=_LONGEST_SHARED,
        ):
            return _irrelevant(tool, f"is described as a tool of the row's is: {' '.join(run)!r}")
    return passed("tools_irrelevant")


def _irrelevant(tool: DraftTool, why: str) -> Check:
    return failed("tools_irrelevant", f"the tool {tool.name!r} {why}: take another")


def _asked_last(conversation: Conversation) -> str:
    said = [message.text for message in conversation.before if message.role == "user"]
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
