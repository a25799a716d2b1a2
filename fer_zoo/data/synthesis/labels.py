"""The index of drawn faces: everything that is known of each, no pixel."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.core.conditions import CONDITIONS, PREFIX
from fer_zoo.core.label_spaces import LabelSpace, label_space, label_spaces, own_space
from fer_zoo.core.landmarks import LANDMARK_COLUMNS
from fer_zoo.core.sample import subject_code
from fer_zoo.core.settings import build_settings
from fer_zoo.data.index import Index, clip_code, index_table
from fer_zoo.data.synthesis.blocks import face_model_of, image_name
from fer_zoo.data.synthesis.images import Drawing, DrawnImages
from fer_zoo.data.synthesis.settings import ASKED_LATER, EMOTION_SPACE, SynthesisSettings
from fer_zoo.faces.actions import ACTION_UNIT_NAMES, SLIDER_ACTIONS, action_units
from fer_zoo.faces.components import ExpressionComponents, expression_components
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.faces.priors.face_prior import DrawnFaces, draw_faces
from fer_zoo.geometry.rotations import rotated, rotation

# Where thirds of people part, and for the sexes halves: of the usual `PeoplePrior`, whatever is drawn, so that a face's
# group depends on no other face. Skin is Beta(1.1, 1.6), modes are normal with a deviation of .8.
_THIRDS: Mapping[str, tuple[float, ...]] = {
    "skin_tone": (0.2523, 0.5247),
    "age": (-0.3446, 0.3446),
    "sex": (0.0,),
    "build": (-0.3446, 0.3446),
}
_KEPT = 10_000  # samples of a table that is kept in memory: some 100 MB
_CHUNK = 256  # samples whose labels are made at once, always so many: last digits depend on it


def drawn_index(dataset: str, settings: SynthesisSettings) -> Index:
    """The index of the samples 0 … num_samples - 1; their images are drawn when they are read.

    Raises:
        UserError: for a wrong setting, or a face model whose files are not there.
    """
    table, drawing = with_asked(drawn_table(dataset, settings), settings), Drawing(settings)
    return Index(
        dataset=dataset,
        root=Path(),
        table=table,
        label_spaces=spaces_in(table, settings),
        is_cropped=True,
        found={"samples": len(table)},
        variant=f"drawn as needed, {settings.key}",
        images=DrawnImages(drawing),
        dense=drawing,
    )


def spaces_of(settings: SynthesisSettings) -> Mapping[str, LabelSpace]:
    """The label spaces of targets that do not depend on the people; of several face models those that mean the same."""
    names = {
        "au": settings.au_space,
        "blendshapes": "blendshapes/51",
        "expression": "expression/29",
        "pose": "pose/3",
        "landmarks": "landmarks/68",
        "face_parameters": f"face_parameters/{settings.face_model}",
    }
    if len(settings.heads) > 1:
        del names["expression"], names["face_parameters"]
    spaces = {target: label_spaces()[name] for target, name in names.items() if name in label_spaces()}
    if settings.expression == "emotions":
        return {"emotion": label_space(EMOTION_SPACE).only(settings.emotions.classes), **spaces}
    return spaces


def with_asked(table: pd.DataFrame, settings: SynthesisSettings) -> pd.DataFrame:
    """With what is asked for of a table that is the same for all who do not ask.

    That is the column `identity`, each person's code: no table that is kept holds it, and none has it unasked, as an
    index's fingerprint knows its columns. And action units in whole intensities.
    """
    if settings.identity:
        table = pd.concat([table, table["subject"].rename("identity")], axis=1)
    space = label_space(settings.au_space)
    if settings.whole_intensities and space.maximum > 1:
        table = table.assign(**{unit: table[unit].round() for unit in space.entries})
    return table


def spaces_in(table: pd.DataFrame, settings: SynthesisSettings) -> Mapping[str, LabelSpace]:
    """`spaces_of`, and where people are told apart the space of those in a table."""
    if not settings.identity:
        return spaces_of(settings)
    people = own_space("identity", table["identity"].unique(), where=f"{len(table)} drawn faces")
    return {**spaces_of(settings), "identity": people}


def drawn_table(dataset: str, settings: SynthesisSettings) -> pd.DataFrame:
    """The table of that index, before what is asked for."""
    settings.check()
    if settings.num_samples > _KEPT:
        return _made(dataset, settings, settings.key)
    usual = {name: getattr(SynthesisSettings(), name) for name in ASKED_LATER}
    return _kept(dataset, json.dumps(asdict(replace(settings, **usual))), settings.key).copy()


@lru_cache(maxsize=4)  # the stages of a recipe, a track and its checkpoint open the same faces again and again
def _kept(dataset: str, said: str, key: str) -> pd.DataFrame:
    """Of settings as text; whole numbers may have become floats in it, hence the key of those that were asked for."""
    return _made(dataset, build_settings(SynthesisSettings, json.loads(said), where="dataset"), key)


def _made(dataset: str, settings: SynthesisSettings, key: str) -> pd.DataFrame:
    chunks = []
    for start in range(0, settings.num_samples, _CHUNK):
        numbers = np.arange(start, start + _CHUNK)
        parts = [_chunk(dataset, own, key, numbers).iloc[places] for own, places in settings.by_head(numbers)]
        chunks.append(pd.concat(parts).sort_index())
    table = pd.concat(chunks, ignore_index=True)[: settings.num_samples]
    return table if len(settings.heads) == 1 else _meant_by_all(table, settings)


def _meant_by_all(table: pd.DataFrame, settings: SynthesisSettings) -> pd.DataFrame:
    """Without what each face model means in its own way; conditions that one has no word for are empty."""
    modes = {mode for head in settings.heads for mode in face_model_of(head).identity_names}
    names = [str(name) for name in table.columns]
    own = [name for name in names if name in modes or name in label_space("expression/29").entries]
    known = [name for name in names if name.startswith(PREFIX)]
    return table.drop(columns=own).assign(**{name: table[name].fillna("") for name in known})


def _chunk(dataset: str, settings: SynthesisSettings, key: str, numbers: np.ndarray) -> pd.DataFrame:
    """Of one face model; `key` is of the settings as they were asked for."""
    points = _landmarks_of(settings.face_model)
    drawn = draw_faces(points, settings, seed=settings.seed, numbers=numbers, size=settings.size)
    scenes = drawn.scenes
    turned = rotated(points.vertices(scenes.identity, scenes.actions, scenes.styles), rotation(scenes.angles))
    landmarks = scenes.camera.project(turned)[:, :2].permute(2, 0, 1).reshape(len(numbers), -1)
    return _columns(dataset, settings, key, numbers, drawn, landmarks.double().numpy())


@lru_cache(maxsize=2)
def _landmarks_of(face_model: str) -> FaceModel:
    return face_model_of(face_model).of_landmarks()


def _columns(
    dataset: str, settings: SynthesisSettings, key: str, numbers: np.ndarray, drawn: DrawnFaces, landmarks: np.ndarray
) -> pd.DataFrame:
    actions = drawn.scenes.actions.double()
    values = {**dict(zip(BLENDSHAPES_51.entries, actions.T.numpy(), strict=True)), **_units(settings, actions)}
    coefficients = _components(settings.face_model).coefficients(actions).float().clamp(-3, 3)  # ExpNet's bound
    values |= dict(zip(label_space("expression/29").entries, coefficients.T.double().numpy(), strict=True))
    yaw, pitch, roll = drawn.scenes.angles.double().T.numpy()
    values |= {"pose_pitch": pitch, "pose_yaw": yaw, "pose_roll": roll}
    values |= dict(zip(LANDMARK_COLUMNS, landmarks.T, strict=True))
    modes = face_model_of(settings.face_model).identity_names
    values |= dict(zip(modes, drawn.scenes.identity.double().T.numpy(), strict=True))
    if settings.expression == "emotions":
        values["emotion"] = np.array(settings.emotions.classes, dtype=object)[drawn.emotion]
    people = f"{settings.face_model}/{settings.seed}"
    return index_table(
        dataset,
        [image_name(key, number) for number in numbers.tolist()],
        subject=[subject_code(dataset, f"{people}/{person}") for person in drawn.person.tolist()],
        clip=[clip_code(dataset, f"{key}/{clip}") if settings.has_clips else "" for clip in drawn.clip.tolist()],
        frame=drawn.frame,
        source=settings.face_model,
        intensity=drawn.strength,
        skin_tone=drawn.skin,
        **_conditions(settings, numbers, drawn),
        **values,
    )


def _conditions(settings: SynthesisSettings, numbers: np.ndarray, drawn: DrawnFaces) -> dict[str, np.ndarray]:
    """The cell of a test grid, else the strength of an emotion; and thirds of what the face model has words for."""
    found: dict[str, np.ndarray] = settings.grid.levels(numbers)
    if settings.expression == "emotions" and not found:
        found["intensity"] = drawn.strength
    names = face_model_of(settings.face_model).identity_names
    modes = {name: drawn.scenes.identity[:, names.index(name)].double().numpy() for name in _THIRDS if name in names}
    for name, values in {**modes, "skin_tone": drawn.skin}.items():
        found[name] = np.array(CONDITIONS[name].levels, dtype=object)[np.digitize(values, _THIRDS[name])]
    return {f"{PREFIX}{name}": values for name, values in found.items()}


def _units(settings: SynthesisSettings, actions: torch.Tensor) -> dict[str, Float[np.ndarray, " b"]]:
    entries = label_space(settings.au_space).entries
    if settings.au_space == "au/genet23":
        places = {slider: [ACTIONS.index(name) for name in SLIDER_ACTIONS[slider]] for slider in entries}
        return {slider: actions[:, of].amax(dim=1).numpy() for slider, of in places.items()}
    found = dict(zip(ACTION_UNIT_NAMES, action_units(actions).T.numpy(), strict=True))
    return {entry: found[entry] for entry in entries}


@lru_cache(maxsize=2)
def _components(face_model: str) -> ExpressionComponents:
    """Of which only what turns actions into coefficients is kept.

    In doubles, rounded once: sums of floats differ from processor to processor, and fingerprints with them.
    """
    whole = expression_components(face_model_of(face_model))
    return replace(
        whole,
        offset=whole.offset[:0],
        basis=whole.basis[:0],
        mean_actions=whole.mean_actions.double(),
        from_actions=whole.from_actions.double(),
    )
