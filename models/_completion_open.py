"""Opening a completion model by its name; the only module that imports `langchain_openai`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from whyset.errors import ModelError

from ._langchain_keys import cannot_open, require_key

if TYPE_CHECKING:
    from langchain_core.language_models import BaseLLM

_PREFIX = "completion:"


@dataclass(frozen=True, slots=True)
class Opened:
    """A completion model, and what closes its connections."""

    llm: "BaseLLM"
    aclose: Callable[[], Awaitable[None]]


def open_completion_model(spec: str, *, base_url: str | None, timeout: float) -> Opened:
    """Open LangChain's completion model for `openai:NAME`, its own retries off.

    Args:
        spec: The name; a leading `completion:` is left out.
        base_url: Where to send requests.
        timeout: Seconds for one attempt.

    Raises:
        ModelError: The name is none, the package is not installed, or there is no key. The
            message says what to type.
    """
    provider, _, model = spec.removeprefix(_PREFIX).partition(":")
    spec = f"{_PREFIX}{provider}:{model}"
    if provider != "openai" or not model:
        raise ModelError(
            f"{spec!r} is no completion model: write completion:openai:NAME, for NAME on any "
            "server that speaks OpenAI's /v1/completions (OPENAI_BASE_URL says where), such as "
            "vLLM, llama.cpp or Ollama. From Python, give any BaseLLM of LangChain's."
        )
    try:
        import openai
        from langchain_openai import OpenAI
    except ImportError as error:
        raise ModelError(
            f"{spec} needs the package langchain-openai: pip install langchain-openai"
        ) from error
    options: dict[str, Any] = {} if base_url is None else {"base_url": base_url}
    # Clients of our own, since the class has no way to close the ones it makes.
    client = openai.DefaultHttpxClient(timeout=timeout)
    async_client = openai.DefaultAsyncHttpxClient(timeout=timeout)

    async def aclose() -> None:
        client.close()
        await async_client.aclose()

    try:
        llm = OpenAI(
            model=model,
            max_retries=0,
            timeout=timeout,
            http_client=client,
            http_async_client=async_client,
            **options,
        )
    except ValidationError as error:
        # Without the inputs: a key may be among them.
        said = "; ".join(found["msg"] for found in error.errors(include_input=False))
        raise ModelError(_cannot_open(spec, said)) from None
    except Exception as error:
        raise ModelError(_cannot_open(spec, str(error))) from error
    require_key(spec, llm)
    return Opened(llm, aclose)


def _cannot_open(spec: str, said: str) -> str:
    told = cannot_open(spec, said)
    if "OPENAI_API_KEY" in told:
        told += " A server of your own that asks for none takes any value."
    return told
