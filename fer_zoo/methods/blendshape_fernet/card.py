"""Cards and settings of BlendshapeFERNet's stages: identity, image, blendshapes or action units, fused."""

from dataclasses import dataclass

from fer_zoo.core.cards import MethodCard, Paper
from fer_zoo.core.method_settings import ClassificationLossSettings, OptimizerSettings, RegressionLossSettings
from fer_zoo.core.settings import setting

PAPER = Paper(
    title="Leveraging 3D blendshape for facial expression recognition using CNN",
    venue="Science China Information Sciences 63(2), 120114",
    year=2020,
    link="https://doi.org/10.1007/s11432-019-2747-y",
)


@dataclass(kw_only=True)
class TrunkSettings:
    """The trunk that all stages share, and what it sees."""

    image_width: int = setting(96, "width of the input, pixels (Appendix B)", at_least=32, at_most=1024)
    image_height: int = setting(112, "height of the input, pixels (Appendix B)", at_least=32, at_most=1024)
    colour: str = setting("rgb", "channels the network sees", choices=("rgb", "grey"))
    crop_scale: float = setting(
        1.25, "side of the crop over the larger side of the face box", at_least=0.5, at_most=4.0
    )
    alignment: str = setting("none", "how a face is brought into place", choices=("none", "five_points"))
    width_mult: float = setting(
        1.0, "factor on the channels of the convolutions; 0.5 on MMI (Appendix C.1)", at_least=0.03, at_most=4.0
    )
    norm: str = setting("batch", "behind each convolution; none is the network of the time", choices=("batch", "none"))
    pooling: str = setting(
        "flatten",
        "what the first fully connected layer sees: all places, or how channels vary together over them",
        choices=("flatten", "covariance"),
    )
    num_features: int = setting(128, "outputs of the first fully connected layer (Figure C6)", at_least=2)


@dataclass(kw_only=True)
class AdamSettings(OptimizerSettings):
    """Adam with one rate throughout (Appendix B)."""

    optimizer: str = setting("adam", "which optimiser", choices=("adamw", "adam", "sgd"))
    learning_rate: float = setting(1e-4, "peak rate of the head", at_least=0.0)
    weight_decay: float = setting(0.0, "decay of weights; biases and norms are left out", at_least=0.0)
    schedule: str = setting("constant", "how the rate falls after warm-up", choices=("cosine", "constant", "plateau"))
    warmup_share: float = setting(0.0, "share of all steps over which the rate rises", at_least=0.0, at_most=1.0)


@dataclass(kw_only=True)
class SgdSettings(AdamSettings):
    """SGD with one rate throughout (Appendix B)."""

    optimizer: str = setting("sgd", "which optimiser", choices=("adamw", "adam", "sgd"))
    weight_decay: float = setting(5e-4, "decay of weights; biases and norms are left out", at_least=0.0)


@dataclass(kw_only=True)
class FernetIdentitySettings(TrunkSettings, ClassificationLossSettings, SgdSettings):
    """Settings of `fernet_identity`."""

    # No schedule was published: a usual one for SGD.
    learning_rate: float = setting(1e-2, "peak rate of the head", at_least=0.0)
    schedule: str = setting("cosine", "how the rate falls after warm-up", choices=("cosine", "constant", "plateau"))
    dropout: float = setting(0.5, "dropout before the head", at_least=0.0, at_most=0.95)


@dataclass(kw_only=True)
class ImageFernetSettings(TrunkSettings, ClassificationLossSettings, AdamSettings):
    """Settings of `image_fernet`."""

    dropout: float = setting(0.5, "dropout before the head", at_least=0.0, at_most=0.95)


@dataclass(kw_only=True)
class ValueNetSettings(TrunkSettings, RegressionLossSettings, SgdSettings):
    """Settings of `blendshape_net` and `au_net`."""


@dataclass(kw_only=True)
class TwoStreamSettings(TrunkSettings, ClassificationLossSettings, AdamSettings):
    """Settings of the networks of two streams."""

    freeze_streams: bool = setting(False, "train the last layer alone; both streams stay as they were handed over")


@dataclass(kw_only=True)
class MultiTaskSettings(TwoStreamSettings):
    """Settings of `blendshape_fernet` and `au_fernet`, which can go on learning what their second stream knows."""

    second_weight: float = setting(
        0.0,
        "weight of the second stream's own loss (Euclidean) beside that of the emotion, so that both are predicted;"
        " 0 as in the paper",
        at_least=0.0,
    )


_SMALLEST = {"image_width": 32, "image_height": 48, "width_mult": 0.125}
_TASKS = "fer_zoo.methods.blendshape_fernet.task"
_TRUNK = (
    "Channels of the seven convolutions are not printed: 32, 64, 64, 128, 96, 192, 256, as the network that came with"
    " the faces of its pre-training begins; batch norms behind them (method.norm=none leaves them out).",
    "The features are normed before their rectifier, without numbers to learn, and last layers start with small"
    " weights; without both most features are 0 for every face after a few epochs.",
    "Images are augmented, a tenth of the training people chooses the epoch, and biases and norms are not decayed: the"
    " paper says nothing of the first two, and Caffe decays all.",
    "Faces are cropped by their boxes; method.alignment=five_points aligns them, and the paper's SDM is not public.",
)

CARDS = (
    MethodCard(
        name="fernet_identity",
        summary="BlendshapeFERNet's first stage: its trunk learns to tell people apart",
        paper=PAPER,
        targets=("identity",),
        label_spaces={"identity": "identity/own"},
        implementation=f"{_TASKS}:FernetIdentity",
        settings=FernetIdentitySettings,
        num_parameters=2_227_042,
        smallest={**_SMALLEST, "dropout": 0.0},
        departures=(*_TRUNK, "How long and with what rate people were learned is not printed: SGD, .01, a cosine."),
    ),
    MethodCard(
        name="image_fernet",
        summary="BlendshapeFERNet's image stream alone: emotion from seven convolutions",
        paper=PAPER,
        targets=("emotion",),
        label_spaces={"emotion": "emotion/basic7"},
        implementation=f"{_TASKS}:ImageFernet",
        settings=ImageFernetSettings,
        num_parameters=2_227_687,
        smallest={**_SMALLEST, "dropout": 0.0},
        departures=_TRUNK,
    ),
    MethodCard(
        name="blendshape_net",
        summary="BlendshapeFERNet's second stream alone: 51 named blendshape coefficients of a face",
        paper=PAPER,
        targets=("blendshapes",),
        label_spaces={"blendshapes": "blendshapes/51"},
        implementation=f"{_TASKS}:BlendshapeNet",
        settings=ValueNetSettings,
        num_parameters=2_233_363,
        smallest=_SMALLEST,
        departures=(*_TRUNK, "Outputs are clipped to 0 … 1, which the paper does not say."),
    ),
    MethodCard(
        name="au_net",
        summary="the action-unit stream that the paper compares with: intensities of action units",
        paper=PAPER,
        targets=("au",),
        label_spaces={"au": "au/disfa12"},
        implementation=f"{_TASKS}:AuNet",
        settings=ValueNetSettings,
        num_parameters=2_228_332,
        smallest=_SMALLEST,
        departures=_TRUNK,
    ),
    MethodCard(
        name="blendshape_fernet",
        summary="emotion from an image stream and a blendshape stream, fused and trained as one",
        paper=PAPER,
        targets=("emotion",),
        label_spaces={"emotion": "emotion/basic7"},
        implementation=f"{_TASKS}:BlendshapeFernet",
        settings=MultiTaskSettings,
        joined={"second_weight": "blendshapes"},
        num_parameters=4_455_367,
        smallest=_SMALLEST,
        departures=_TRUNK,
    ),
    MethodCard(
        name="au_fernet",
        summary="the paper's AUFERNet: emotion from an image stream and an action-unit stream",
        paper=PAPER,
        targets=("emotion",),
        label_spaces={"emotion": "emotion/basic7"},
        implementation=f"{_TASKS}:AuFernet",
        settings=MultiTaskSettings,
        joined={"second_weight": "au"},
        num_parameters=4_455_367,
        smallest=_SMALLEST,
        departures=_TRUNK,
    ),
    MethodCard(
        name="twin_fernet",
        summary="the control that the paper lacks: emotion from two image streams of equal size",
        paper=PAPER,
        targets=("emotion",),
        label_spaces={"emotion": "emotion/basic7"},
        implementation=f"{_TASKS}:TwinFernet",
        settings=TwoStreamSettings,
        num_parameters=4_455_367,
        smallest=_SMALLEST,
        departures=(*_TRUNK, "Not in the paper: it tells what a second stream of any kind adds."),
    ),
)
