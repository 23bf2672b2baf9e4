"""What a dataset card tells of an export."""

from collections.abc import Mapping
from typing import Any

from whyset.datasets.export import Exported

from ._card import CardExport


def card_export(exported: Exported, output: str, form: str | None = None) -> CardExport:
    """Return what a card tells of an export.

    Args:
        exported: Its account.
        output: What the folder or file is called, without its path.
        form: What form of files in a folder was asked for.
    """
    configs: dict[str, dict[str, str]] = {}
    for file in exported.files:
        configs.setdefault("control" if file.control else "default", {})[file.split] = file.name
    left = exported.own.left_out + exported.own.refused + exported.others.refused
    return CardExport(
        exported.consumer,
        exported.kind,
        exported.rows,
        exported.mixed,
        exported.share,
        dict(sorted(left.items())),
        exported.notes,
        _command(exported, output, form),
        configs,
        exported.mixed_sources,
    )


def _command(exported: Exported, output: str, form: str | None) -> list[str]:
    """Return the command of an export, with no path in it."""
    settings = exported.settings
    words = ["whyset", "export", *exported.sources, "-o", output, "--for", exported.consumer]
    words += [word for name in exported.mixed_sources for word in ("--mix", name)]
    values: Mapping[str, Any] = {
        "kind": settings.kind,
        "share": settings.share,
        "split": settings.split,
        "seed": settings.seed or None,
        "format": form,
    }
    for name, value in values.items():
        if value is not None:
            words += [f"--{name}", str(value)]
    for name in ("control", "drop_provenance", "think_tags"):
        if getattr(settings, name):
            words.append(f"--{name.replace('_', '-')}")
    words += [word for name in sorted(settings.include) for word in ("--include", name)]
    return [*words, *(word for name in settings.keep for word in ("--keep", name))]
