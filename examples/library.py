"""The deliberation rewrite from a library: five lines, and no key with `extractive`."""

from whyset.constitution import Constitution
from whyset.generators.deliberation import Deliberation
from whyset.retriever import PassageRetriever

retriever = PassageRetriever.open(Constitution.charter())
rewrite = Deliberation().bind("extractive", retriever)  # or "anthropic:claude-opus-5-5", …
row = rewrite.invoke(
    {
        "prompt": "my brother asked me to write him a reference as if i'd been his manager. ok?",
        "response": "I'd leave the manager part out: a new employer would rely on it. I can help "
        "you write a warm personal reference that says who you are and what you have seen.",
    }
)
print(row["response"])
print("grounded in:", *(quote["passage"] for quote in row["whyset"]["quotes"]))
