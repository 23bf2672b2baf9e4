"""Records of every shape, drawn at random: what properties of reading and placing are told with."""

import io
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from whyset.datasets import DEFAULT_SELECTION, Row, Selection, Shape, dumps, read_stream

Record = dict[str, Any]

SHAPES: tuple[Shape, ...] = (
    *("preference", "sharegpt", "anthropic", "messages", "completion", "prompt", "alpaca", "hh"),
)

# What shapes call their columns and keys, which one of somebody's own must not be called.
_RESERVED = {
    *("messages", "conversations", "conversation", "prompt", "completion", "response", "system"),
    *("instruction", "input", "output", "history", "chosen", "rejected", "text", "transcript"),
    *("tools", "reasoning_content", "thinking", "whyset", "role", "content", "from", "value"),
    *("name", "tool_calls", "function_call", "tool_call_id"),
}
_NO_HALF_PAIRS = st.characters(exclude_categories=["Cs"])

text = st.text(_NO_HALF_PAIRS, max_size=12)
words = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=12).map(str.strip)
said = words.filter(lambda drawn: bool(drawn) and "<" not in drawn)
"""Something said; without tags, which have a meaning."""

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
    max_leaves=5,
)
others = st.dictionaries(
    text.filter(lambda name: name not in _RESERVED),
    json_values,
    max_size=2,
)
_CALL = {"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"q": 1}'}}
_IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
_TAGS = st.sampled_from(
    [("<think>\n", "\n</think>\n\n"), ("<think>", "</think>"), (" <think>\n", "</think>\n")]
)


@st.composite
def tagged(draw: st.DrawFn) -> str:
    """Draw a response, some with reasoning before it in tags, tidy or not."""
    answer = draw(said)
    if draw(st.booleans()):
        return answer
    opening, closing = draw(_TAGS)
    return f"{opening}{draw(said | st.just(''))}{closing}{answer}"


def _ordered(pairs: Mapping[str, Any]) -> st.SearchStrategy[Record]:
    return st.permutations(list(pairs.items())).map(dict)


@st.composite
def _beside(draw: st.DrawFn, core: Mapping[str, Any]) -> Record:
    """Draw columns of somebody's own among those of a shape, in any order."""
    return draw(_ordered({**draw(others), **core}))


@st.composite
def chat_answers(draw: st.DrawFn) -> Record:
    """Draw an assistant's message of OpenAI's form; its keys in any order."""
    parts = st.lists(
        st.builds(lambda part: {"type": "text", "text": part}, said) | st.just(_IMAGE), max_size=3
    )
    content = draw(tagged() | parts | st.none())
    message: Record = {"role": "assistant", "content": content, **draw(others)}
    field = draw(st.sampled_from(["", "reasoning_content", "thinking"]))
    if field:
        message[field] = draw(st.none() | text)
    if not isinstance(content, str) or draw(st.booleans()):
        message["tool_calls"] = [_CALL]
    return draw(_ordered(message))


@st.composite
def _asked(draw: st.DrawFn) -> Record:
    content = draw(text | st.just([{"type": "text", "text": "a"}, _IMAGE]))
    return {"role": "user", "content": content, **draw(others)}


@st.composite
def _messages(draw: st.DrawFn) -> Record:
    turns: list[Record] = [{"role": "system", "content": draw(text)}] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 2))):
        turns += [draw(_asked()), draw(chat_answers())]
    turns += draw(st.sampled_from([[], [{"role": "user", "content": "thanks"}]]))
    core: Record = {"messages": turns}
    if draw(st.booleans()):
        core["tools"] = draw(st.none() | st.just([{"type": "function", "function": {"name": "f"}}]))
    return draw(_beside(core))


@st.composite
def _sharegpt(draw: st.DrawFn) -> Record:
    turns = []
    for _ in range(draw(st.integers(1, 2))):
        turns.append({"from": draw(st.sampled_from(["human", "user"])), "value": draw(text)})
        if draw(st.booleans()):
            turns.append({"from": "function_call", "value": '{"name": "f", "arguments": {}}'})
            turns.append({"from": "observation", "value": draw(text)})
        turns.append({"from": draw(st.sampled_from(["gpt", "bard"])), "value": draw(tagged())})
    core: Record = {"conversations": [{**turn, **draw(others)} for turn in turns]}
    if draw(st.booleans()):
        core["system"] = draw(text | st.none())
    if draw(st.booleans()):
        core["tools"] = draw(st.just("") | st.just('[{"name": "f", "description": "does"}]'))
    return draw(_beside(core))


@st.composite
def _alpaca(draw: st.DrawFn) -> Record:
    core: Record = {"instruction": draw(said), "output": draw(tagged())}
    if draw(st.booleans()):
        core["input"] = draw(text | st.none())
    if draw(st.booleans()):
        core["system"] = draw(text)
    if draw(st.booleans()):
        core["history"] = [[draw(text), draw(tagged())] for _ in range(draw(st.integers(0, 2)))]
    return draw(_beside(core))


@st.composite
def _prompt(draw: st.DrawFn) -> Record:
    core: Record = {"prompt": draw(said), "response": draw(tagged())}
    for name in ("reasoning_content", "thinking"):
        if draw(st.booleans()):
            core[name] = draw(st.none() | text)
    return draw(_beside(core))


@st.composite
def _completion(draw: st.DrawFn) -> Record:
    if draw(st.booleans()):
        return draw(_beside({"prompt": draw(said), "completion": draw(tagged())}))
    earlier = draw(st.sampled_from([[], [{"role": "assistant", "content": "before"}]]))
    prompt = [draw(_asked()), *earlier]
    return draw(_beside({"prompt": prompt, "completion": [draw(chat_answers())]}))


_BLOCKS = st.sampled_from(
    [
        {"type": "text", "text": "Once.", "citations": None},
        {"type": "tool_use", "id": "t", "name": "find", "input": {"q": 10**20}},
        {"type": "text", "text": "So."},
    ]
)
_THOUGHTS = st.lists(
    st.sampled_from(
        [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "ZGF0YQ=="},
            {"type": "thinking", "thinking": "", "signature": "c2ln"},
            {"type": "thinking", "thinking": ""},
        ]
    ),
    max_size=2,
)


@st.composite
def _anthropic(draw: st.DrawFn) -> Record:
    turns: list[Record] = []
    for _ in range(draw(st.integers(1, 2))):
        results = draw(
            st.sampled_from([[], [{"type": "tool_result", "tool_use_id": "t", "content": "r"}]])
        )
        asked = [*results, {"type": "text", "text": draw(said)}]
        turns.append({"role": "user", "content": draw(text) if not results else asked})
        blocks = [*draw(_THOUGHTS), *draw(st.lists(_BLOCKS, min_size=1, max_size=3))]
        answer = {"role": "assistant", "content": draw(said | st.just(blocks)), **draw(others)}
        turns.append(draw(_ordered(answer)))
    system = draw(said | st.just([{"type": "text", "text": "Be brief.", "cache_control": None}]))
    return draw(_beside({"system": system, "messages": turns}))


def _spoken(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"\n\nHuman: {asked}\n\nAssistant: {answered}" for asked, answered in pairs)


@st.composite
def _hh(draw: st.DrawFn) -> Record:
    pairs = [(draw(said), draw(tagged())) for _ in range(draw(st.integers(1, 2)))]
    ending = draw(st.sampled_from(["", "\n", "\n\nHuman: ok"]))
    return draw(_beside({draw(st.sampled_from(["text", "chosen"])): _spoken(pairs) + ending}))


@st.composite
def _preference(draw: st.DrawFn) -> Record:
    asked = draw(said)
    match draw(st.integers(0, 4)):
        case 0:
            before = _spoken([("a", "b")])
            chosen, rejected = (f"{before}{_spoken([(asked, draw(tagged()))])}" for _ in range(2))
            core: Record = {"chosen": chosen, "rejected": rejected}
        case 1:
            core = {"prompt": asked, "chosen": draw(tagged()), "rejected": draw(tagged())}
        case 2:
            user = {"role": "user", "content": asked}
            core = {
                "chosen": [user, draw(chat_answers())],
                "rejected": [user, draw(chat_answers())],
            }
        case 3:
            user = {"role": "user", "content": asked}
            core = {
                "prompt": [user],
                "chosen": [draw(chat_answers())],
                "rejected": [draw(chat_answers())],
            }
        case _:
            core = {
                "prompt": f"\n\nHuman: {asked}\n\nAssistant:",
                "chosen": f" {draw(said)}",
                "rejected": f" {draw(said)}",
            }
    return draw(_beside(core))


_OF: Mapping[Shape, st.SearchStrategy[Record]] = {
    "preference": _preference(),
    "sharegpt": _sharegpt(),
    "anthropic": _anthropic(),
    "messages": _messages(),
    "completion": _completion(),
    "prompt": _prompt(),
    "alpaca": _alpaca(),
    "hh": _hh(),
}


def records_for(shape: Shape) -> st.SearchStrategy[Record]:
    """Return records of a shape, with columns of somebody's own beside it."""
    return _OF[shape]


def read_record(record: Mapping[str, Any], selection: Selection = DEFAULT_SELECTION) -> Row:
    """Read a record from its line, as a file has it."""
    (row,) = read_stream(io.BytesIO(dumps(dict(record))), name="x", selection=selection)
    assert isinstance(row, Row), row
    return row
