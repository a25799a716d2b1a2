"""People by number: a seed gives somebody who might be met, the same on every machine."""

import numpy as np

from fer_zoo.faces.appearance import HAIR_COLOURS, IRIS_COLOURS
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.face_words import Face
from fer_zoo.faces.priors.settings import PeoplePrior

MOST_DEVIATIONS = 2.0  # of each mode: beyond, faces are caricatures
_DARK = 0.55  # of skin, from which hair and eyes are dark
_OLD = 0.8  # of the mode `age`, from which hair may be grey
_LESS_OFTEN = {"bald": 0.4, "receding": 0.6}  # than the other hair cuts
_FEMALE_CUTS, _MALE_CUTS = ("long", "bob"), ("bald", "receding", "cropped")  # not worn where `sex` says otherwise


def random_face(model: FaceModel, seed: int, prior: PeoplePrior | None = None) -> Face:
    """Somebody; modes are normal, cut at two deviations, but for `sex`.

    Beards and bald heads are men's where the model has sexes.

    Args:
        model: whose people they are.
        seed: who it is: under another prior somebody who deviates in the same directions.
        prior: how much people differ; by default as usual.
    """
    prior = prior or PeoplePrior()
    generator = np.random.Generator(np.random.Philox(seed))
    drawn = prior.spread * generator.standard_normal(model.num_identity).clip(-MOST_DEVIATIONS, MOST_DEVIATIONS)
    identity = dict(zip(model.identity_names, map(float, drawn), strict=True))
    if "sex" in identity:  # which people show more clearly than anything else
        identity["sex"] = float(generator.choice([-1.0, 1.0]) * generator.uniform(0.5, 1.5))
    is_male = identity.get("sex", 1.0) > 0
    styles = {
        mode: _drawn(generator, {style.name: _weight(mode, style.name, identity, is_male) for style in choices})
        for mode, choices in model.styles.items()
    }
    skin = prior.lightest + (prior.darkest - prior.lightest) * float(generator.beta(1.1, 1.6))
    return Face(
        identity=identity,
        styles=styles,
        skin=skin,
        make_up=0.0 if is_male else float(generator.uniform(0, prior.make_up)),
        colours={
            "hair_colour": _drawn(generator, {name: _hair_weight(name, skin, identity) for name in HAIR_COLOURS}),
            "iris": _drawn(
                generator, {name: float(skin < _DARK or name in ("brown", "dark")) for name in IRIS_COLOURS}
            ),
        },
    )


def _weight(mode: str, choice: str, identity: dict[str, float], is_male: bool) -> float:
    if mode == "beard":
        return float(choice == "none") if not is_male else 3.0 if choice == "none" else 1.0
    if mode == "hair" and "sex" in identity and choice in (_FEMALE_CUTS if is_male else _MALE_CUTS):
        return 0.0
    return _LESS_OFTEN.get(choice, 1.0)


def _hair_weight(colour: str, skin: float, identity: dict[str, float]) -> float:
    if colour == "grey":
        return 3.0 if identity.get("age", 0.0) > _OLD else 0.2
    return float(skin < _DARK or colour in ("black", "brown"))


def _drawn(generator: np.random.Generator, weights: dict[str, float]) -> str:
    total = sum(weights.values())
    return str(generator.choice(list(weights), p=[weight / total for weight in weights.values()]))
