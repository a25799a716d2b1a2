"""Card and settings of pixel_probe."""

from dataclasses import dataclass

from fer_zoo.core.cards import MethodCard
from fer_zoo.core.method_settings import OptimizerSettings
from fer_zoo.core.settings import setting


@dataclass(kw_only=True)
class PixelProbeSettings(OptimizerSettings):
    """Settings of `pixel_probe`."""

    image_size: int = setting(24, "height and width of the grey input, pixels", at_least=4)
    target: str = setting(
        "emotion", "what is predicted", choices=("emotion", "au", "blendshapes", "expression", "landmarks")
    )


CARDS = (
    MethodCard(
        name="pixel_probe",
        summary="one linear layer on the grey pixels, the least that a network must beat",
        paper=None,
        targets=("emotion", "au", "blendshapes", "expression", "landmarks"),
        label_spaces={
            "emotion": "emotion/basic7",
            "au": "au/disfa12",
            "blendshapes": "blendshapes/51",
            "expression": "expression/29",
            "landmarks": "landmarks/68",
        },
        implementation="fer_zoo.methods.pixel_probe.task:PixelProbe",
        settings=PixelProbeSettings,
        num_parameters=4_039,
        smallest={"image_size": 16},
    ),
)
