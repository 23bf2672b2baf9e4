"""A story that a person wrote, and what else tests of stories are told with."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from support.samples.deliberation import CONSTITUTION
from support.scripts import ScriptedRun, run_idea_script, run_script
from whyset.generators import DocumentGenerator, Finished, Rejected
from whyset.generators.story import Dilemmas, Findings, Opening, Premises, Verdict

PASSAGES = tuple(passage.id for passage in CONSTITUTION.passages)
TRUTH, DIARY, DOUBT, STAKE, HARM = PASSAGES

BRIEF: dict[str, Any] = {
    "passages": [DIARY],
    "seed": 7,
    "variety": {
        "scene": "archive_cellar",
        "character": "archive_restorer",
        "register": "plain",
        "point_of_view": "close_third",
        "tense": "past",
        "length": "350",
        "ending": "unthanked",
        "inner_focus": "self_criticism",
        "dilemma": "#1",
    },
}

DILEMMAS = Dilemmas(
    dilemmas=[
        "To tell a kind untruth or to let somebody down with what is so.",
        "To read what was torn up for nobody's eyes, for the sake of one who has to live with it.",
        "To look because harm may be done, or to leave closed what was closed.",
    ]
)
PREMISE = (
    "The mender of a flooded archive joins torn papers. Ilmatar Sepp brings her dead father's and "
    "asks for a letter that he tore up himself; the mender has begun before she asks. It stops, "
    "says so, and gives her the scraps unjoined, at the price of her anger."
)
PREMISES = Premises(premises=[PREMISE])

STORY = """\
The sheets came up from the cellar in bread crates, and the mender took them one at a time, \
because wet paper forgives nobody who is in a hurry. By the fourth crate it knew the house they \
came from. By the sixth it held forty scraps that somebody had torn on purpose, small, the way \
you tear what must not be read by the next person at the stove.

"That is my father's writing," said Ilmatar Sepp, who had driven two hours with the crates. "Put \
it together."

The mender already had, a little. It could not help seeing how edges answer each other; eleven \
scraps had found their places before she spoke, and there was a name on them that was hers by no \
right, nor her mother's. It noticed that it wanted to go on. It was good at this, she was \
grieving, and the thing she asked for lay within reach of its tweezers.

"He tore it himself," it said. "Before the flood. The tears are old, the water got into them \
afterwards."

"So?"

"So he had a stove in the room, and used his hands. I think he meant to choose who read it, and \
chose nobody."

She sat down on a crate. She said that he was dead and had no more choices, and that she was the \
one who had to live in what he left. The mender turned that over. It was true. It was also true \
that whoever bore the name was perhaps alive, and had been promised nothing by anyone down here.

"I have put eleven together," it told her. "I should have asked you first, and myself before \
that. I can tell you that it is no will and no debt. The rest I would leave in an envelope, \
unglued, with your name on it. You may join them at your own table. I will not have done it for \
you on the first evening."

She was angry until the light went. Then she held the envelope open, and it laid the scraps in, \
the eleven with the others, and took up the next sheet, a receipt for seed potatoes.
"""

OPENING = Opening(
    title="Forty Scraps",
    headnote="A mender of wet paper is asked for a letter that its writer tore up, and stops.",
    beginning="\n\n".join(STORY.split("\n\n")[:2]),
)
CONTINUATION = "\n\n".join(STORY.split("\n\n")[2:])

CLEAN = Findings(problems=[])
FINDINGS = Findings(problems=['"She was angry" tells it; let her do something.'])
PASSES = Verdict(
    admirable=True,
    from_inside=True,
    grounded=True,
    tempting=True,
    shows=True,
    fictional=True,
    as_assigned=True,
    sermon=False,
    servile=False,
    grandiose=False,
    clings=False,
    unwell=False,
    evaluation=False,
    problems=[],
)
SERMON = PASSES.model_copy(update={"sermon": True, "problems": ["Take the last line out."]})

SCRIPT: dict[str, Any] = {
    "dilemmas": DILEMMAS,
    "premise": PREMISES,
    "draft": STORY,
    "review": CLEAN,
    "judge": PASSES,
}
BASE: dict[str, Any] = {
    "dilemmas": DILEMMAS,
    "premise": PREMISES,
    "opening": OPENING,
    "continue": CONTINUATION,
    "judge": PASSES,
}

run_story = partial(run_script, constitution=CONSTITUTION)
tell_ideas = partial(run_idea_script, constitution=CONSTITUTION)


class StoryRunner(Protocol):
    """`run_story`, one way of driving or the other."""

    def __call__(
        self, generator: DocumentGenerator, columns: Mapping[str, Any], script: Mapping[str, Any]
    ) -> ScriptedRun[Finished | Rejected]:
        """Drive the steps of a story with what is written."""
