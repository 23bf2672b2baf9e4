"""What every card has, whatever it is told: sections, and limits that are known."""

import re

from whyset.pipelines import CardFacts, CardSettings, RunFacts, render_card


def test_limits_are_told_even_where_nothing_else_is_known() -> None:
    text = render_card(CardFacts(), RunFacts(), CardSettings())

    limits = re.split(r"^## ", text.partition("\n## Limits\n")[2], flags=re.MULTILINE)[0]
    for run in (
        "no check sees whether a reason convinces",
        "Rows that a provider refused are missing",
        "no guarantee of behaviour: train a matched control",
        "20 % synthetic rows cost no general ability, and 40 % did",
    ):
        assert run in limits
