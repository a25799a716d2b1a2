"""Tasks of the baselines."""

from collections.abc import Mapping
from pathlib import Path

import timm
from torch import Tensor

from fer_zoo.core.cards import Terms
from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.losses.select import classification_loss, regression_loss
from fer_zoo.methods.baseline.card import BackboneSettings, TimmClassifierSettings, TimmRegressorSettings
from fer_zoo.methods.baseline.network import BackboneWithHead
from fer_zoo.networks.backbone import Backbone
from fer_zoo.tasks.face_task import FaceTask
from fer_zoo.tasks.objectives import Objective, class_objective, number_objective


class TimmClassifier(FaceTask):
    """Emotion classes, or people, from a timm backbone."""

    settings: TimmClassifierSettings

    def __init__(self, settings: TimmClassifierSettings, spaces: Mapping[str, LabelSpace]) -> None:
        super().__init__(
            settings,
            network=_network(settings, spaces[settings.target]),
            spaces={settings.target: spaces[settings.target]},
            input_spec=_input_spec(settings),
            frozen=("backbone",) if settings.freeze_backbone else (),
        )

    def heads(self) -> dict[str, str]:
        """One linear layer."""
        return dict.fromkeys(self.spaces, "head")

    def pretraining(self) -> dict[str, Terms]:
        """Terms of the weights the backbone started from."""
        return _pretraining(self.settings)

    def build_objectives(self, class_counts: Mapping[str, Tensor]) -> tuple[Objective, ...]:
        """One objective: the classes."""
        space = self.spaces[self.settings.target]
        return (class_objective(space, classification_loss(self.settings, space, class_counts.get(space.target))),)


class TimmRegressor(FaceTask):
    """Action units, coefficients or landmarks from a timm backbone."""

    settings: TimmRegressorSettings

    def __init__(self, settings: TimmRegressorSettings, spaces: Mapping[str, LabelSpace]) -> None:
        super().__init__(
            settings,
            network=_network(settings, spaces[settings.target]),
            spaces={settings.target: spaces[settings.target]},
            input_spec=_input_spec(settings),
            frozen=("backbone",) if settings.freeze_backbone else (),
        )

    def heads(self) -> dict[str, str]:
        """One linear layer."""
        return dict.fromkeys(self.spaces, "head")

    def pretraining(self) -> dict[str, Terms]:
        """Terms of the weights the backbone started from."""
        return _pretraining(self.settings)

    def build_objectives(self, class_counts: Mapping[str, Tensor]) -> tuple[Objective, ...]:
        """One objective: the values, or the points."""
        space = self.spaces[self.settings.target]
        return (number_objective(space, regression_loss(self.settings), self.input_spec),)


def _network(settings: BackboneSettings, space: LabelSpace) -> BackboneWithHead:
    if settings.backbone_pretrained and settings.backbone_weights:
        raise UserError("method.backbone_pretrained and method.backbone_weights exclude each other; keep one.")
    if settings.freeze_backbone and settings.frozen_stages:
        raise UserError(
            "method.freeze_backbone freezes all stages, so leave out method.frozen_stages, or freeze fewer."
        )
    backbone = Backbone(
        settings.backbone,
        in_channels=1 if settings.colour == "grey" else 3,
        image_size=(settings.image_size, settings.image_size),
        pretrained=settings.backbone_pretrained,
    )
    if settings.backbone_weights:
        backbone.load_file(Path(settings.backbone_weights))
    backbone.freeze_stages(settings.frozen_stages)
    return BackboneWithHead(backbone, target=space.target, num_outputs=len(space), dropout=settings.dropout)


def _pretraining(settings: BackboneSettings) -> dict[str, Terms]:
    if settings.backbone_weights:
        return {Path(settings.backbone_weights).name: Terms("a file of the user's, terms unknown", "ask")}
    if settings.backbone_pretrained:
        config = timm.get_pretrained_cfg(settings.backbone)
        # The licence is of the weights; the images behind them are mostly ImageNet's, for research only.
        return {config.hf_hub_id: Terms(f"{config.license or 'unknown'}; images of {config.tag}", "ask")}
    return {}


def _input_spec(settings: BackboneSettings) -> InputSpec:
    """The normalisation the weights were trained with; grey takes the mean over the channels."""
    config = timm.get_pretrained_cfg(settings.backbone)
    mean, std = tuple(config.mean), tuple(config.std)
    if settings.colour == "grey":
        mean, std = (sum(mean) / len(mean),), (sum(std) / len(std),)
    return InputSpec(
        height=settings.image_size,
        width=settings.image_size,
        crop_scale=settings.crop_scale,
        alignment="five_points" if settings.alignment == "five_points" else "none",
        colour="grey" if settings.colour == "grey" else "rgb",
        mean=mean,
        std=std,
    )
