"""An export → a dataset on the hub. Only this module imports `huggingface_hub`."""

import re
from collections.abc import Sequence
from pathlib import Path

from whyset.errors import DatasetError

_HUB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


def check_hub_name(name: str) -> None:
    """Check, before anything is written, that it could be published afterwards.

    Raises:
        DatasetError: The name is none, or the library is not installed.
    """
    if not _HUB_NAME.fullmatch(name):
        raise DatasetError(f"--push-to-hub takes ORG/NAME, not {name!r}")
    try:
        import huggingface_hub  # noqa: F401  # Only to see whether it is there.
    except ImportError as error:
        raise DatasetError(
            "to publish on the hub needs huggingface_hub: pip install 'whyset[hub]'"
        ) from error


def upload_to_hub(folder: Path, names: Sequence[str], name: str, *, private: bool = True) -> str:
    """Upload files of a folder to a dataset on the hub, which is made where there is none.

    The token is the one that `hf auth login` keeps or `HF_TOKEN` holds. A dataset that is there
    already stays as public or as private as it is.

    Args:
        folder: The folder.
        names: The files in it; no others are uploaded.
        name: What the dataset is called, with its owner.
        private: Whether a new one is private.

    Returns:
        Where it is.

    Raises:
        DatasetError: The hub refuses, or does not answer.
    """
    check_hub_name(name)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi()
    try:
        where = api.create_repo(name, repo_type="dataset", private=private, exist_ok=True)
        api.upload_folder(
            repo_id=name,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=list(names),
            commit_message="Rows exported by whyset",
        )
    except HfHubHTTPError as error:
        raise DatasetError(_hub_error(name, error.response.status_code)) from error
    except (OSError, ValueError) as error:
        # Errors of the wire are named by kind alone: a message may hold an address with a key.
        raise DatasetError(
            f"{name}: cannot be published: {type(error).__name__}; everything is in the folder, "
            "and the same command tries again"
        ) from error
    return str(where)


def _hub_error(name: str, status: int) -> str:
    if status in {401, 403}:
        return (
            f"{name}: the hub refuses ({status}): log in with hf auth login, or set HF_TOKEN to a "
            "token that may write there"
        )
    return f"{name}: the hub answers {status}; everything is in the folder, publish it again later"
