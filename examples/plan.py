"""A corpus planned and written from a library: coverage is a quota, and the plan is a file."""

import tempfile
from pathlib import Path

from whyset.constitution import Constitution
from whyset.generators.explanation import Explanation
from whyset.pipelines import (
    CorpusFiles,
    CorpusRun,
    coverage_text,
    make_plan,
    open_document_crew,
    write_plan,
)

MODEL = "extractive"  # any provider:model
GENERATOR = Explanation().extractive()  # digests of passages; Explanation() with a language model


def main() -> None:
    constitution = Constitution.charter()
    sections = [" > ".join(constitution.sections[1].path)]
    plan = make_plan(GENERATOR, constitution, documents=5, sections=sections, seed=7)
    print(coverage_text(plan, constitution))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.yaml"
        write_plan(plan, path)  # to be read, edited, read back with read_plan and kept
        crew = open_document_crew(GENERATOR, constitution, model=MODEL)
        files = CorpusFiles.beside(str(Path(folder) / "documents.jsonl"), plan=path)
        summary = CorpusRun(files, plan, crew).execute()
    print(summary.tally.documents, "documents written")


if __name__ == "__main__":
    main()
