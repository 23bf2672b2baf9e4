"""The retriever in a LangChain chain of your own: passages of a constitution into any prompt."""

from langchain_core.documents import Document
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough

from whyset.constitution import Constitution
from whyset.retriever import PassageRetriever

PROMPT = ChatPromptTemplate.from_messages(
    [
        (
            "system",
            "Answer from these passages; say so where they leave it open:\n\n{passages}",
        ),
        ("user", "{question}"),
    ]
)


def shown(documents: list[Document]) -> str:
    return "\n\n".join(
        f"[{' > '.join(found.metadata['path'])}]\n{found.page_content}" for found in documents
    )


def main() -> None:
    retriever = PassageRetriever.open(Constitution.charter(), k=3)
    chain = {"passages": retriever | shown, "question": RunnablePassthrough()} | PROMPT
    # Behind it comes any chat model: chain | init_chat_model("anthropic:claude-opus-5-5")
    for message in chain.invoke(
        "may I tell a white lie to spare somebody's feelings?"
    ).to_messages():
        print(f"--- {message.type}\n{message.text}\n")


if __name__ == "__main__":
    main()
