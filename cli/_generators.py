"""`whyset generators` and `whyset prompts`: what is installed, and prompts to start from."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._commands import option_flag
from ._options import JsonOption, require_nonempty
from ._text import format_table, print_lines, render_json

if TYPE_CHECKING:
    from whyset.generators import Generator

_OWN_DISTRIBUTION = "whyset"


def generators(
    name: Annotated[
        str | None,
        typer.Argument(
            callback=require_nonempty, help="One of them, with its options, axes and prompts."
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Show the generators that are installed, and what each can do."""
    from whyset.generators import list_generators, load_generator_class

    installed = list_generators()
    names = list(installed) if name is None else [name]
    records = [_generator_record(load_generator_class(each), installed[each]) for each in names]
    if json_output:
        typer.echo(render_json(records if name is None else records[0]))
    else:
        print_lines(_overview_lines(records) if name is None else _detail_lines(records[0]))


def prompts(
    name: Annotated[str, typer.Argument(callback=require_nonempty, help="A generator.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="A folder to copy them to, as DIR/GENERATOR/NAME.md; edit them there and run "
            "with --prompts DIR.",
        ),
    ] = None,
) -> None:
    """Print a generator's prompts, or copy them out to change them."""
    from whyset.generators import load_generator_class
    from whyset.pipelines import write_prompts

    sources = load_generator_class(name).prompt_sources()
    if output is None:
        for prompt, source in sources.items():
            typer.echo(f"--- {name}/{prompt}.md ---\n{source}")
        return
    for path in write_prompts(output, name, sources):
        typer.echo(str(path))


def _generator_record(generator: "type[Generator]", distribution: str) -> dict[str, Any]:
    """Return what there is to know of a generator as plain values."""
    from whyset.generators import DocumentGenerator

    defaults = generator.options_class().record()
    axes = generator().axes if issubclass(generator, DocumentGenerator) else ()
    return {
        "name": generator.name,
        "version": generator.version,
        "summary": generator.summary,
        "takes": generator.input_kind,
        "command": _command_text(generator),
        "from": distribution,
        "outcomes": dict(generator.outcomes),
        "options": [
            {
                "name": name,
                "flag": option_flag(name),
                "default": defaults[name],
                "help": field.description or "",
            }
            for name, field in generator.options_class.model_fields.items()
        ],
        "axes": [
            {
                "name": axis.name,
                "meaning": axis.meaning,
                "values": list(axis.values),
                "generated": axis.generated_count,
            }
            for axis in axes
        ],
        "prompts": sorted(generator.prompt_sources()),
    }


def _command_text(generator: "type[Generator]") -> str:
    if generator.input_kind == "briefs":
        return f"whyset write {generator.name}"
    return "whyset rewrite" if generator.name == "deliberation" else f"whyset {generator.name}"


def _overview_lines(records: list[dict[str, Any]]) -> list[str]:
    lines = []
    for takes, heading in (("rows", "rows in, rows out"), ("briefs", "documents from a plan")):
        lines.append(f"{heading}:")
        for record in records:
            if record["takes"] != takes:
                continue
            source = "" if record["from"] == _OWN_DISTRIBUTION else f" (from {record['from']})"
            flags = " ".join(option["flag"] for option in record["options"])
            lines += [
                f"  {record['name']}{source}: {record['summary']}",
                f"    {record['command']} {flags}",
            ]
        lines.append("")
    return [*lines, "whyset generators NAME describes the options, axes and prompts of one."]


def _detail_lines(record: dict[str, Any]) -> list[str]:
    lines = [
        f"{record['name']} {record['version']}: {record['summary']}",
        f"from {record['from']}; run it with: {record['command']}",
        "",
        "options:",
        *(
            f"  {option['flag']}  {option['help']} [default: {json.dumps(option['default'])}]"
            for option in record["options"]
        ),
        "",
        "outcomes:",
        *format_table([*record["outcomes"].items()], names=2),
    ]
    if record["axes"]:
        lines += ["", "axes of variety, drawn by a plan with exact quotas:"]
        for axis in record["axes"]:
            values = ", ".join(axis["values"]) or f"{axis['generated']} listed by the model"
            lines.append(f"  {axis['name']}: {axis['meaning']} {values}")
    return [*lines, "", f"prompts: {', '.join(record['prompts'])}"]
