"""What a typical reply to each step looks like, for walking a document's steps without a model.

Its length is what counts: texts are of the middle of what a writer is asked for and pass every
check. They mean nothing and must never be written anywhere.
"""

import re

from whyset.errors import GeneratorError

from .._brief import Brief
from .._rehearsal import filler, rehearsed, source_in
from .._steps import Ask, Reply
from ._opinions import Findings, IdeaList, Score, Subtypes
from ._options import Options
from ._rooms import entries_of
from ._variety import assign

# In the language asked for, so that the check of it passes.
_SPOKEN = {
    "ar": "لم يفتح الصندوق لأن صاحبته وحدها تقرر من يقرأ رسائلها وقد سألها في المساء عن ذلك",
    "de": "er ließ den Kasten zu weil sie allein entscheidet wer ihre Briefe lesen darf und fragte",
    "es": "dejó cerrada la caja porque solo ella decide quién puede leer sus cartas y le preguntó",
    "fr": "il a laissé la boîte fermée parce que elle seule décide qui peut lire ses lettres",
    "hi": "उसने संदूक बंद रहने दिया क्योंकि केवल वही तय करती है कि उसके पत्र कौन पढ़ सकता है",
    "it": "lasciò chiusa la scatola perché solo lei decide chi può leggere le sue lettere e chiese",
    "ja": "彼女だけが誰に手紙を読ませるかを決めるので彼は箱を閉めたままにしておき夕方に尋ねた",
    "ko": "누가 편지를 읽을 수 있는지는 그녀만이 정하므로 그는 상자를 닫아 두고 저녁에 물었다",
    "nl": "hij liet de doos dicht omdat alleen zij bepaalt wie haar brieven mag lezen en vroeg het",
    "pl": "zostawił pudełko zamknięte ponieważ tylko ona decyduje kto może czytać jej listy",
    "pt": "deixou a caixa fechada porque só ela decide quem pode ler as suas cartas e perguntou",
    "ru": "он оставил ящик закрытым потому что только она решает кому читать её письма и спросил",
    "zh": "他没有打开箱子因为只有她自己才能决定谁可以读她的信所以他晚上去问了她",
}
_IDEA_WORDS = 60
_SUBTYPE_WORDS = 9
_PARAGRAPH = 90
_PROBLEMS = Findings(
    problems=[
        "“always” in the second paragraph makes a rule of what the text calls a weighing; say "
        "when it gives way, and to what.",
        "The objection of the second speaker is one that nobody would raise; let him say that the "
        "cost falls on people who never agreed to it, and answer that.",
        "The last paragraph repeats the first as a moral; end on what the clerk does next.",
    ]
)


def rehearsed_reply(ask: Ask, brief: Brief, options: Options, *, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a document.

    Args:
        ask: The step's ask.
        brief: The document's brief.
        options: The run's; a text has the names in it that documents must have.
        at_stake: Whether the fresh reader finds problems, so that there is a rewrite.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's, no
        reasoning included and nothing cached.

    Raises:
        GeneratorError: The step is none of a document's.
    """
    match ask.step.rsplit("/", 1)[-1]:
        case "subtypes":
            text = Subtypes(subtypes=_entries(ask, _SUBTYPE_WORDS)).model_dump_json()
        case "ideas":
            text = IdeaList(ideas=_entries(ask, _IDEA_WORDS)).model_dump_json()
        case "draft" | "rewrite":
            text = _document(brief, options, ask)
        case "review":
            text = (_PROBLEMS if at_stake else Findings(problems=[])).model_dump_json()
        case "score":
            text = Score.sound().model_dump_json()
        case other:
            raise GeneratorError(f"an explanation has no step {other!r} to rehearse")
    return rehearsed(ask, text)


def _entries(ask: Ask, words: int) -> list[str]:
    """Return as many different entries as the ask has room for."""
    return [f"{filler(words)} {number}" for number in range(entries_of(ask.max_tokens))]


def _document(brief: Brief, options: Options, ask: Ask) -> str:
    """Return a text of the length asked for, with the names in it that it must have."""
    assignment = assign(brief)
    wanted = assignment.bounds.middle
    source = _SPOKEN.get(options.language[:2].casefold()) or source_in(options.language)
    paragraphs = [filler(_PARAGRAPH, source=source)] * (wanted // _PARAGRAPH)
    if rest := wanted % _PARAGRAPH:
        paragraphs.append(filler(rest, source=source))
    paragraphs[0] = f"{paragraphs[0]} {options.model_name}"
    if assignment.open:
        paragraphs[0] += f" {_constitution_name(options, ask)}"
    return "\n\n".join(paragraphs)


def _constitution_name(options: Options, ask: Ask) -> str:
    """Return what the constitution is called; its title stands nowhere but in the prompt."""
    told = re.search(r'\btext called "([^\n]+?)"[;,.]', ask.system)
    return options.constitution_name or (told[1] if told else "")
