"""Card and settings of landmark_heatmaps."""

from dataclasses import dataclass

from fer_zoo.core.cards import MethodCard
from fer_zoo.core.method_settings import OptimizerSettings, RegressionLossSettings
from fer_zoo.core.settings import setting


@dataclass(kw_only=True)
class LandmarkHeatmapsSettings(OptimizerSettings, RegressionLossSettings):
    """Settings of `landmark_heatmaps`."""

    backbone: str = setting("mobilenetv3_small_100", "any convolutional backbone of timm.list_models()")
    image_size: int = setting(96, "height and width of the grey input, pixels", at_least=32, at_most=1024)
    crop_scale: float = setting(
        1.25, "side of the crop over the larger side of the face box", at_least=0.5, at_most=4.0
    )
    stride: int = setting(4, "pixels of the input over those of a heat map", at_least=2, at_most=32)
    width: int = setting(96, "channels of the layers that join the stages", at_least=8, at_most=1024)


CARDS = (
    MethodCard(
        name="landmark_heatmaps",
        summary="68 landmarks as the centres of heat maps over all stages of a timm backbone",
        paper=None,
        targets=("landmarks",),
        label_spaces={"landmarks": "landmarks/68"},
        implementation="fer_zoo.methods.landmark_heatmaps.task:LandmarkHeatmaps",
        settings=LandmarkHeatmapsSettings,
        num_parameters=1_099_404,
        smallest={"backbone": "resnet10t", "image_size": 32, "width": 16},
    ),
)
