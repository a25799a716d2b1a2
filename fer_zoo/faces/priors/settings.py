"""What of a face is drawn at random, and how much: plain settings, which import no torch."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import setting
from fer_zoo.faces.priors.clips import ClipPrior
from fer_zoo.faces.priors.expressions import ActionUnitPrior, EmotionPrior, SliderPrior
from fer_zoo.faces.priors.grids import GridPrior
from fer_zoo.faces.priors.recordings import RecordingPrior

# What can be drawn alone: the groups of settings that say who is there, how they look and are photographed.
PARTS = ("people", "skin", "pose", "camera", "light", "background", "occluders", "capture")
# Groups whose numbers are drawn from the one setting to the other.
_FROM_TO = (
    ("people", "lightest", "darkest"),
    ("camera", "nearest", "farthest"),
    ("light", "ambient_least", "ambient_most"),
    ("light", "strength_least", "strength_most"),
    ("occluders", "least", "most"),
)
EXPRESSIONS = ("emotions", "sliders", "action_units", "recordings")


@dataclass(kw_only=True)
class PeoplePrior:
    """Who is there: modes of identity are normal and cut at two deviations, beyond which faces are caricatures."""

    spread: float = setting(
        0.8, "deviation of each mode of identity but the sex; 1 is that of a mode alone", at_least=0.0, at_most=1.0
    )
    lightest: float = setting(0.0, "lightest skin, 0 to 1", at_least=0.0, at_most=1.0)
    darkest: float = setting(1.0, "darkest skin", at_least=0.0, at_most=1.0)
    make_up: float = setting(0.8, "strongest make-up of women", at_least=0.0, at_most=1.0)


@dataclass(kw_only=True)
class SkinPrior:
    """What of a face stays whatever it does."""

    creases: float = setting(
        0.8, "strongest creases that no expression makes, 1 as an action's", at_least=0.0, at_most=1.0
    )
    dim: float = setting(0.35, "how much darker eyeballs and teeth may be", at_least=0.0, at_most=1.0)


@dataclass(kw_only=True)
class PosePrior:
    """Normal angles of the head, in degrees, cut at two deviations."""

    yaw: float = setting(15.0, "deviation of yaw, degrees", at_least=0.0, at_most=45.0)
    pitch: float = setting(8.0, "deviation of pitch, degrees", at_least=0.0, at_most=25.0)
    roll: float = setting(6.0, "deviation of roll, degrees", at_least=0.0, at_most=45.0)


@dataclass(kw_only=True)
class CameraPrior:
    """A pinhole camera, and how exactly the face was cropped."""

    nearest: float = setting(7.0, "least distance of the camera, inter-ocular distances", at_least=4.0, at_most=1e3)
    farthest: float = setting(40.0, "greatest distance", at_least=4.0, at_most=1e3)
    zoom: float = setting(0.12, "deviation of the crop's size, of its logarithm", at_least=0.0, at_most=0.5)
    tightness: float = setting(
        1.5, "mean size of the face in the crop; 1 shows hair and chin", at_least=0.2, at_most=5.0
    )
    lower: float = setting(
        0.04,
        "how far faces lie below where a whole head is in the middle, sides of the picture",
        at_least=-0.5,
        at_most=0.5,
    )
    shift: float = setting(0.04, "deviation of the crop's place, sides of the picture", at_least=0.0, at_most=0.3)


@dataclass(kw_only=True)
class LightPrior:
    """Light from everywhere and one to three lamps; the last two may have a colour."""

    ambient_least: float = setting(0.2, "least light from everywhere", at_least=0.0)
    ambient_most: float = setting(0.7, "most light from everywhere", at_least=0.0)
    strength_least: float = setting(0.35, "least sum of the lamps", at_least=0.0)
    strength_most: float = setting(0.95, "greatest sum of the lamps", at_least=0.0)
    colour: float = setting(0.06, "deviation of each channel", at_least=0.0, at_most=0.5)
    shine: float = setting(0.25, "strongest highlight", at_least=0.0, at_most=1.0)


@dataclass(kw_only=True)
class BackgroundPrior:
    """One colour, a gradient or blotches, as often as each other."""

    contrast: float = setting(0.4, "greatest deviation of blotches", at_least=0.0, at_most=0.5)


@dataclass(kw_only=True)
class OccluderPrior:
    """A hand, a cup, a strand of hair: something in front of a face."""

    probability: float = setting(0.1, "share of faces with something in front", at_least=0.0, at_most=1.0)
    least: float = setting(0.06, "least half axis, sides of the picture", at_least=0.0, at_most=1.0)
    most: float = setting(0.22, "greatest half axis", at_least=0.0, at_most=1.0)


@dataclass(kw_only=True)
class CapturePrior:
    """Exposure, contrast, patches, blur, noise, JPEG, grey."""

    exposure: float = setting(0.6, "how far the camera makes up for too little light", at_least=0.0, at_most=1.0)
    contrast: float = setting(0.25, "deviation of the contrast's logarithm", at_least=0.0, at_most=1.0)
    brightness: float = setting(0.08, "deviation of the brightness", at_least=0.0, at_most=0.5)
    patches: float = setting(
        0.06, "greatest share by which patches that stand for pores and cloth deviate", at_least=0.0, at_most=0.5
    )
    blur: float = setting(0.016, "greatest blur, sides of the picture", at_least=0.0, at_most=0.04)
    noise: float = setting(0.04, "greatest deviation of the noise", at_least=0.0, at_most=0.5)
    jpeg: float = setting(0.5, "share of pictures that were compressed", at_least=0.0, at_most=1.0)
    worst: int = setting(35, "least quality of JPEG; the greatest is 95", at_least=1, at_most=95)
    grey: float = setting(0.5, "share of pictures without colour", at_least=0.0, at_most=1.0)


@dataclass(kw_only=True)
class FacePrior:
    """What varies, and how much."""

    expression: str = setting("emotions", "what faces do", choices=EXPRESSIONS)
    samples_per_person: int = setting(8, "pictures, or clips, of a person", at_least=1)
    emotions: EmotionPrior = field(default_factory=EmotionPrior)
    sliders: SliderPrior = field(default_factory=SliderPrior)
    action_units: ActionUnitPrior = field(default_factory=ActionUnitPrior)
    clips: ClipPrior = field(default_factory=ClipPrior)
    recordings: RecordingPrior = field(default_factory=RecordingPrior)
    people: PeoplePrior = field(default_factory=PeoplePrior)
    skin: SkinPrior = field(default_factory=SkinPrior)
    pose: PosePrior = field(default_factory=PosePrior)
    camera: CameraPrior = field(default_factory=CameraPrior)
    light: LightPrior = field(default_factory=LightPrior)
    background: BackgroundPrior = field(default_factory=BackgroundPrior)
    occluders: OccluderPrior = field(default_factory=OccluderPrior)
    capture: CapturePrior = field(default_factory=CapturePrior)
    grid: GridPrior = field(default_factory=GridPrior)

    @property
    def has_clips(self) -> bool:
        """Whether samples are frames of clips."""
        return self.expression == "recordings" or self.clips.frames > 1

    def places(
        self, numbers: Int[np.ndarray, " b"]
    ) -> tuple[Int[np.ndarray, " b"], Int[np.ndarray, " b"], Int[np.ndarray, " b"]]:
        """Person, clip and frame of samples."""
        faces = self.grid.faces(numbers)
        if self.expression == "recordings":
            return self.recordings.places(faces)
        clip = faces // self.clips.frames
        return clip // self.samples_per_person, clip, faces % self.clips.frames

    def check(self) -> None:
        """Refuses what cannot be drawn though each setting is within its limits.

        Raises:
            UserError: naming it.
        """
        self.emotions.check()
        self.action_units.check()
        self.grid.check()
        for name, least, most in _FROM_TO:
            group = getattr(self, name)
            if getattr(group, least) > getattr(group, most):
                raise UserError(
                    f"{name}.{least} is {getattr(group, least):g} and {name}.{most} is {getattr(group, most):g}; what"
                    " is drawn goes from the first to the second, so give a second that is not below the first."
                )
        if self.expression == "recordings" and self.clips.frames > 1:
            raise UserError(
                "expression=recordings has clips of its own, as long as recordings.* says: leave clips.frames out."
            )
        if self.grid.shape and (self.expression != "emotions" or self.has_clips):
            raise UserError(
                f"A test grid (grid.{next(iter(self.grid.conditions))}) shows emotions in single pictures: leave"
                " expression and clips.frames out."
            )
