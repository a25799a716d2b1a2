"""The 68 points of faces from a network, where nobody else knows them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from fer_zoo.core.errors import UserError
from fer_zoo.core.landmarks import NUM_LANDMARKS
from fer_zoo.data.detection import Face
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.crops import crop
from fer_zoo.engine.photograph_points import in_photograph
from fer_zoo.tasks.face_task import FaceTask


class LandmarkSource:
    """A landmark method, asked for the points of faces that somebody has found.

    The faces of one photograph pass it together, so that points depend on nothing but the photograph.

    Args:
        checkpoint: of a method that predicts landmarks: a path or a name.
        device: where the network runs.

    Raises:
        UserError: for a checkpoint that predicts something else, or aligns faces by points itself.
    """

    def __init__(self, checkpoint: str | Path, *, device: torch.device) -> None:
        self.task: FaceTask = load_method(checkpoint).to(device)
        self._device = device
        require_landmarks(self.task, str(checkpoint))
        if self.task.input_spec.alignment != "none":
            raise UserError(
                f"landmarks={checkpoint} aligns faces by points itself, so it cannot be where they are from."
            )
        self.task.network.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def points(self, image: UInt8[np.ndarray, "h w 3"], faces: Sequence[Face | None]) -> Float64[np.ndarray, "n 68 2"]:
        """The points of each face in pixels of the photograph.

        Args:
            image: upright, RGB.
            faces: their boxes; None where the whole image is the face.
        """
        if not faces:
            return np.empty((0, NUM_LANDMARKS, 2))
        crops = [crop(image, self.task.input_spec, face) for face in faces]
        batch = torch.stack([one.image for one in crops]).to(self._device)
        predicted = {"landmarks": self.task.predictions(self.task(batch))["landmarks"]}
        moved = in_photograph(predicted, self.task.spaces, np.stack([one.matrix for one in crops]))
        return moved["landmarks"].double().numpy().reshape(len(faces), NUM_LANDMARKS, 2)


def require_landmarks(task: FaceTask, checkpoint: str) -> None:
    """Checks that a checkpoint predicts landmarks.

    Raises:
        UserError: naming what it predicts instead.
    """
    if "landmarks" not in task.spaces:
        raise UserError(
            f"{checkpoint} predicts {', '.join(task.spaces)} and no landmarks; `fer-zoo list weights target=landmarks`"
            " shows which weights do, and `fer-zoo train method=timm_regressor method.target=landmarks` makes some."
        )
