"""The digest of a model's files, and the only code that reads them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.digests import digest_of, digest_of_bytes, digest_of_file
from dataops_platform.kit.errors import Refused, UsedWrongly, preview

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

MODEL_FILE = "model.skops"
TRUSTED_TYPES = (
    "functools.partial",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
"""Types outside skops' own list that a model may hold; all belong to scikit-learn or the standard library."""

VOLATILE = frozenset({"MLmodel", "registered_model_meta"})
"""Files with times and random ids. The rest of MLmodel (signature, flavors, loader) is digested separately."""

_RANDOM = frozenset({"artifact_path", "model_id", "model_size_bytes", "model_uuid", "run_id", "utc_time_created"})
"""The keys of MLmodel that describe one logging of a model, not the model."""


def artefact_digest(folder: Path) -> str:
    """Return the digest of a model's content: equal models of two processes have equal digests.

    One changed byte changes it. A skops file names its parts by memory addresses; these are renumbered in order of
    appearance before digesting.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    digests = {
        n: _skops_digest(p) if n.endswith(".skops") else digest_of_file(p)
        for n, p in named.items()
        if n not in VOLATILE
    }
    return digest_of([digests, _mlmodel(folder / "MLmodel")])


def refuse_other_files(folder: Path, digest: str) -> None:
    """Refuse a folder that does not hold the model with this digest. Executes and unpickles nothing.

    Raises: Refused DP-M001 for other content, DP-M021 for unreadable content, DP-M011 for links, whose targets could
    change.
    """
    links = [path.relative_to(folder).as_posix() for path in (folder, *folder.rglob("*")) if path.is_symlink()]
    if links:
        raise Refused("DP-M011", links=preview(links))
    try:
        found = artefact_digest(folder)
    except Exception as error:  # a parser may raise anything on bytes that somebody else wrote
        raise Refused(
            "DP-M021", reason=f"{type(error).__name__} {preview([error], width=100)}", recorded=digest[:19]
        ) from error
    if found != digest:
        raise Refused("DP-M001", recorded=digest[:19], found=found[:19])


def load_model(folder: Path, digest: str) -> BaseEstimator:
    """Return the model in a folder after its files were checked against `digest`; nothing is executed before the check.

    Raises: Refused DP-M001, DP-M021 or DP-M011 for other files, DP-M003 for a type that is not trusted.
    """
    refuse_other_files(folder, digest)
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.load(folder / MODEL_FILE, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as error:
        raise Refused("DP-M003", types=error) from error


def check_trusted(model: Any) -> None:
    """Refuse a model that could not be loaded again. Raises: UsedWrongly DP-M004 with the untrusted types."""
    import skops.io

    unknown = sorted(set(skops.io.get_untrusted_types(data=skops.io.dumps(model))) - set(TRUSTED_TYPES))
    if unknown:
        raise UsedWrongly("DP-M004", types=preview(unknown))


def refuse_untrusted(folder: Path) -> None:
    """Refuse a model file that names types that are not trusted. Reads only its schema.

    Raises: Refused DP-M003.
    """
    import skops.io

    unknown = sorted(set(skops.io.get_untrusted_types(file=folder / MODEL_FILE)) - set(TRUSTED_TYPES))
    if unknown:
        raise Refused("DP-M003", types=preview(unknown))


def _mlmodel(path: Path) -> Any:
    """Return MLflow's description of the model without the keys of one logging: time, place, run."""
    if not path.exists():
        return None
    import yaml

    return {key: value for key, value in yaml.safe_load(path.read_text()).items() if key not in _RANDOM}


def _skops_digest(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        parts = {name: digest_of_bytes(archive.read(name)) for name in archive.namelist() if name != "schema.json"}
        schema = json.loads(archive.read("schema.json"))
    numbers: dict[int, int] = {}
    return digest_of([_renumbered(schema, numbers, parts), sorted(parts.values())])


def _renumbered(node: Any, numbers: dict[int, int], parts: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _renumbered_item(key, value, numbers, parts) for key, value in sorted(node.items())}
    if isinstance(node, list):
        return [_renumbered(item, numbers, parts) for item in node]
    return node


def _renumbered_item(key: str, value: Any, numbers: dict[int, int], parts: dict[str, str]) -> Any:
    if key == "__id__":
        return numbers.setdefault(value, len(numbers))
    if key == "file" and isinstance(value, str):
        return parts.get(value, value)
    return _renumbered(value, numbers, parts)
