"""A corpus planned and written from a library: coverage is a quota, and the plan is a file."""

import tempfile
from pathlib import Path

from whyset.constitution import Constitution
from whyset.generators.explanation import Explanation
from whyset.pipelines import (
    CorpusFiles,
    CorpusRun,
    make_plan,
    open_pipeline,
    read_plan,
    render_coverage,
    write_plan,
)

MODEL = "extractive"  # quotes passages; any provider:model writes documents


def main() -> None:
    constitution = Constitution.charter()
    sections = [" > ".join(constitution.sections[1].path)]
    generator = Explanation()
    plan = make_plan(generator, constitution, documents=5, sections=sections, seed=7)
    print(render_coverage(plan, constitution))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.yaml"
        write_plan(plan, path, constitution, axes=generator.axes)  # to be read and edited
        plan = read_plan(path, constitution)
        crew = open_pipeline(plan, constitution, model=MODEL)
        files = CorpusFiles.from_output(str(Path(folder) / "documents.jsonl"), plan=path)
        summary = CorpusRun(files, plan, crew).execute()
    print(summary.counts.documents, "documents written")


if __name__ == "__main__":
    main()
