"""What every way to a result has in common: passages, asks, checks, evidence, and how it ends."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from whyset.retriever import Grounding, Scope, ScoredPassage

from ._asking import Unanswered, grounded
from ._result import NO_ORIGINAL, Evidence, Finished, Rejected
from ._steps import Ask, Fetch, Find, Role, Steps, Tool, Turn
from .checks import Check, failed_checks

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ._prompts import PromptSet


class Working:
    """One row's or document's way to its result. Good for one only.

    Attributes:
        evidence: What the result rests on so far.
        draft: The last text a writer returned.
    """

    def __init__(self, evidence: Evidence, prompts: "PromptSet") -> None:
        """Set out.

        Args:
            evidence: What there is to begin with; see `Generator.evidence`.
            prompts: The generator's.
        """
        self.evidence = evidence
        self.draft: str | None = None
        self._prompts = prompts

    @property
    def passages(self) -> tuple[ScoredPassage, ...]:
        """Every passage gathered, in the order in which they came."""
        return self.evidence.passages

    def find(self, texts: Sequence[str], *, k: int) -> Steps[Grounding]:
        """Find passages by meaning and put those not yet held behind those that are."""
        return self._gathered(Find(tuple(texts), k=k))

    def fetch(self, ids: Sequence[str], *, scope: Scope = "section") -> Steps[Grounding]:
        """Fetch passages by name and put those not yet held behind those that are."""
        return self._gathered(Fetch(tuple(ids), scope))

    def ask(
        self,
        role: Role,
        name: str,
        *,
        max_tokens: int,
        run: Mapping[str, str] | None = None,
        row: Mapping[str, str] | None = None,
        schema: "type[BaseModel] | None" = None,
        sample: int = 0,
        turns: tuple[Turn, ...] = (),
        tools: tuple[Tool, ...] = (),
    ) -> Ask:
        """Render the prompt of a name into an ask.

        Args:
            role: Who should answer.
            name: Such as `write`.
            max_tokens: The room for the answer.
            run: Values that are the same for every row of the run.
            row: Values of the row's own.
            schema: What the answer must parse as.
            sample: Tells apart several answers wanted to the same question.
            turns: What was said before.
            tools: What the model has at hand.

        Raises:
            GeneratorError: There is no such prompt, or values are missing.
        """
        prompt = self._prompts[name]
        system, user = prompt.render(run or {}, row or {})
        return Ask(
            role,
            prompt.step,
            system,
            user,
            max_tokens,
            schema=schema,
            sample=sample,
            turns=turns,
            tools=tools,
        )

    def note(self, **changes: Any) -> None:
        """Replace parts of the evidence, such as `checks`, `verdict`, `quotes` or `note`."""
        self.evidence = replace(self.evidence, **changes)

    def settle(self, **settings: Any) -> None:
        """Add to the settings that provenance shows, such as the variety of a document."""
        self.evidence = replace(self.evidence, settings={**self.evidence.settings, **settings})

    def finished(
        self, outcome: str, columns: Mapping[str, Any], *, original: Any = NO_ORIGINAL
    ) -> Finished:
        """End well; see `Finished`."""
        return Finished(outcome, columns, original, self.evidence)

    def rejected(self, *reasons: str, detail: str) -> Rejected:
        """End in quarantine, for reasons of one word each."""
        return Rejected(reasons, detail, self.evidence, self.draft)

    def unanswered(self, unanswered: Unanswered) -> Rejected:
        """End in quarantine because an ask got no usable answer."""
        return self.rejected(unanswered.reason, detail=str(unanswered))

    def failed(self, checks: Iterable[Check]) -> Rejected:
        """End in quarantine for those of the checks that failed."""
        found = failed_checks(checks)
        reasons = (f"check:{check.name}" for check in found)
        return self.rejected(*reasons, detail="; ".join(check.detail for check in found))

    def _gathered(self, wanted: Find | Fetch) -> Steps[Grounding]:
        found = yield from grounded(wanted)
        held = {scored.passage.id for scored in self.evidence.passages}
        new = [scored for scored in found.passages if scored.passage.id not in held]
        self.evidence = replace(
            self.evidence,
            groundings=(*self.evidence.groundings, found),
            passages=(*self.evidence.passages, *new),
        )
        return found
