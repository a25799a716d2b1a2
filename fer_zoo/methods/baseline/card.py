"""Cards and settings of the baselines: any timm backbone with one linear head."""

from dataclasses import dataclass

from fer_zoo.core.cards import MethodCard
from fer_zoo.core.method_settings import (
    ClassificationLossSettings,
    OptimizerSettings,
    RegressionLossSettings,
    StartSettings,
)
from fer_zoo.core.settings import setting


@dataclass(kw_only=True)
class BackboneSettings(StartSettings):
    """The backbone and its input."""

    backbone: str = setting("resnet18", "any name of timm.list_models()")
    image_size: int = setting(96, "height and width of the input, pixels", at_least=16, at_most=4096)
    colour: str = setting("grey", "channels the network sees", choices=("grey", "rgb"))
    crop_scale: float = setting(
        1.25, "side of the crop over the larger side of the face box", at_least=0.5, at_most=4.0
    )
    alignment: str = setting("none", "how a face is brought into place", choices=("none", "five_points"))
    dropout: float = setting(0.2, "dropout before the head", at_least=0.0, at_most=0.95)


@dataclass(kw_only=True)
class TimmClassifierSettings(BackboneSettings, ClassificationLossSettings, OptimizerSettings):
    """Settings of `timm_classifier`."""

    target: str = setting("emotion", "what is predicted", choices=("emotion", "identity"))


@dataclass(kw_only=True)
class TimmRegressorSettings(BackboneSettings, RegressionLossSettings, OptimizerSettings):
    """Settings of `timm_regressor`."""

    target: str = setting("au", "what is predicted", choices=("au", "blendshapes", "expression", "landmarks"))


_SMALLEST = {"backbone": "resnet10t", "image_size": 32, "dropout": 0.0}

CARDS = (
    MethodCard(
        name="timm_classifier",
        summary="any timm backbone and a linear head over emotion classes, or over people",
        paper=None,
        targets=("emotion", "identity"),
        label_spaces={"emotion": "emotion/basic7", "identity": "identity/own"},
        implementation="fer_zoo.methods.baseline.task:TimmClassifier",
        settings=TimmClassifierSettings,
        num_parameters=11_173_831,
        smallest=_SMALLEST,
    ),
    MethodCard(
        name="timm_regressor",
        summary="any timm backbone and a linear head over action units, coefficients or landmarks",
        paper=None,
        targets=("au", "blendshapes", "expression", "landmarks"),
        label_spaces={
            "au": "au/disfa12",
            "blendshapes": "blendshapes/51",
            "expression": "expression/29",
            "landmarks": "landmarks/68",
        },
        implementation="fer_zoo.methods.baseline.task:TimmRegressor",
        settings=TimmRegressorSettings,
        num_parameters=11_176_396,
        smallest=_SMALLEST,
    ),
)
