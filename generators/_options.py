"""What a user can choose about a generator: pydantic fields, which the command line shows."""

from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whyset.errors import GeneratorError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class GeneratorOptions(BaseModel):
    """Options of a generator; each field's description is its help on the command line.

    A field is a string, a number, true or false, a `Literal`, or a tuple of strings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Make options of values by name.

        Raises:
            GeneratorError: A name is unknown or a value does not fit; all are told.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = [_told(problem) for problem in error.errors(include_url=False)]
            if any(problem["type"] == "extra_forbidden" for problem in error.errors()):
                problems.append(f"the options are {', '.join(cls.model_fields)}")
            raise GeneratorError("; ".join(problems)) from error

    def record(self) -> dict[str, Any]:
        """Return the options as plain values."""
        return self.model_dump(mode="json")


def language_option(of: str) -> Any:
    """Return the option that names the language of what a generator writes.

    Args:
        of: What it writes, such as `the stories`.
    """
    return Field(
        "en",
        min_length=2,
        description=f"The language of {of}, by its ISO 639-1 code: en, de, ja, …",
    )


_BOUNDS = {
    "greater_than_equal": "at least {ge:g}",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "at most {le:g}",
    "less_than": "less than {lt:g}",
    "finite_number": "a number",
}
"""What pydantic calls a bound → what a person does."""


def _told(problem: "ErrorDetails") -> str:
    name = ".".join(map(str, problem["loc"])) or "the options"
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        return f"there is no option {name}"
    if kind == "value_error":
        return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
    given = f"not {problem['input']!r}"
    if kind == "literal_error":
        allowed = context["expected"].replace("'", "").replace(" or ", ", ")
        return f"{name} must be one of {allowed}, {given}"
    if kind in _BOUNDS:
        return f"{name} must be {_BOUNDS[kind].format_map(context)}, {given}"
    return f"{name}: {problem['msg'][:1].lower()}{problem['msg'][1:]}, {given}"
