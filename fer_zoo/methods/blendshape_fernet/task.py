"""Tasks of BlendshapeFERNet's stages."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.method_settings import RegressionLossSettings
from fer_zoo.losses.select import classification_loss, regression_loss
from fer_zoo.methods.blendshape_fernet.card import (
    FernetIdentitySettings,
    ImageFernetSettings,
    MultiTaskSettings,
    TrunkSettings,
    TwoStreamSettings,
    ValueNetSettings,
)
from fer_zoo.methods.blendshape_fernet.network import StreamNetwork, TwoStreamNetwork
from fer_zoo.methods.blendshape_fernet.trunk import Trunk
from fer_zoo.tasks.face_task import FaceTask, Stream
from fer_zoo.tasks.objectives import Objective, class_objective, value_objective


class _OneStream(FaceTask):
    """A trunk with one last layer."""

    network: StreamNetwork

    def heads(self) -> dict[str, str]:
        """The second fully connected layer, which every stage has of its own."""
        return dict.fromkeys(self.spaces, "head")

    def features(self, image: Float[Tensor, "b c h w"]) -> dict[str, Tensor]:
        """Those of the trunk."""
        return {"features": self.network.trunk(image)}


class _Classes(_OneStream):
    """One class of several."""

    settings: FernetIdentitySettings | ImageFernetSettings
    target: ClassVar[str]

    def __init__(
        self, settings: FernetIdentitySettings | ImageFernetSettings, spaces: Mapping[str, LabelSpace]
    ) -> None:
        super().__init__(
            settings,
            network=_stream(settings, spaces[self.target], settings.dropout),
            spaces=spaces,
            input_spec=_input_spec(settings),
        )

    def build_objectives(self, class_counts: Mapping[str, Tensor]) -> tuple[Objective, ...]:
        """One objective: the classes."""
        space = self.spaces[self.target]
        return (class_objective(space, classification_loss(self.settings, space, class_counts.get(self.target))),)


class FernetIdentity(_Classes):
    """Which person a face is of, so that the trunk learns faces."""

    target = "identity"


class ImageFernet(_Classes):
    """Emotion classes (Eq. 2, 3)."""

    target = "emotion"


class BlendshapeNet(_OneStream):
    """Blendshape coefficients (Eq. 4, 5)."""

    settings: ValueNetSettings
    target: ClassVar[str] = "blendshapes"

    def __init__(self, settings: ValueNetSettings, spaces: Mapping[str, LabelSpace]) -> None:
        super().__init__(
            settings,
            network=_stream(settings, spaces[self.target], dropout=0.0),
            spaces=spaces,
            input_spec=_input_spec(settings),
        )

    def build_objectives(self, class_counts: Mapping[str, Tensor]) -> tuple[Objective, ...]:
        """One objective: the values."""
        return (value_objective(self.spaces[self.target], regression_loss(self.settings)),)


class AuNet(BlendshapeNet):
    """Intensities of action units (Appendix C.6)."""

    target = "au"


class _TwoStreams(FaceTask):
    """An image stream and a second one."""

    settings: TwoStreamSettings
    network: TwoStreamNetwork
    second: ClassVar[str]  # name of the second stream
    second_method: ClassVar[str]  # which stage it comes from
    second_target: ClassVar[str] = ""  # what that stage learned, where it can be learned on

    def __init__(self, settings: TwoStreamSettings, spaces: Mapping[str, LabelSpace]) -> None:
        target = self.second_target if isinstance(settings, MultiTaskSettings) and settings.second_weight else ""
        if target and target not in spaces:
            raise UserError(
                f"method.second_weight is more than 0, so the data need labels of {target!r}, and have none; take other"
                " data, or leave method.second_weight out."
            )
        super().__init__(
            settings,
            network=TwoStreamNetwork(
                {name: _trunk(settings) for name in ("image", self.second)},
                num_outputs=len(spaces["emotion"]),
                second=(target, len(spaces[target])) if target else None,
            ),
            spaces=spaces,
            input_spec=_input_spec(settings),
            frozen=("streams",) if settings.freeze_streams else (),
        )

    def heads(self) -> dict[str, str]:
        """The layer over both streams, and that of the second one where it is learned on."""
        return {target: "fusion" if target == "emotion" else "second_head" for target in self.spaces}

    def streams(self) -> dict[str, Stream]:
        """Both; either may also start from the trunk that learned people alone (Appendix C.1)."""
        methods = {"image": "image_fernet", self.second: self.second_method}
        return {name: Stream(f"streams.{name}", (method, "fernet_identity")) for name, method in methods.items()}

    def features(self, image: Float[Tensor, "b c h w"]) -> dict[str, Tensor]:
        """Those of each stream, and both one after the other."""
        each = self.network.features(image)
        return {**each, "fused": torch.cat(list(each.values()), dim=1)}

    def build_objectives(self, class_counts: Mapping[str, Tensor]) -> tuple[Objective, ...]:
        """The classes (Eq. 8), and what the second stream learned where it goes on learning that."""
        space, settings = self.spaces["emotion"], self.settings
        emotion = class_objective(space, classification_loss(settings, space, class_counts.get("emotion")))
        if not (isinstance(settings, MultiTaskSettings) and settings.second_weight):
            return (emotion,)
        loss = regression_loss(RegressionLossSettings())
        return emotion, value_objective(self.spaces[self.second_target], loss, weight=settings.second_weight)


class BlendshapeFernet(_TwoStreams):
    """With the stream of blendshape coefficients."""

    second, second_method, second_target = "blendshape", "blendshape_net", "blendshapes"


class AuFernet(_TwoStreams):
    """With the stream of action units."""

    second, second_method, second_target = "au", "au_net", "au"


class TwinFernet(_TwoStreams):
    """With a second image stream."""

    second, second_method = "second_image", "image_fernet"


def _trunk(settings: TrunkSettings) -> Trunk:
    return Trunk(
        in_channels=1 if settings.colour == "grey" else 3,
        image_size=(settings.image_height, settings.image_width),
        width_mult=settings.width_mult,
        norm=settings.norm,
        pooling=settings.pooling,
        num_features=settings.num_features,
    )


def _stream(settings: TrunkSettings, space: LabelSpace, dropout: float) -> StreamNetwork:
    return StreamNetwork(_trunk(settings), target=space.target, num_outputs=len(space), dropout=dropout)


def _input_spec(settings: TrunkSettings) -> InputSpec:
    """(pixel - 127.5) / 128, as Caffe's face networks of the time."""
    channels = 1 if settings.colour == "grey" else 3
    return InputSpec(
        height=settings.image_height,
        width=settings.image_width,
        crop_scale=settings.crop_scale,
        alignment="five_points" if settings.alignment == "five_points" else "none",
        colour="grey" if settings.colour == "grey" else "rgb",
        mean=(0.5,) * channels,
        std=(128 / 255,) * channels,
    )
