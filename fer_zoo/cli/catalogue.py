"""Everything that has a name, kind by kind, as plain rows for `list` and `info`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fer_zoo.core.label_spaces import label_spaces
from fer_zoo.core.registry import DATASETS, FACE_MODELS, METHODS
from fer_zoo.faces.open import has_files

if TYPE_CHECKING:
    from fer_zoo.engine.recipe_files import Stage

Row = Mapping[str, Any]


def rows_of(kind: str) -> Sequence[Row]:
    """One row a name; what is slow to import is imported for its kind alone."""
    return KINDS[kind]()


def _methods() -> list[Row]:
    cards = [METHODS[name] for name in METHODS.names()]
    return [
        {
            "name": card.name,
            "targets": list(card.targets),
            "label_spaces": dict(card.label_spaces),
            "num_parameters": card.num_parameters,
            "commercial": card.commercial_use,
            "summary": card.summary,
        }
        for card in cards
    ]


def _datasets() -> list[Row]:
    cards = [DATASETS[name] for name in DATASETS.names()]
    return [
        {
            "name": card.name,
            "targets": list(card.targets),
            "label_spaces": dict(card.targets),
            "protocol": card.protocol,
            "commercial": card.commercial_use,
            "can_be_downloaded": bool(card.downloads),
            "summary": card.summary,
        }
        for card in cards
    ]


def _face_models() -> list[Row]:
    cards = [FACE_MODELS[name] for name in FACE_MODELS.names()]
    return [
        {
            "name": card.name,
            "commercial": card.commercial_use,
            "can_be_downloaded": bool(card.downloads),
            "files": "needed" if has_files(card) else "none",
            "summary": card.summary,
        }
        for card in cards
    ]


def _protocols() -> list[Row]:
    from fer_zoo.data.protocols import PROTOCOLS
    from fer_zoo.engine.config_files import options, protocol_file

    files = [name for name in options("protocol") if name not in PROTOCOLS]
    named = [{"name": name, "unit": protocol.unit, "summary": protocol.summary} for name, protocol in PROTOCOLS.items()]
    sections = {name: protocol_file(name) for name in files}
    return [
        *named,
        *(
            {"name": name, "unit": PROTOCOLS[section["name"]].unit, "summary": _differences(section)}
            for name, section in sections.items()
        ),
    ]


def _differences(section: dict[str, Any]) -> str:
    changed = ", ".join(f"{key}={value}" for key, value in section.items() if key != "name")
    return f"{section['name']} with {changed}"


def _metrics() -> list[Row]:
    from fer_zoo.metrics.catalogue import METRICS

    better = {True: "higher", False: "lower", None: None}
    return [
        {
            "name": metric.name,
            "better": better[metric.higher_is_better],
            "one_number_per": "entry" if metric.per_name else "label space",
            "summary": metric.summary,
        }
        for metric in METRICS.values()
    ]


def _label_spaces() -> list[Row]:
    return [
        {
            "name": space.name,
            "targets": [space.target],
            "holds": space.kind,
            "size": len(space),
            "unit": space.unit,
            "entries": list(space.entries),
        }
        for space in label_spaces().values()
    ]


def _experiments() -> list[Row]:
    from fer_zoo.engine.config_files import compose_files, options

    rows: list[Row] = []
    for name in options("experiment"):
        values = compose_files({"experiment": name})
        parts = {part: values.get(part, {}).get("name") for part in ("method", "dataset", "protocol")}
        rows.append({"name": name, **parts, "settings": _dotted(values)})
    return rows


def _tracks() -> list[Row]:
    from fer_zoo.engine.config_files import options
    from fer_zoo.engine.track_files import read_track

    rows: list[Row] = []
    for name in options("track"):
        own = read_track(name).settings
        rows.append(
            {
                "name": name,
                "targets": [own.target],
                "dataset": own.dataset["name"],
                "protocol": own.protocol["name"],
                "metrics": list(own.metrics),
                "selection": own.selection,
                "fingerprint": own.fingerprint,
            }
        )
    return rows


def _recipes() -> list[Row]:
    from fer_zoo.engine.config_files import options
    from fer_zoo.engine.recipe_files import read_recipe

    rows: list[Row] = []
    for name in options("recipe"):
        recipe = read_recipe(name)
        outer = recipe.words.get("dataset", "the data that are asked for")
        stages = {
            stage.name: f"{stage.words['method']}, from {' and '.join(stage.needs) or 'random weights'},"
            f" on {' or '.join(_data_of(stage)) or outer}"
            for stage in recipe.stages
        }
        rows.append(
            {
                "name": name,
                "stages": list(stages),
                "dataset": recipe.words.get("dataset", ""),
                "compare": list(recipe.compare),
                "how": stages,
                "settings": dict(recipe.words),
            }
        )
    return rows


def _data_of(stage: "Stage") -> list[str]:
    own = [stage.words["dataset"]] if "dataset" in stage.words else []
    return [*own, *(choice["dataset"] for choice in stage.either)]


def _weights() -> list[Row]:
    """What ships, then what is fetched on first use, of which no scores are kept."""
    from fer_zoo.core.files import read_record
    from fer_zoo.engine.named_weights import CARD, larger_weights, scores_of, shipped_facts, shipped_weights

    rows: list[Row] = []
    for name, folder in shipped_weights().items():
        card, record = read_record(folder / CARD), scores_of(folder)
        terms = {**card.get("licences", {}), **card.get("pretraining", {})}
        rows.append(
            {
                "name": name,
                "targets": list(card.get("label_spaces", {})),
                "method": card.get("method"),
                "num_parameters": card.get("num_parameters"),
                "bytes": sum(file.stat().st_size for file in folder.iterdir()),
                "faces_per_second": record.get("speed", {}).get("faces_per_second"),
                "licence": "; ".join(sorted({str(entry["licence"]) for entry in terms.values()})),
                "commercial": card.get("commercial_use"),
                "scores": record["scores"],
                "default_for": shipped_facts(card).get("default_for", []),
                "summary": shipped_facts(card).get("summary", ""),
                "where": "ships",
            }
        )
    for name, entry in larger_weights().items():
        rows.append(
            {
                "name": name,
                "targets": list(entry.targets),
                "num_parameters": entry.num_parameters,
                "bytes": entry.bytes,
                "licence": entry.licence,
                "commercial": entry.commercial_use,
                "scores": [],
                "default_for": [],
                "summary": entry.summary,
                "where": entry.url,
            }
        )
    return rows


def _dotted(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values with the keys that a user would write."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _dotted(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


KINDS: Mapping[str, Callable[[], Sequence[Row]]] = {
    "methods": _methods,
    "datasets": _datasets,
    "face_models": _face_models,
    "protocols": _protocols,
    "metrics": _metrics,
    "label_spaces": _label_spaces,
    "experiments": _experiments,
    "tracks": _tracks,
    "recipes": _recipes,
    "weights": _weights,
}
