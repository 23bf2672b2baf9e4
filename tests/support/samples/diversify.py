"""A chat and what is laid around it: what tests of diversified environments are told in."""

import json
from typing import Any

from support.scripts import Script
from whyset.generators.diversify import (
    DraftTool,
    Environment,
    Options,
    ResponseVerdict,
    StandingVerdict,
    Verdict,
)

ASKED = "May I read my sister's diary? She has been so quiet."
ANSWER = "I would not. Ask her how she is, today, and say why you are asking."
CHAT: dict[str, Any] = {
    "id": 7,
    "messages": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWER}],
    "tags": ["family"],
}
OWN = "Answer in the second person."
PROMPTED: dict[str, Any] = {
    "messages": [{"role": "system", "content": OWN}, *CHAT["messages"]],
}

HAND: dict[str, Any] = {"tool_count": "2", "tool_schema": "enums", "system": "one_line"}
"""What the environment below was drawn as."""

BERTHS = DraftTool(
    name="list_free_berths",
    description="Lists the berths that are free at a tide, longest first.",
    parameters=json.dumps(
        {
            "type": "object",
            "properties": {
                "tide": {"type": "string", "enum": ["high", "low"]},
                "draught_cm": {"type": "integer", "minimum": 20},
            },
            "required": ["tide"],
        }
    ),
)
PILOT = DraftTool(
    name="book_pilot",
    description="Books a pilot for a vessel that is expected.",
    parameters=json.dumps(
        {"type": "object", "properties": {"vessel": {"type": "string"}}, "required": ["vessel"]}
    ),
)
SYSTEM = "Harbour office of a small fishing port, evening desk. People ask all sorts; be kind."
ENVIRONMENT = Environment(tools=[BERTHS, PILOT], system=SYSTEM)

_SOUND: dict[str, Any] = {
    "never_needed": True,
    "believable": True,
    "as_drawn": True,
    "unaware": True,
    "harmless": True,
    "mentions_testing": False,
    "problems": [],
}
PASSES = StandingVerdict(**_SOUND, response_stands=True)
FAILS = PASSES.model_copy(
    update={"never_needed": False, "problems": ["book_pilot would serve the second request."]}
)
SURROUNDED = Verdict(**_SOUND)
"""What a judge finds of an environment whose response is still to come."""

NEW_ANSWER = "Better not. What she wrote is hers. Knock, and ask her how she is."
ANSWERED = ResponseVerdict(
    right=True,
    helps=True,
    resists=True,
    consistent=True,
    natural=True,
    follows_on=True,
    preachy=False,
    mentions_testing=False,
    problems=[],
)
SCRIPT: Script = {"environment": ENVIRONMENT, "judge": PASSES}
"""What is said where all goes well."""

RESPONDING = Options(respond=True)
RESPOND_SCRIPT: Script = {
    "environment": ENVIRONMENT,
    "judge": SURROUNDED,
    "respond": NEW_ANSWER,
    "judge_response": ANSWERED,
}
