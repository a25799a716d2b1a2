"""Weights that are known by name: those that ship with the package, and larger ones that a manifest names.

Nothing here imports torch, so that listing them stays light.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fer_zoo
from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_record
from fer_zoo.core.paths import cache_folder
from fer_zoo.core.settings import build_settings, setting

FOLDER = Path(fer_zoo.__file__).parent / "weights"  # a folder each
CARD, SCORES, MANIFEST = "card.json", "scores.json", "manifest.yaml"
SHIPPED = "shipped"  # what a card says besides, since its checkpoint was packed
MOST_BYTES, MOST_PARAMETERS = 4_000_000, 2_000_000  # of weights that ship

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(kw_only=True)
class LargerWeights:
    """An entry of the manifest."""

    summary: str = setting("", "one line")
    url: str = setting("", "of the archive, http or https")
    sha256: str = setting("", "of the archive, 64 hex digits")
    bytes: int = setting(0, "size of the archive", at_least=1)
    num_parameters: int = setting(0, "scalars that were learned", at_least=1)
    targets: list[str] = setting([], "what they predict")
    licence: str = setting("", "of the weights")
    commercial_use: str = setting("ask", "the strictest of the chain", choices=("yes", "no", "ask"))


def is_name(text: str) -> bool:
    """Whether weights may be called so: snake_case."""
    return _NAME.fullmatch(text) is not None


def shipped_weights() -> dict[str, Path]:
    """Name -> folder of the weights that came with the package, found by walking."""
    if not FOLDER.is_dir():
        return {}
    return {folder.name: folder for folder in sorted(FOLDER.iterdir()) if (folder / CARD).is_file()}


def larger_weights() -> dict[str, LargerWeights]:
    """Name -> entry of the weights that are fetched on first use.

    Raises:
        UserError: if the manifest is damaged.
    """
    import yaml

    path = FOLDER / MANIFEST
    try:
        values: Any = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (yaml.YAMLError, OSError, ValueError) as error:
        raise UserError(f"{path} is no manifest of weights ({str(error).splitlines()[0]}).") from error
    if not isinstance(values, dict) or not all(isinstance(entry, dict) for entry in values.values()):
        raise UserError(f"{path} is no manifest of weights: names with entries were expected.")
    found = {str(name): build_settings(LargerWeights, entry, where=str(name)) for name, entry in values.items()}
    for name, entry in found.items():
        if not is_name(name) or name in shipped_weights() or not _SHA256.fullmatch(entry.sha256):
            raise UserError(f"{path}: {name} needs a new name in snake_case and a sha256 of 64 hex digits.")
    return found


def weights_names() -> list[str]:
    """All names, in order."""
    return sorted([*shipped_weights(), *larger_weights()])


def weights_folder(name: str) -> Path | None:
    """The checkpoint folder of that name, downloaded where it is a larger one; None where nothing has the name.

    The name of a method means the weights of it that ship.

    Raises:
        UserError: if it cannot be had whole.
    """
    if not is_name(name):
        return None
    if (shipped := shipped_weights().get(name)) is not None:
        return shipped
    if (entry := larger_weights().get(name)) is not None:
        return _fetched(name, entry)
    of_method = weights_of_method(name)
    return None if of_method is None else shipped_weights()[of_method]


def is_named(folder: Path) -> bool:
    """Whether a checkpoint folder is that of a name, beside which nothing is to be written."""
    place = folder.resolve()
    return place.parent == FOLDER.resolve() or _kept_in().resolve() in place.parents


def default_weights(target: str) -> str | None:
    """The shipped weights that are meant where a target is asked for and no checkpoint is named.

    Raises:
        UserError: if a card among them is damaged.
    """
    for name, folder in shipped_weights().items():
        if target in shipped_facts(read_record(folder / CARD)).get("default_for", []):
            return name
    return None


def weights_of_method(method: str) -> str | None:
    """The first shipped weights of a method; those that are a default come before others.

    Raises:
        UserError: if a card among them is damaged.
    """
    cards = {name: read_record(folder / CARD) for name, folder in shipped_weights().items()}
    own = [name for name, card in cards.items() if card.get("method") == method]
    return min(own, key=lambda name: not shipped_facts(cards[name]).get("default_for"), default=None)


def shipped_facts(card: Mapping[str, Any]) -> dict[str, Any]:
    """What a card says besides, since it was packed: summary, `default_for`, `made_by`; {} of other cards."""
    facts = card.get(SHIPPED, {})
    return dict(facts) if isinstance(facts, Mapping) else {}


def scores_of(folder: Path) -> dict[str, Any]:
    """The recorded scores and speed of named weights; empty where there are none, or where they are of other weights.

    Raises:
        UserError: if the record or the card is damaged.
    """
    if not (folder / SCORES).is_file():
        return {"scores": []}
    found = read_record(folder / SCORES)
    if found.get("weights_sha256") != read_record(folder / CARD).get("weights_sha256"):
        return {"scores": []}
    rows = found.get("scores")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and _is_score(row) for row in rows):
        raise UserError(f"{folder / SCORES} is damaged: its scores are no such thing.")
    return found


def _is_score(row: Mapping[str, Any]) -> bool:
    metrics = row.get("metrics")
    if not isinstance(row.get("on"), str) or not isinstance(metrics, Mapping) or not metrics:
        return False
    return all(isinstance(m, Mapping) and isinstance(m.get("value"), int | float) for m in metrics.values())


def said_score(row: Mapping[str, Any]) -> str:
    """A score in words: "facial_expressions: mean_class_accuracy 0.312 [0.30, 0.33]", its first metric."""
    name, metric = next(iter(row["metrics"].items()))
    interval = f" [{metric['low']:.2f}, {metric['high']:.2f}]" if metric.get("low") is not None else ""
    return f"{row['on']}: {name} {metric['value']:.3f}{interval}"


def about_default(name: str) -> str:
    """The line that `predict` says of weights that nobody named: which they are, and what photographs say of them."""
    folder = shipped_weights()[name]
    facts = shipped_facts(read_record(folder / CARD))
    own = [said_score(row) for row in scores_of(folder)["scores"] if row.get("photographs")]
    said = f"on photographs, {'; '.join(own)}" if own else "never scored on photographs"
    return f"checkpoint: {name}, which ships with fer_zoo ({facts.get('summary', '')}); {said}"


def _kept_in() -> Path:
    return cache_folder() / "weights"


def _fetched(name: str, entry: LargerWeights) -> Path:
    """The folder in the cache, filled where it is not; another archive of the name has another place.

    Of an archive that is no checkpoint nothing is left.
    """
    folder = _kept_in() / entry.sha256[:12] / name
    if (folder / CARD).is_file():
        return folder
    from filelock import FileLock

    from fer_zoo.core.download import download, unpack

    archive = folder.parent / f"{name}.archive"
    download(entry.url, archive, entry.sha256)
    with FileLock(folder.parent / ".lock"):  # of several processes one unpacks
        if (folder / CARD).is_file():
            return folder
        try:
            shutil.rmtree(folder, ignore_errors=True)  # without a card it is nothing
            unpack(archive, folder)
            if not (folder / CARD).is_file():
                shutil.rmtree(folder)
                raise UserError(
                    f"The archive of {name} ({entry.url}) holds no {CARD} at its top, so it is no checkpoint: tell who"
                    " offers it."
                )
        finally:
            archive.unlink(missing_ok=True)
    return folder
