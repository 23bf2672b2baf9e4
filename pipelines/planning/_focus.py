"""Passages → focus groups: a few neighbours of one section that a document is about."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from whyset.constitution import Constitution, NotInConstitution, Passage, Section
from whyset.errors import PlanError

from ._plan import SEPARATOR, Focus, Plan


@dataclass(frozen=True, slots=True)
class FocusGroup:
    """Neighbouring passages of one section.

    Attributes:
        path: The section's.
        passages: At least one, in the order of the document.
    """

    path: tuple[str, ...]
    passages: tuple[Passage, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its passages."""
        return tuple(passage.id for passage in self.passages)


def passages_by_section(
    constitution: Constitution,
) -> dict[tuple[str, ...], tuple[Passage, ...]]:
    """Return each section's own passages, by its path, in the order of the document."""
    held: dict[tuple[str, ...], list[Passage]] = {}
    for passage in constitution.passages:
        held.setdefault(passage.path, []).append(passage)
    return {path: tuple(passages) for path, passages in held.items()}


def section_named(constitution: Constitution, name: str) -> Section:
    """Return the section of a name, whose leading headings may be left out.

    Raises:
        PlanError: There is none, or the name fits several; the message says which there are.
    """
    try:
        return constitution.section(name)
    except NotInConstitution as error:
        if not str(error).startswith("no section"):
            raise PlanError(str(error)) from error
        titles = list(dict.fromkeys(section.title for section in constitution.sections))
        near = difflib.get_close_matches(name.split(SEPARATOR)[-1], titles, n=3, cutoff=0.5)
        hint = f"; nearest: {', '.join(map(repr, near))}" if near else ""
        raise PlanError(f"no section {name!r}{hint}") from error


def planned_passages(plan: Plan, constitution: Constitution) -> list[str]:
    """Return the ids of all passages of a plan's sections, in the order of the plan."""
    held = passages_by_section(constitution)
    return [passage.id for section in plan.sections for passage in held[section.path]]


def focus_groups(passages: Sequence[Passage], focus: Focus) -> list[FocusGroup]:
    """Group the passages of one section; each is in exactly one group.

    A case, an example or a list begins in the group of what introduces it, even where that
    exceeds the tokens of a group.
    """
    groups: list[list[Passage]] = []
    for piece in _pieces(passages):
        together = [*groups[-1], *piece] if groups else []
        fits = sum(passage.tokens for passage in together) <= focus.tokens
        if together and fits and len(together) <= focus.passages:
            groups[-1] = together
        else:
            groups.append([])
            for passage in piece:
                if len(groups[-1]) == focus.passages:
                    groups.append([])
                groups[-1].append(passage)
    return [FocusGroup(group[0].path, tuple(group)) for group in groups]


def _pieces(passages: Iterable[Passage]) -> list[list[Passage]]:
    """Put what is introduced by a passage behind it; whatever follows stands alone."""
    pieces: list[list[Passage]] = []
    for passage in passages:
        introduced = passage.context is not None
        if introduced and pieces and pieces[-1][-1].context is None:
            pieces[-1].append(passage)
        else:
            pieces.append([passage])
    return pieces
