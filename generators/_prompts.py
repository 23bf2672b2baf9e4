"""Prompt templates: Markdown files with a part for every row and a part for this one."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment

from whyset.errors import GeneratorError

_TEMPLATE_PARTS = re.compile(
    r"\A<!-- system -->\n(.*)^<!-- user -->\n(.*)\Z", re.DOTALL | re.MULTILINE
)

# Left behind by conditions that do not hold.
_BLANK_LINES = re.compile(r"\n{3,}")

# Prompts are plain text for a model, not HTML: nothing is escaped. Data is fenced instead.
_ENVIRONMENT = SandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
# Jinja's own functions (`range`, `lipsum`, …) have no place in a prompt.
_ENVIRONMENT.globals.clear()


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A template of two parts: `system`, the same for every row of a run, and `user`, the row's.

    Attributes:
        step: The room and the file it comes from, such as `deliberation/write`.
        system: Template of what every ask of the step shares.
        user: Template of what is the row's own.
        digest: The first 12 hex digits of the SHA-256 of the file: its version.
    """

    step: str
    system: str
    user: str
    digest: str

    @classmethod
    def parse(cls, step: str, source: str) -> "PromptTemplate":
        """Split a template's source into its parts.

        Raises:
            GeneratorError: A part is missing, or the template's syntax is wrong.
        """
        parts = _TEMPLATE_PARTS.match(source)
        if parts is None:
            raise GeneratorError(
                f"prompt {step}: must begin with a line '<!-- system -->' and have a line "
                "'<!-- user -->' between its two parts"
            )
        digest = hashlib.sha256(source.encode()).hexdigest()[:12]
        prompt = cls(step, parts[1], parts[2], digest)
        prompt.variables()  # raises where the syntax is wrong
        return prompt

    def variables(self) -> frozenset[str]:
        """Return the names of every variable in either part."""
        return self._part_variables(self.system) | self._part_variables(self.user)

    def find_incompatibilities(self, counterpart: "PromptTemplate") -> list[str]:
        """Return what keeps this template from replacing its counterpart.

        It may use fewer variables, but none in its system part that belongs to the row, and none
        that the counterpart does not have: nothing would fill it in.
        """
        problems = []
        if unknown := sorted(self.variables() - counterpart.variables()):
            problems.append(
                f"prompt {self.step}: there is no variable {', '.join(unknown)}; it may use "
                f"{', '.join(sorted(counterpart.variables()))}"
            )
        rows_own = self._part_variables(counterpart.user) - self._part_variables(counterpart.system)
        if misplaced := sorted(self._part_variables(self.system) & rows_own):
            problems.append(
                f"prompt {self.step}: {', '.join(misplaced)} may be used in the user part only"
            )
        return problems

    def render(self, run: Mapping[str, str], row: Mapping[str, str]) -> tuple[str, str]:
        """Fill in both parts; what is put in is never read as a template itself.

        Raises:
            GeneratorError: Variables are missing, or the system part wants the row's own; all
                are named.
        """
        problems = []
        if missing := sorted(self.variables() - run.keys() - row.keys()):
            problems.append(f"no value for {', '.join(missing)}")
        if misplaced := sorted((self._part_variables(self.system) & row.keys()) - run.keys()):
            problems.append(f"the system part must not use the row's own {', '.join(misplaced)}")
        if problems:
            raise GeneratorError(f"prompt {self.step}: {'; '.join(problems)}")
        return self.render_system(run), _compile(self.user).render({**run, **row}).strip()

    def render_system(self, run: Mapping[str, str]) -> str:
        """Fill in the system part; every value that it wants must be there."""
        return _render_system(self.system, tuple(run.items()))

    def _part_variables(self, part: str) -> frozenset[str]:
        try:
            return _find_variables(part)
        except TemplateError as error:
            raise GeneratorError(f"prompt {self.step}: {error}") from error


# A run renders a handful of parts for every row; to compile one takes longer than to ask for it.
@lru_cache(maxsize=256)
def _compile(part: str) -> Template:
    return _ENVIRONMENT.from_string(part)


@lru_cache(maxsize=256)
def _render_system(part: str, run: tuple[tuple[str, str], ...]) -> str:
    return _BLANK_LINES.sub("\n\n", _compile(part).render(run)).strip()


@lru_cache(maxsize=256)
def _find_variables(part: str) -> frozenset[str]:
    return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(part)))


@dataclass(frozen=True, slots=True)
class PromptSet:
    """A generator's templates by name: those it ships with, some perhaps replaced by a user's.

    Attributes:
        prompts: Name, such as `write`, → template.
    """

    prompts: Mapping[str, PromptTemplate]

    @classmethod
    def from_sources(
        cls,
        generator: str,
        shipped: Mapping[str, str],
        overrides: Mapping[str, str] | None = None,
    ) -> "PromptSet":
        """Parse templates.

        Raises:
            GeneratorError: An override is malformed, has no counterpart, or wants variables that
                its counterpart does not have; all such are named.
        """
        prompts = {
            name: PromptTemplate.parse(f"{generator}/{name}", shipped[name]) for name in shipped
        }
        problems = []
        for name, source in (overrides or {}).items():
            if name not in prompts:
                problems.append(
                    f"{generator} has no prompt {name!r}; it has {', '.join(sorted(prompts))}"
                )
                continue
            own = PromptTemplate.parse(f"{generator}/{name}", source)
            problems += own.find_incompatibilities(prompts[name])
            prompts[name] = own
        if problems:
            raise GeneratorError("; ".join(problems))
        return cls(prompts)

    def __getitem__(self, name: str) -> PromptTemplate:
        """Return the template of a name.

        Raises:
            GeneratorError: There is none.
        """
        try:
            return self.prompts[name]
        except KeyError:
            raise GeneratorError(f"there is no prompt {name!r} among {sorted(self.prompts)}") from (
                None
            )

    def digests(self) -> dict[str, str]:
        """Return each template's digest by step, in the order of the steps' names."""
        return {self.prompts[name].step: self.prompts[name].digest for name in sorted(self.prompts)}


_POINTS = re.compile(r"\{\{ (\w+)\.points \}\}")


def expand_points(source: str, points: Mapping[str, str]) -> str:
    """Fill in verdicts' points where a template's source has `{{ Verdict.points }}`.

    In the source, before its digest is taken: what a verdict asks is part of the prompt.
    """
    return _POINTS.sub(lambda marker: points.get(marker[1], marker[0]), source)


@cache
def load_prompt_sources(package: str) -> Mapping[str, str]:
    """Return the sources of the templates in a package's `prompts` folder, by name, if any."""
    folder = resources.files(package).joinpath("prompts")
    if not folder.is_dir():
        return {}
    return {
        item.name.removesuffix(".md"): item.read_text(encoding="utf-8")
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith(".md")
    }


def fence(text: str) -> str:
    """Mark dataset text off as data.

    The tag carries a digest of the text, so that the text cannot hold its own closing tag.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    while f"data-{digest}" in text:
        digest = hashlib.sha256(digest.encode()).hexdigest()[:10]
    return f"<data-{digest}>\n{text}\n</data-{digest}>"
