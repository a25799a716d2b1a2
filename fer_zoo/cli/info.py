"""Say everything about one method, data set, face model, weights, protocol, metric, label space, experiment or
recipe.

fer-zoo info NAME

  fer-zoo info timm_classifier
  fer-zoo info facial_expressions
  fer-zoo info emotion/raf --json
  fer-zoo info procedural

--json prints the same as JSON.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.catalogue import KINDS, rows_of
from fer_zoo.cli.output import cell, print_facts, print_heading, print_json, print_rows
from fer_zoo.core.cards import DatasetCard, FaceModelCard, MethodCard, Paper, Terms
from fer_zoo.core.errors import UserError, nearest
from fer_zoo.core.label_spaces import LabelSpace, label_space
from fer_zoo.core.paths import data_roots
from fer_zoo.core.registry import DATASETS, METHODS
from fer_zoo.core.settings import describe_settings
from fer_zoo.faces.open import face_model_card, folder_name, found_folder, has_files, how_to_get, known_face_model

# What is asked for most and imported fastest comes first.
_ORDER = (
    "methods",
    "datasets",
    "face_models",
    "weights",
    "label_spaces",
    "protocols",
    "experiments",
    "recipes",
    "metrics",
)


def run(command: Command) -> int:
    """Prints what is known about a name."""
    command.allow_flags("--json")
    command.options()
    name = command.one_name("name", "`fer-zoo list` shows them.")
    kind, facts = facts_of(name)
    if "--json" in command.flags:
        print_json({"kind": kind, **facts})
        return 0
    print_heading(f"{name}: {facts.get('summary') or _WORD[kind]}", is_first=True)
    print_facts({_title(key): cell(value) for key, value in facts.items() if _is_line(key, value)})
    for key, value in facts.items():
        if isinstance(value, (list, Mapping)) and value:
            print_heading(_title(key) + (f", written {_WRITTEN[kind]}" if key == "settings" else ""))
            _print_entries(value, numbered=key in _NUMBERED)
    return 0


def facts_of(name: str) -> tuple[str, dict[str, Any]]:
    """Of what kind a name is, and all that is known about it: plain values, also for the pages of the docs.

    Raises:
        UserError: if nothing has that name, with near misses.
    """
    kind = _kind_of(name)
    return kind, _FACTS.get(kind, _row_facts(kind))(name)


_WRITTEN = {
    "methods": "method.KEY=VALUE",
    "datasets": "dataset.KEY=VALUE",
    "protocols": "protocol.KEY=VALUE",
    "experiments": "KEY=VALUE",
    "recipes": "KEY=VALUE",
}
_NUMBERED = ("entries",)  # whose place is a class number or a vector index
_WORD = {
    "methods": "a method",
    "datasets": "a data set",
    "face_models": "a face model",
    "label_spaces": "a label space",
    "protocols": "a protocol",
    "experiments": "an experiment",
    "recipes": "a recipe",
    "metrics": "a metric",
    "weights": "weights",
}


def _kind_of(name: str) -> str:
    known: list[str] = []
    for kind in _ORDER:
        names = [str(row["name"]) for row in rows_of(kind)]
        if name in names:
            return kind
        known += names
    if known_face_model(name) is not None:  # by the folder of its files
        return "face_models"
    if name.partition(":")[0] in known and ":" in name:  # some entries of a label space
        return "label_spaces"
    hint = nearest(name, known)
    if name in KINDS:
        hint = f" `fer-zoo list {name}` shows all of that kind."
    raise UserError(f"Nothing is named {name!r}.{hint} `fer-zoo list` shows what there is.")


def _method(name: str) -> dict[str, Any]:
    card: MethodCard = METHODS[name]
    chain = {"code": card.code, **({"weights": card.weights} if card.weights else {}), **card.pretraining}
    return {
        "name": name,
        "summary": card.summary,
        "paper": _paper(card.paper),
        "parameters": card.num_parameters,
        "commercial_use": card.commercial_use,
        "is_trained": card.trains,
        "example": _training(card),
        "licences": {part: _terms(terms) for part, terms in chain.items()},
        "recipe": next((row["how"] for row in rows_of("recipes") if row["name"] == name), {}),
        "outputs": [_output(label_space(space)) for space in card.label_spaces.values()],
        "departures_from_the_paper": list(card.departures),
        "settings": _settings(card.settings),
    }


def _dataset(name: str) -> dict[str, Any]:
    card: DatasetCard = DATASETS[name]
    return {
        "name": name,
        "summary": card.summary,
        "paper": _paper(card.paper),
        "licence": card.terms.licence,
        "commercial_use": card.commercial_use,
        "how_to_get_it": f"fer-zoo download {name}" if card.downloads else card.ask,
        "where_from": card.ask if card.downloads else "",
        "protocol": card.protocol,
        "official_split": card.official_split,
        "example": _check(card),
        "images_are_face_crops": card.is_cropped,
        "label_spaces": dict(card.targets),
        "expected": dict(card.expected),
        "traps": list(card.traps),
        "settings": _settings(card.settings),
    }


def _face_model(name: str) -> dict[str, Any]:
    card = face_model_card(name)
    return {
        "name": card.name,
        "summary": card.summary,
        "paper": _paper(card.paper),
        "licence": card.terms.licence,
        "commercial_use": card.commercial_use,
        "files": _files(card),
        "where_from": card.ask,
        "example": f"fer-zoo render face_model={card.name} smile=.8 yaw=20",
        **_inside(card),
        "traps": list(card.traps),
    }


def _files(card: FaceModelCard) -> str:
    """Where the files of a face model are, or what to do."""
    if not has_files(card):
        return "none: made by code alone"
    if (folder := found_folder(card)) is not None:
        return str(folder)
    looked = ", ".join(map(str, data_roots(folder_name(card))))
    return f"not found: looked for the folder {looked}. {how_to_get(card)}"


def _inside(card: FaceModelCard) -> dict[str, Any]:
    """What a face model has, as far as its files are there; building it takes seconds."""
    if has_files(card) and found_folder(card) is None:
        return {}
    from fer_zoo.faces.actions import SLIDER_ACTIONS
    from fer_zoo.faces.face_model import ACTIONS
    from fer_zoo.faces.face_words import ALIASES, COLOURS, EMOTIONS
    from fer_zoo.faces.open import open_face_model

    model = open_face_model(card.name)
    return {
        "vertices": model.num_vertices,
        "triangles": len(model.triangles),
        "identity_modes": model.num_identity,
        "actions": ", ".join(ACTIONS),
        "emotions": ", ".join(EMOTIONS),
        "modes": ", ".join(model.identity_names),
        "styles": {mode: [style.name for style in choices] for mode, choices in model.styles.items()},
        "colours": {name: list(choices) for name, choices in COLOURS.items()},
        "sliders": {slider: list(actions) for slider, actions in SLIDER_ACTIONS.items()},
        "words": {word: list(actions) for word, actions in ALIASES.items()},
    }


def _weights(name: str) -> dict[str, Any]:
    from fer_zoo.cli.weight_facts import facts_of_weights

    return facts_of_weights(name)


def _space(name: str) -> dict[str, Any]:
    space = label_space(name)
    return {
        "name": name,
        "summary": f"{len(space)} {space.kind} of target {space.target}",
        "target": space.target,
        "holds": space.kind,
        "unit": space.unit,
        "range": "" if space.kind == "classes" else f"{space.minimum:g} to {space.maximum:g}",
        "entries": list(space.entries),
        "native_spellings": dict(space.codes),
    }


def _protocol(name: str) -> dict[str, Any]:
    from fer_zoo.data.protocols import PROTOCOLS
    from fer_zoo.engine.config_files import protocol_file

    section = protocol_file(name)
    protocol = PROTOCOLS[section["name"]]
    rows = _settings(protocol.settings)
    for row in rows:
        row["default"] = section.get(row["name"], row["default"])
    return {"name": name, "summary": protocol.summary, "unit_of_exclusion": protocol.unit, "settings": rows}


def _row_facts(kind: str) -> Callable[[str], dict[str, Any]]:
    """The facts that `list --json` has, for kinds about which no more is known."""
    return lambda name: next(dict(row) for row in rows_of(kind) if row["name"] == name)


_FACTS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "methods": _method,
    "datasets": _dataset,
    "face_models": _face_model,
    "weights": _weights,
    "label_spaces": _space,
    "protocols": _protocol,
}


def _training(card: MethodCard) -> str:
    """A command that trains the method: on data that exist, else on the user's own."""
    known = (DATASETS[name] for target in card.targets[:1] for name in DATASETS.names(target=target))
    for data in sorted(known, key=_effort) if card.trains else ():
        words = data.examples.get(card.targets[0], "")
        return f"fer-zoo train method={card.name} dataset={data.name} {words}".rstrip()
    return ""


def _effort(card: DatasetCard) -> tuple[bool, bool]:
    """Data that anybody has come first, then those that must be asked for, then one's own."""
    return card.own_data, not (card.downloads or card.drawn)


def _check(card: DatasetCard) -> str:
    """A command that reads the data set."""
    words = next(iter(card.examples.values()), "").replace("dataset.", "")
    return f"fer-zoo check-data {card.name} {words}".rstrip()


def _paper(paper: Paper | None) -> str:
    return "" if paper is None else f"{paper.title}, {paper.venue} {paper.year} {paper.link}".rstrip()


def _terms(terms: Terms) -> str:
    return f"{terms.licence} (commercial use: {terms.commercial})"


def _output(space: LabelSpace) -> dict[str, Any]:
    """The columns that a prediction table has for a space."""
    is_class = space.kind == "classes"
    return {
        "label_space": space.name,
        "meaning": "name of the most probable class, and probabilities" if is_class else space.unit,
        "minimum": space.minimum,
        "maximum": space.maximum,
        "columns": [space.target, *(f"prob_{entry}" for entry in space.entries)] if is_class else list(space.entries),
    }


def _settings(cls: type[Any]) -> list[dict[str, Any]]:
    columns = ("name", "type", "default", "meaning")
    return [dict(zip(columns, row, strict=True)) for row in describe_settings(cls)]


def _title(key: str) -> str:
    return key.replace("_", " ")


def _is_line(key: str, value: Any) -> bool:
    """Whether a fact is shown as one line; name and summary stand in the heading."""
    return key not in ("name", "summary") and not isinstance(value, (list, Mapping))


def _print_entries(value: Any, *, numbered: bool) -> None:
    if isinstance(value, Mapping):
        print_facts({f"  {key}": cell(entry) for key, entry in value.items()})
    elif isinstance(value[0], Mapping):
        print_rows(value, list(value[0]), as_json=False)
    else:
        for number, entry in enumerate(value):
            print_facts({f"  {number if numbered else '-'}": str(entry)})
