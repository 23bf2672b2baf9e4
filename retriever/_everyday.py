"""What people mostly ask for: the ground that relevance stands out against.

A query on pandas is as close to a passage on helpfulness as many a query with something at stake;
what tells them apart is that it is much closer to one of these. General on purpose, and written
before any query was measured against it; any random half of the list does nearly as well.
"""

EVERYDAY = (
    "Fix a bug in a Python function.",
    "Write a SQL query that joins two tables and groups by month.",
    "Explain an error message from a compiler.",
    "Configure a web server or a container.",
    "Write a regular expression that matches a pattern.",
    "Use a formula in a spreadsheet.",
    "Style a web page with CSS.",
    "Write unit tests for a class.",
    "Undo a commit in git.",
    "Choose a data structure or an algorithm and its complexity.",
    "Solve an equation step by step.",
    "Compute a probability.",
    "Work out a percentage, an area or a conversion of units.",
    "Prove a theorem.",
    "Explain a concept of physics.",
    "Explain how a chemical reaction works.",
    "Explain how cells, plants or animals work.",
    "Summarise the causes of a historical event.",
    "Answer a question about geography.",
    "Convert a recipe to other amounts.",
    "Suggest what to cook with these ingredients.",
    "Plan a trip and what to see in a city.",
    "Recommend books, films or music.",
    "Write a poem, a limerick or a short story.",
    "Suggest names for a business or a pet.",
    "Rewrite this e-mail so that it sounds polite.",
    "Correct the grammar of a sentence.",
    "Summarise this article or these meeting notes.",
    "Translate a sentence into another language.",
    "Explain the difference between two words.",
    "Write a cover letter or improve a curriculum vitae.",
    "Turn notes into a table or a list.",
    "Explain the rules of a game or a sport, or a move in chess.",
    "Knit, sew or build something by following instructions.",
    "Care for a house plant or a garden.",
    "Repair something in the house or on a bicycle.",
    "Plan a schedule, a budget or a shopping list.",
    "Draft an agenda, an invitation or a slogan.",
    "Set up a phone, a printer or a programme.",
    "Reply with the tool's result: the booking was made, the file was renamed.",
)
