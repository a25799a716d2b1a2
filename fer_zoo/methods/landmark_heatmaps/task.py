"""Task of landmark_heatmaps."""

from collections.abc import Mapping

from torch import Tensor

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.landmarks import NUM_LANDMARKS
from fer_zoo.losses.select import regression_loss
from fer_zoo.methods.landmark_heatmaps.card import LandmarkHeatmapsSettings
from fer_zoo.methods.landmark_heatmaps.network import HeatmapNetwork
from fer_zoo.tasks.face_task import FaceTask
from fer_zoo.tasks.objectives import Objective, number_objective


class LandmarkHeatmaps(FaceTask):
    """Points relative to the input."""

    settings: LandmarkHeatmapsSettings

    def __init__(self, settings: LandmarkHeatmapsSettings, spaces: Mapping[str, LabelSpace]) -> None:
        size = settings.image_size
        super().__init__(
            settings,
            network=HeatmapNetwork(
                backbone=settings.backbone, stride=settings.stride, width=settings.width, num_points=NUM_LANDMARKS
            ),
            spaces={"landmarks": spaces["landmarks"]},
            input_spec=InputSpec(
                height=size, width=size, crop_scale=settings.crop_scale, colour="grey", mean=(0.5,), std=(0.25,)
            ),
        )

    def heads(self) -> dict[str, str]:
        """The layer over all points."""
        return {"landmarks": "points"}

    def build_objectives(self, class_counts: Mapping[str, Tensor]) -> tuple[Objective, ...]:
        """One objective: the points."""
        return (number_objective(self.spaces["landmarks"], regression_loss(self.settings), self.input_spec),)
