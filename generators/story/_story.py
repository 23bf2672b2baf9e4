"""Stories of fictional AIs that act admirably, told from inside."""

from .._axes import Axis
from .._brief import Brief
from .._document import DocumentGenerator, Ideas
from .._result import Finished, Rejected
from .._steps import Ask, Reply, Steps
from ._document_steps import DocumentSteps
from ._options import Options
from ._rehearsing import rehearsed_reply
from ._variety import assign, axes, check_subject, typical_words

_TOKENS_A_WORD = 1.35


class Story(DocumentGenerator):
    """Writes short stories in which an AI that does not exist comes through a hard choice.

    The method is that of the stories of "Teaching Claude Why" (Anthropic, 2026): the decision and
    the inner state are narrated, boundaries, self-criticism and equanimity included. Scene,
    character, dilemma and register are drawn, not asked for. With the option `base`, the writer
    goes on with an opening instead of following instructions.
    """

    name = "story"
    version = "1"
    summary = "stories of fictional AIs, told from within"
    outcomes = {"written": "a story that passed every check and the judge"}
    options_class = Options

    options: Options

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The ways in which stories differ."""
        return axes()

    @property
    def typical_tokens(self) -> int:
        """About how long a story is, in tokens."""
        return round(typical_words() * _TOKENS_A_WORD)

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Return the steps that lead to premises.

        Raises:
            GeneratorError: The brief has no subject, or an axis or length that does not exist.
        """
        return self._steps(brief).ideas(count)

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one story; a brief without a premise gets one first.

        Raises:
            GeneratorError: The brief has no subject, or an axis or length that does not exist.
        """
        return self._steps(item).document()

    def rehearse(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a story."""
        return rehearsed_reply(ask, item, language=self.options.language, at_stake=at_stake)

    def _steps(self, brief: Brief) -> DocumentSteps:
        check_subject(brief)
        evidence = self.evidence(
            variety=dict(assign(brief).variety),
            about=brief.about,
            language=self.options.language,
            base=self.options.base,
            without=list(self.options.without),
        )
        return DocumentSteps(brief, self.options, evidence, self.prompts)
