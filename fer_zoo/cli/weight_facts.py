"""Everything that is known about weights with a name, for `info`; no torch."""

from collections.abc import Mapping
from typing import Any

from fer_zoo.cli.catalogue import rows_of
from fer_zoo.core.files import read_record
from fer_zoo.engine.named_weights import CARD, said_score, scores_of, shipped_facts, shipped_weights


def facts_of_weights(name: str) -> dict[str, Any]:
    """What card and scores say of weights that ship, or the manifest of larger ones: plain values."""
    row = next(dict(row) for row in rows_of("weights") if row["name"] == name)
    row.pop("scores")
    if name not in shipped_weights():
        return {**row, "example": f"fer-zoo predict photo.jpg checkpoint={name}"}
    folder = shipped_weights()[name]
    card, record = read_record(folder / CARD), scores_of(folder)
    facts, training, spec = shipped_facts(card), card.get("training", {}), card.get("input_spec", {})
    verb = "annotate photos/ output=points.csv" if "landmarks" in row["targets"] else "predict photo.jpg"
    trained = {"data_set": training.get("dataset", {}).get("name"), "samples": training.get("samples")}
    trained |= {"people": training.get("subjects"), "seed": training.get("seed"), **facts.get("made_by", {})}
    return {
        **row,
        "input": f"{spec.get('height')} x {spec.get('width')} pixels, {spec.get('colour')}, {spec.get('alignment')}",
        "example": f"fer-zoo {verb} checkpoint={name}",
        "licences": {part: _terms(terms) for part, terms in _chain(card).items()},
        "training": {key: value for key, value in trained.items() if value},
        "scores": [f"{said_score(score)}; {score.get('images', 0):,} images" for score in record["scores"]],
        "how_scored": [score["command"] for score in record["scores"] if score.get("command")],
        "speed": {key: value for key, value in record.get("speed", {}).items() if value},
        "half_precision_moves": facts.get("rounding", {}).get("largest_difference", {}),
        "outputs": [
            {
                "target": target,
                "label_space": space.get("name"),
                "unit": space.get("unit"),
                "size": len(space["entries"]),
            }
            for target, space in card.get("label_spaces", {}).items()
        ],
    }


def _chain(card: Mapping[str, Any]) -> dict[str, Any]:
    return {**card.get("licences", {}), **card.get("pretraining", {})}


def _terms(terms: Mapping[str, Any]) -> str:
    return f"{terms.get('licence')} (commercial use: {terms.get('commercial')})"
