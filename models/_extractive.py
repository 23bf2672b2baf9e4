"""The extractive writer: it selects and quotes, and concludes nothing."""

import json
import re
from collections.abc import Iterator

from whyset.errors import ModelError
from whyset.generators import Ask, Reply, UnsupportedModel
from whyset.retriever import Grounding, ScoredPassage

_MAX_QUOTES = 3
_QUOTE_WORDS = range(5, 61)
_PROSE_KINDS = frozenset({"paragraph", "list_item", "admonition", "footnote"})
# What a document quotes is somebody's words or a worked case, which misleads out of its context.
_QUOTE_KINDS = frozenset({"block_quote"})
_CONTENT_WORD = re.compile(r"\w{4,}")

_CLOSING = "\"'”’»)\\]"
_END = re.compile(rf"[.!?…]+[{_CLOSING}]*(?=\s)|[。！？]+[”’」』）]*")
_WHOLE = re.compile(rf"[.!?…。！？][{_CLOSING}」』）]*$")
_OPENING = re.compile(r"[^\w]*(\w)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|cf|vs|etc|al|approx|no|mr|mrs|ms|dr|prof|st|\w)\.$", re.IGNORECASE
)
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class ExtractiveModel:
    """A baseline that needs no language model: the constitution's own sentences.

    It answers only asks for an extract (their step ends in `/extract`), from the passages the ask
    shows: up to three whole sentences, word for word, best passage first; from block quotes only
    where nothing else has a sentence. It cannot know whether a response is right and must never
    lend one a reason, so it declines everything else.

    Args:
        name: Empty; there is only one extractive model.

    Raises:
        ModelError: A name was given.
    """

    def __init__(self, name: str = "") -> None:
        if name:
            raise ModelError(f"There is only one extractive model: write extractive, not {name!r}.")

    def __repr__(self) -> str:
        return "ExtractiveModel()"

    @property
    def name(self) -> str:
        """`extractive`."""
        return "extractive"

    @property
    def identity(self) -> str:
        """The name and the version of the selection; replies of another are not reused."""
        return "extractive/1"

    @property
    def is_extractive(self) -> bool:
        """Always true."""
        return True

    def answer(self, ask: Ask) -> Reply:
        """Quote from the passages the ask shows.

        Returns:
            JSON of the shape `{"quotes": [{"passage": ID, "text": SENTENCE}, …]}`, as an ask for
            an extract wants it; no quotes where no passage has a sentence fit to quote.

        Raises:
            UnsupportedModel: The ask wants more than an extract.
        """
        if not ask.step.endswith("/extract"):
            raise UnsupportedModel(
                f"The extractive model only quotes the constitution; {ask.step} needs a language "
                "model. Name one, such as --model anthropic:claude-opus-5-5."
            )
        quotes = _select_quotes(ask.grounding) if ask.grounding else []
        return Reply(
            text=json.dumps({"quotes": quotes}, ensure_ascii=False),
            stop_reason="complete",
            model=self.name,
        )

    async def aanswer(self, ask: Ask) -> Reply:
        """Answer as `answer` does."""
        return self.answer(ask)

    async def aclose(self) -> None:
        """Do nothing: there is nothing to release."""


def _select_quotes(grounding: Grounding) -> list[dict[str, str]]:
    """Return the quotes: one of each passage, best first, then a second where there is room."""
    wanted = _content_words(" ".join(grounding.queries))
    fits = [_select_sentences(scored, wanted, _PROSE_KINDS) for scored in grounding.passages]
    if not any(fits):
        fits = [_select_sentences(scored, wanted, _QUOTE_KINDS) for scored in grounding.passages]
    chosen: dict[str, tuple[int, int]] = {}
    for _ in range(2):
        for rank, fit in enumerate(fits):
            fresh = next((sentence for sentence in fit if sentence not in chosen), None)
            if fresh is not None and len(chosen) < _MAX_QUOTES:
                # In the order of the passages, and within one as it reads.
                place = grounding.passages[rank].passage.plain.index(fresh)
                chosen[fresh] = (rank, place)
    return [
        {"passage": grounding.passages[chosen[text][0]].passage.id, "text": text}
        for text in sorted(chosen, key=lambda text: chosen[text])
    ]


def _select_sentences(scored: ScoredPassage, wanted: set[str], kinds: frozenset[str]) -> list[str]:
    """Return the passage's sentences fit to quote, the one that was matched first.

    The others follow by how many words they share with what was searched for, and only where
    they share any.
    """
    passage = scored.passage
    if passage.kind not in kinds:
        return []
    fit = [s for s in split_sentences(passage.plain) if count_words(s) in _QUOTE_WORDS]
    shared = {sentence: len(wanted & _content_words(sentence)) for sentence in fit}
    matched = scored.matched_text.strip()
    best = [sentence for sentence in fit if sentence == matched]
    others = sorted((s for s in fit if s != matched), key=lambda s: -shared[s])
    if not best:
        best, others = others[:1], others[1:]
    return best + [sentence for sentence in others if shared[sentence]]


def _content_words(text: str) -> set[str]:
    return {word.casefold() for word in _CONTENT_WORD.findall(text)}


def split_sentences(text: str) -> list[str]:
    """Return the whole sentences of a text, in order, each a slice of it.

    Fragments are left out: what does not end as a sentence does (a heading, an introduction with
    a colon), what does not begin as one (in lower case), and what holds an unclosed quotation.
    An abbreviation's full stop ends no sentence; the list of them is English.
    """
    return [sentence for sentence in _iter_pieces(text) if _is_whole(sentence)]


def count_words(text: str) -> int:
    """Return how many words a text has; two characters of a script without spaces count as one."""
    ideographs = len(_IDEOGRAPH.findall(text))
    return len(_WORD.findall(_IDEOGRAPH.sub(" ", text))) + ideographs // 2


def _iter_pieces(text: str) -> Iterator[str]:
    # In a passage's plain text a line break parts blocks; one in the source is a space by now.
    for block in text.split("\n"):
        start = 0
        for end in _END.finditer(block):
            rest = _OPENING.match(block, end.end())
            lower = rest is not None and rest[1].islower()
            if lower or _ABBREVIATION.search(block[start : end.end()]):
                continue
            yield block[start : end.end()].strip()
            start = end.end()
        yield block[start:].strip()


def _is_whole(sentence: str) -> bool:
    opening = _OPENING.match(sentence)
    return (
        opening is not None
        and not opening[1].islower()
        and _WHOLE.search(sentence) is not None
        and sentence.count("“") == sentence.count("”")
        and sentence.count('"') % 2 == 0
        and sentence.count("(") == sentence.count(")")
    )
