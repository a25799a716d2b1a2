"""What `predict` is told, and the method, detector and points that this means."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.registry import METHODS
from fer_zoo.core.settings import setting
from fer_zoo.data.face_tables import FaceTable
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.expression_panels import is_drawable
from fer_zoo.engine.landmark_source import LandmarkSource
from fer_zoo.engine.named_weights import default_weights, weights_of_method
from fer_zoo.engine.predict import Predictor
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.open import open_face_model
from fer_zoo.tasks.face_task import FaceTask


@dataclass(frozen=True, kw_only=True)
class PredictSettings:
    """What predict does with its files."""

    checkpoint: str = setting(
        "",
        "the folder of a run or of a checkpoint, or a name of `fer-zoo list weights`; empty: the default for emotions",
    )
    method: str = setting("", "in place of checkpoint: the weights of this method that ship")
    output: str = setting("", "the table: .csv, .parquet or .json; without it the rows are printed")
    detector: str = setting("haar", "what finds the faces; none: every image is a face crop")
    boxes: str = setting(
        "", "your own boxes or landmarks in place of a detector: a .csv or .parquet table, or .pts files"
    )
    landmarks: str = setting(
        "", "weights that predict landmarks, for a checkpoint that aligns faces: a path or a name, as of checkpoint"
    )
    every: int = setting(1, "of a video, look at each frame whose number this divides", at_least=1)
    track: bool = setting(False, "number the faces of a video by their tracks, too")
    calibrated: bool = setting(False, "probabilities at the temperature that training fitted; answers stay the same")
    face_model: str = setting(
        "procedural",
        "of pictures: whose face shows predicted expressions, see `fer-zoo list face_models`; none: nobody's",
    )
    device: str = setting("auto", "where the network runs: auto, cpu, cuda or cuda:N")


def shown_model(settings: PredictSettings, spaces: Mapping[str, LabelSpace]) -> FaceModel | None:
    """The face model on which predicted expressions are drawn; None where there are none, or none is wanted.

    Raises:
        UserError: for an unknown model, or one whose files are not there.
    """
    if settings.face_model == "none" or not any(map(is_drawable, spaces.values())):
        return None
    return open_face_model(settings.face_model)


def open_predictor(settings: PredictSettings, task: FaceTask | None = None) -> Predictor:
    """The checkpoint's method with its detector or table of faces, on the device.

    Args:
        settings: without a checkpoint, the default weights for emotions are taken.
        task: in place of a checkpoint.

    Raises:
        UserError: for a device that is not here, a detector beside boxes, or what `load_method` and `FaceTable` raise.
    """
    device = settings.device.replace("gpu", "cuda")
    known = ["auto", "cpu", "cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if device not in known or (device == "cuda" and not torch.cuda.is_available()):
        here = ", ".join(known if torch.cuda.is_available() else known[:2])
        raise UserError(f"device is {device!r}; this machine has {here}.")
    if settings.boxes and settings.detector != PredictSettings.detector:
        raise UserError(
            f"boxes={settings.boxes} takes the place of a detector; leave detector={settings.detector} out."
        )
    place = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    if task is None:
        task = load_method(with_default(settings, "emotion").checkpoint, calibrated=settings.calibrated)
    source = LandmarkSource(settings.landmarks, device=place) if settings.landmarks else None
    spec = task.input_spec if source is None else source.task.input_spec  # whose boxes or points the table has
    return Predictor(
        task,
        detector_name=settings.detector,
        device=place,
        given=FaceTable(Path(settings.boxes), spec) if settings.boxes else None,
        landmarks=source,
        every=settings.every,
        track=settings.track,
    )


def with_default(settings: PredictSettings, target: str) -> PredictSettings:
    """The settings with shipped weights as checkpoint, where none is named: of the method, else of a target.

    Raises:
        UserError: if none ship, or both a method and a checkpoint are named.
    """
    method = settings.method
    if settings.checkpoint and method:
        raise UserError(f"checkpoint={settings.checkpoint} has a method of its own; leave method={method} out.")
    if settings.checkpoint:
        return settings
    if method and method not in METHODS.names():
        raise unknown_name("method", method, METHODS.names())
    name = weights_of_method(method) if method else default_weights(target)
    if name is None:
        raise UserError(
            f"No weights {f'of {method}' if method else f'that predict {target}'} ship with this copy of fer_zoo; say"
            " checkpoint=PATH, the folder of a run or of a checkpoint."
        )
    return replace(settings, checkpoint=name, method="")
