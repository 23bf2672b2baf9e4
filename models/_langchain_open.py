"""Opening a LangChain chat model by its name; the only module that imports `langchain`."""

import re
from typing import TYPE_CHECKING, Any

from langchain.chat_models import init_chat_model
from pydantic import ValidationError

from whyset.errors import ModelError

from ._langchain_keys import cannot_open, require_key

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_PACKAGE = re.compile(r"pip install `?([\w.\[\]-]+)")


def open_chat_model(
    spec: str, *, effort: str | None, base_url: str | None, timeout: float
) -> "BaseChatModel":
    """Return LangChain's model for `provider:model`, its own retries off.

    Args:
        spec: LangChain's name; a leading `langchain:` is left out.
        effort: How much reasoning to put into an answer.
        base_url: Where to send requests.
        timeout: Seconds for one attempt, where the class has a field for it.

    Raises:
        ModelError: The provider is unknown, its package is not installed, its key is missing,
            or its class cannot do what is asked. The message says what to type.
    """
    provider, colon, model = spec.removeprefix("langchain:").partition(":")
    if not (provider and colon and model):
        raise ModelError(
            f"{spec!r} is no chat model of LangChain's: write provider:model, such as "
            "openai:MODEL, or langchain:provider:model."
        )
    given = {} if base_url is None else {"base_url": base_url}
    probe = _init(spec, provider, model, given)
    known = type(probe).model_fields
    fields = {*known, *(field.alias for field in known.values() if field.alias)}
    if effort is not None and "reasoning_effort" not in fields:
        raise ModelError(f"{spec}: {type(probe).__name__} takes no effort; leave --effort out.")
    wanted: dict[str, Any] = {
        "max_retries": 0,
        "timeout": timeout,
        "reasoning_effort": effort,
    }
    # Clients are often made with the model, so what they should be like must be said at once.
    more = {name: value for name, value in wanted.items() if name in fields and value is not None}
    chat = _init(spec, provider, model, {**given, **more})
    require_key(spec, chat)
    return chat


def _init(spec: str, provider: str, model: str, options: dict[str, Any]) -> "BaseChatModel":
    try:
        chat: BaseChatModel = init_chat_model(model, model_provider=provider, **options)
    except ImportError as error:
        package = _PACKAGE.search(str(error))
        name = package[1] if package else f"langchain-{provider.replace('_', '-')}"
        raise ModelError(f"{spec} needs the package {name}: pip install {name}") from error
    except ValidationError as error:
        # Without the inputs: a key may be among them.
        said = "; ".join(found["msg"] for found in error.errors(include_input=False))
        raise ModelError(cannot_open(spec, said)) from None
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith("Unsupported provider"):
            known = str(error).rpartition(": ")[2]
            raise ModelError(
                f"{spec!r}: there is no provider {provider!r}. Anthropic's models go by "
                f"anthropic:MODEL, LangChain's providers by their names: {known}."
            ) from None
        raise ModelError(cannot_open(spec, str(error))) from error
    return chat
