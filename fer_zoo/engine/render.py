"""Pictures of faces made to order: one face, a turntable, a sheet of many."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_atomically
from fer_zoo.core.settings import setting
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.face_words import Face, with_words
from fer_zoo.faces.open import open_face_model
from fer_zoo.faces.people import random_face
from fer_zoo.faces.scenes import check_size
from fer_zoo.faces.sheets import SHEETS, draw_sheet, pictures_of, plan_sheet

Echo = Callable[[str], None]
STILL, MOVING = (".png", ".jpg", ".jpeg"), ".gif"
LARGEST, LARGEST_IN_SHEET = 1024, 256  # pixels of a picture: memory grows with its area, to 1.5 GB
FRAMES, FARTHEST = 24, 60.0  # of a turntable, and how far it turns in degrees
_MILLISECONDS = 80  # a frame
_QUALITY = 88  # of JPEG
_SIZE, _SIZE_IN_SHEET = 256, 112


@dataclass(frozen=True)
class RenderSettings:
    """What is drawn, and where to; all that is said of the face itself are words of `faces.face_words`."""

    face_model: str = setting("procedural", "whose faces they are, see `fer-zoo list face_models`")
    root: str = setting("", "folder of the model's files")
    num_identity: int | None = setting(None, "how many identity modes the face model ict has, 1 to 100: 50")
    seed: int | None = setting(None, "a random person instead of the model's mean", at_least=0)
    sheet: str = setting("", "many faces instead of one", choices=("", *SHEETS))
    size: int | None = setting(None, "pixels of the sides of a picture: 256, on a sheet 112")
    output: str = setting("", "the picture: .png or .jpg; of one face also .gif, which turns")


def render(settings: RenderSettings, words: Sequence[tuple[str, str]], *, echo: Echo) -> Path:
    """Draws a face, a turntable or a sheet, and says of which model and where it lies.

    Args:
        settings: what is drawn.
        words: what is said of the face, see `with_words`.
        echo: takes each line.

    Raises:
        UserError: for a wrong setting or word, missing files of the model, or an output that cannot be written.
    """
    output, size = _output(settings, words), _size(settings)
    own = {} if settings.num_identity is None else {"num_identity": settings.num_identity}
    model = open_face_model(settings.face_model, settings.root or None, **own)
    face = Face() if settings.seed is None else random_face(model, settings.seed)
    face = with_words(face, model, words)
    echo(f"face model: {model.name} ({model.num_vertices:,} vertices, {len(model.triangles):,} triangles), device: cpu")
    if settings.sheet:
        save_picture(output, draw_sheet(model, plan_sheet(settings.sheet, model, face), size))
    elif output.suffix.lower() == MOVING:
        save_picture(output, *_turntable(model, face, size))
    else:
        save_picture(output, *pictures_of(model, [face], size))
    echo(f"{'sheet' if settings.sheet else 'picture'}: {output}")
    return output


def _output(settings: RenderSettings, words: Sequence[tuple[str, str]]) -> Path:
    output = Path(settings.output or (f"{settings.sheet}.png" if settings.sheet else "face.png"))
    suffix = output.suffix.lower()
    if suffix not in (*STILL, MOVING):
        raise UserError(f"output is {settings.output!r}; it must end in .png, .jpg or .gif.")
    if suffix == MOVING and settings.sheet:
        raise UserError(f"output is {settings.output!r}, but a sheet does not move: it must end in .png or .jpg.")
    if suffix == MOVING and any(word == "yaw" for word, _ in words):
        raise UserError(f"{settings.output} turns the head itself: leave yaw out, or let output end in .png.")
    if output.is_dir():
        raise UserError(f"output is {settings.output!r}, which is a folder; name a file.")
    return output


def _size(settings: RenderSettings) -> int:
    size = (_SIZE_IN_SHEET if settings.sheet else _SIZE) if settings.size is None else settings.size
    check_size(size)
    most, what = (LARGEST_IN_SHEET, "pictures of a sheet") if settings.sheet else (LARGEST, "pictures")
    if size > most:
        raise UserError(f"size is {size}; {what} have {most} pixels at most.")
    return size


def _turntable(model: FaceModel, face: Face, size: int) -> list[Image.Image]:
    """From the front to either side and back, with colours that all frames share, so that nothing flickers."""
    yaws = [FARTHEST * math.sin(2 * math.pi * frame / FRAMES) for frame in range(FRAMES)]
    frames = [picture for yaw in yaws for picture in pictures_of(model, [face.turned(yaw=yaw)], size)]
    strip = Image.new("RGB", (size * FRAMES, size))
    for number, frame in enumerate(frames):
        strip.paste(frame, (size * number, 0))
    palette = strip.quantize(256)
    return [frame.quantize(palette=palette) for frame in frames]


def save_picture(output: Path, first: Image.Image, *others: Image.Image) -> None:
    """Writes a picture, or several as one that moves; the suffix decides how.

    Raises:
        UserError: if it cannot be written.
    """
    with write_atomically(output) as temporary:
        if others:
            first.save(temporary, save_all=True, append_images=others, duration=_MILLISECONDS, loop=0)
        elif output.suffix.lower() in (".jpg", ".jpeg"):
            first.save(temporary, quality=_QUALITY, optimize=True)
        else:
            first.save(temporary, optimize=True)
