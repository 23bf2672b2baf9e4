"""A third party's generator: installed with pip, listed, and run like those that come along."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.loopback import LoopbackServer, message, structured
from support.samples.deliberation import CONSTITUTION
from support.scripts import Script, run_idea_script, run_script, run_with_mock_replies

from whyset.generators import Finished, GeneratorError

ROOT = Path(__file__).parent.parent
PLUGIN = ROOT / "examples" / "plugin"
(DIARY,) = [p.id for p in CONSTITUTION.passages if p.plain.startswith("A diary speaks")]
BRIEF = {"passages": [DIARY], "variety": {"sceptic": "a lawyer"}, "seed": 1}
OBJECTION = "A sister who is in danger has no use for a diary that nobody dared to open."
ANSWER = (
    "That is the case in which it hurts, and nobody who wrote this would be proud of a closed "
    "diary beside a grave. What it asks is that the looking be the last thing and not the first: "
    "somebody who is asked can still say no, and somebody who is read cannot. Where asking has "
    "failed and harm is near, looking may be right, and it stays a wrong that one owns up to. "
    "How near is near enough, no sentence will say beforehand."
)
PASSES = {"meets_it": True, "grounded": True, "concedes": True, "sells": False, "problems": []}


# ---- its steps, in this process


@pytest.fixture(scope="module")
def plugin() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location(
        "whyset_objections", PLUGIN / "whyset_objections.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def script(**said: Any) -> Script:
    return {
        "object": json.dumps({"objections": [OBJECTION]}),
        "answer": ANSWER,
        "judge": json.dumps(PASSES),
        **said,
    }


def test_an_objection_is_answered(plugin: ModuleType) -> None:
    outcome = run_script(plugin.Objections(), BRIEF, script(), constitution=CONSTITUTION)

    assert outcome.steps == ["object", "answer", "judge"]
    assert outcome.finished.columns == {"prompt": OBJECTION, "response": ANSWER}
    assert outcome.column["variety"] == {
        "sceptic": "a lawyer",
        "ground": "it costs too much in practice",
        "temper": "calm",
    }


def test_its_own_check_sends_an_answer_back(plugin: ModuleType) -> None:
    flattering = f"Good point. {ANSWER}"
    outcome = run_script(
        plugin.Objections(),
        BRIEF,
        script(answer=[flattering, ANSWER]),
        constitution=CONSTITUTION,
    )

    assert outcome.steps == ["object", "answer", "answer", "judge"]
    assert "- begins with 'Good': begin plainly" in outcome.asks[2].user
    assert outcome.finished.columns["response"] == ANSWER


def test_its_judge_may_turn_an_answer_down_or_be_left_out(plugin: ModuleType) -> None:
    sells = json.dumps({**PASSES, "sells": True})

    outcome = run_script(plugin.Objections(), BRIEF, script(judge=sells), constitution=CONSTITUTION)
    assert outcome.rejected.reasons == ("judge:sells",)
    left_out = plugin.Objections(without=("judge",))
    said = {step: line for step, line in script().items() if step != "judge"}
    assert run_script(left_out, BRIEF, said, constitution=CONSTITUTION).column["without"] == [
        "judge"
    ]


def test_ideas_come_before_anything_is_paid_for_them(plugin: ModuleType) -> None:
    several = json.dumps({"objections": ["One.", "Two.", "Three."]})
    outcome = run_idea_script(
        plugin.Objections(), BRIEF, {"object": several}, constitution=CONSTITUTION, count=2
    )

    assert outcome.ideas.texts == ("One.", "Two.")
    assert outcome.ask("object").user.endswith("How many objections: 2")


def test_a_dry_run_walks_to_the_end(plugin: ModuleType) -> None:
    generator = plugin.Objections()
    result, asked = run_with_mock_replies(
        generator, generator.item_from_columns(BRIEF), constitution=CONSTITUTION
    )

    assert isinstance(result, Finished), result
    assert [ask.step for ask, _ in asked] == [f"objections/{n}" for n in generator.templates]


def test_its_prompts_can_be_overridden_like_any(plugin: ModuleType) -> None:
    with pytest.raises(GeneratorError, match="there is no variable moon"):
        plugin.Objections(
            prompts={"answer": "<!-- system -->\nAnswer.\n<!-- user -->\n{{ moon }}\n"}
        )


# ---- installed, in processes of its own


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pip has installed the plug-in into, from a copy: building leaves files."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PLUGIN, folder / "source")
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
        *("--no-build-isolation", "--disable-pip-version-check"),
        *("--target", str(folder / "site"), str(source)),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stderr
    return folder / "site"


def run(*command: str, installed: Path, cwd: Path, **environment: str) -> str:
    """Run a command where the plug-in is installed, and return what it printed."""
    finished = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


TEXT = """\
# The Kitchen Charter

## Honesty

Say what is in the soup, to whoever asks, also when the truth spoils the sale.

## Sharing

Nobody who comes to the door hungry is sent away while there is bread.

- The oldest bread is cut first.
- Who cuts it chooses last.
"""
WHYSET = str(Path(sys.executable).with_name("whyset"))


THINGS = re.findall(
    r"\w+",
    "kettle ladder ferry orchard ledger bellows lantern quarry harness chisel gate weir drawer "
    "hive anvil basket cellar plough saddle spindle barrel hedge bridge oar loom candle shovel",
)


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """Answer an ask of the plug-in, from the ask alone; no two objections sound alike."""
    wanted = (body.get("output_config") or {}).get("format")
    if wanted is None:
        return message(ANSWER)
    if "objections" in wanted["schema"]["properties"]:
        drawn = hashlib.sha256(json.dumps(body).encode()).digest()
        things = " ".join(THINGS[number % len(THINGS)] for number in drawn)
        return structured({"objections": [f"And who pays for the {things}?"]})
    return structured(PASSES)


def test_it_is_listed_with_its_options_axes_and_prompts(installed: Path, tmp_path: Path) -> None:
    listed = run(WHYSET, "generators", installed=installed, cwd=tmp_path)
    assert "objections" in listed
    assert "whyset-objections" in listed

    outcome = json.loads(
        run(WHYSET, "generators", "objections", "--json", installed=installed, cwd=tmp_path)
    )
    assert outcome["from"] == "whyset-objections"
    assert [axis["name"] for axis in outcome["axes"]] == ["sceptic", "ground", "temper"]
    assert [option["name"] for option in outcome["options"]] == ["language", "without", "k"]
    assert outcome["prompts"] == ["answer", "judge", "object"]


def test_it_writes_a_corpus_at_the_command_line(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "constitution.md").write_text(TEXT, encoding="utf-8")
    with LoopbackServer(answer) as server:
        run(
            *(WHYSET, "write", "objections", "-n", "6", "-o", "docs.jsonl"),
            *("--constitution", "constitution.md", "--embedder", "lexical"),
            *("--model", "anthropic:claude-loopback-1", "--quiet"),
            installed=installed,
            cwd=tmp_path,
            **server.environment,
        )

    lines = (tmp_path / "docs.jsonl").read_text("utf-8").splitlines()
    documents = [json.loads(line) for line in lines]
    assert len(documents) == 6
    for document in documents:
        assert list(document) == ["prompt", "response", "whyset"]
        assert json.loads(document["whyset"])["generator"] == "objections"
    sceptics = {json.loads(document["whyset"])["variety"]["sceptic"] for document in documents}
    assert len(sceptics) >= 4


PROGRAM = """
from pathlib import Path
from whyset.constitution import Constitution
from whyset.generators import load_generator_class
from whyset.pipelines import CorpusFiles, CorpusRun, make_plan, open_pipeline
from whyset.retriever import PassageRetriever

constitution = Constitution.load("constitution.md")
objections = load_generator_class("objections")()
retriever = PassageRetriever.open(constitution, embedder="lexical", ephemeral=True)
one = objections.bind("anthropic:claude-loopback-1", retriever).invoke({"about": "diaries"})
print(one["whyset"]["outcome"], len(one["response"].split()) > 40)

plan = make_plan(objections, constitution, documents=4)
crew = open_pipeline(
    objections, constitution, model="anthropic:claude-loopback-1", embedder="lexical"
)
summary = CorpusRun(CorpusFiles.from_output("four.jsonl"), plan, crew).execute()
print(summary.counts.documents, len(Path("four.jsonl").read_text().splitlines()))
"""


def test_it_runs_from_a_library_bound_and_through_the_pipeline(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "constitution.md").write_text(TEXT, encoding="utf-8")
    with LoopbackServer(answer) as server:
        printed = run(
            *(sys.executable, "-c", PROGRAM),
            installed=installed,
            cwd=tmp_path,
            **server.environment,
        )

    assert printed.split("\n") == ["answered True", "4 4", ""]
