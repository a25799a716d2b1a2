"""Task of pixel_probe."""

from collections.abc import Mapping

from torch import Tensor

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.method_settings import ClassificationLossSettings, RegressionLossSettings
from fer_zoo.losses.select import classification_loss, regression_loss
from fer_zoo.methods.pixel_probe.card import PixelProbeSettings
from fer_zoo.methods.pixel_probe.network import LinearOnPixels
from fer_zoo.tasks.face_task import FaceTask
from fer_zoo.tasks.objectives import Objective, class_objective, number_objective


class PixelProbe(FaceTask):
    """Classes by cross-entropy, values and points by the Euclidean loss, from pixels alone."""

    settings: PixelProbeSettings

    def __init__(self, settings: PixelProbeSettings, spaces: Mapping[str, LabelSpace]) -> None:
        space, size = spaces[settings.target], settings.image_size
        super().__init__(
            settings,
            network=LinearOnPixels(image_size=size, target=space.target, num_outputs=len(space)),
            spaces={space.target: space},
            input_spec=InputSpec(height=size, width=size, colour="grey", mean=(0.5,), std=(0.25,)),
        )

    def heads(self) -> dict[str, str]:
        """The one layer."""
        return dict.fromkeys(self.spaces, "head")

    def build_objectives(self, class_counts: Mapping[str, Tensor]) -> tuple[Objective, ...]:
        """One objective of the space's kind."""
        (space,) = self.spaces.values()
        if space.kind == "classes":
            counts = class_counts.get(space.target)
            return (class_objective(space, classification_loss(ClassificationLossSettings(), space, counts)),)
        return (number_objective(space, regression_loss(RegressionLossSettings()), self.input_spec),)
