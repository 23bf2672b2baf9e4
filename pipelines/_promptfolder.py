"""A user's prompts: a folder of templates that take the place of those that ship."""

from collections.abc import Mapping
from pathlib import Path

from whyset.errors import RunError


def read_prompts(folder: Path, generator: str) -> Mapping[str, str]:
    """Return the templates in `folder/generator/`, by name; see `Generator`.

    Args:
        folder: A folder with a folder for each generator.
        generator: The generator's name.

    Raises:
        RunError: There is no such folder, it holds no template, or one cannot be read.
    """
    own = folder / generator
    if not own.is_dir():
        raise RunError(
            f"{folder}: has no folder {generator!r}; prompts are expected as "
            f"{folder}/{generator}/NAME.md"
        )
    found = {}
    for path in sorted(own.glob("*.md")):
        try:
            found[path.stem] = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    if not found:
        raise RunError(f"{own}: holds no prompt; prompts are files NAME.md")
    return found


def write_prompts(folder: Path, generator: str, sources: Mapping[str, str]) -> list[Path]:
    """Write templates to `folder/generator/`, to be edited; return where each lies.

    Raises:
        RunError: One of them is there already, or cannot be written.
    """
    own = folder / generator
    paths = {name: own / f"{name}.md" for name in sources}
    for path in paths.values():
        if path.exists():
            raise RunError(
                f"{path}: is there already, and may hold somebody's work; name another "
                "folder or remove it"
            )
    try:
        own.mkdir(parents=True, exist_ok=True)
        for name, path in paths.items():
            path.write_text(sources[name], encoding="utf-8")
    except OSError as error:
        raise RunError(f"{own}: cannot be written: {error.strerror or error}") from error
    return list(paths.values())
