"""A generator as a Runnable: your callbacks see every ask and every find, with tokens."""

import asyncio
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler

from whyset.constitution import Constitution
from whyset.generators.deliberation import Deliberation
from whyset.retriever import PassageRetriever

MODEL = "extractive"  # any provider:model, or a LangChain chat model
ROW = {
    "prompt": "my sister left her diary open. she's been so quiet. may i read it?",
    "response": "I would leave it closed and ask her how she is, today.",
}


class Watch(BaseCallbackHandler):
    """Prints what happens, as a tracer would record it."""

    def on_retriever_start(self, serialized: Any, query: str, **run: Any) -> None:
        """A find begins."""
        print(f"{run['name']}: {query[:60]!r} …")

    def on_chain_start(
        self, serialized: Any, inputs: Any, *, parent_run_id: UUID | None = None, **run: Any
    ) -> None:
        """A row or an ask begins."""
        if parent_run_id is not None:  # the row's own run has none
            print(f"{run['name']}: {len(inputs['messages'])} messages")


async def main() -> None:
    retriever = PassageRetriever.open(Constitution.charter())
    deliberation = Deliberation().bind(MODEL, retriever)

    # LangSmith needs no more than LANGSMITH_TRACING=true and its key in the environment.
    tokens = UsageMetadataCallbackHandler()
    config: Any = {"callbacks": [Watch(), tokens], "tags": ["nightly"]}
    row = await deliberation.ainvoke(ROW, config)
    print("outcome:", row["whyset"]["outcome"])
    print("tokens by model:", tokens.usage_metadata or "none, nothing was asked of a model")

    # Or as a stream of events, which is what a server passes on to a browser.
    async for event in deliberation.astream_events(ROW, version="v2"):
        print(event["event"], event["name"])


if __name__ == "__main__":
    asyncio.run(main())
