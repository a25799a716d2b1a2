"""Pictures of what a table says: each photograph, and a clip of each video, with its faces marked.

Values stand on panels beside a photograph; a video shows the highest of them above each face.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from PIL import Image

from fer_zoo.core.files import write_atomically
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.progress import progress
from fer_zoo.data.image_sources import UnreadableImage, read_image
from fer_zoo.data.video import UnreadableVideo, Video, is_video
from fer_zoo.engine.clips import write_clip
from fer_zoo.engine.expression_panels import has_bars, with_panels
from fer_zoo.engine.face_drawing import Row, draw_faces
from fer_zoo.faces.face_model import FaceModel


def write_pictures(
    rows: Iterable[Row],
    files: Sequence[Path],
    folder: Path,
    spaces: Mapping[str, LabelSpace],
    *,
    model: FaceModel | None = None,
    show: bool = True,
) -> None:
    """Draw a table's rows into its photographs and videos; what cannot be read gets no picture.

    Args:
        rows: every file has some, in the order of `files`.
        files: that were predicted.
        folder: made if missing; holds NNNNN_name.png and NNNNN_name.mp4, by the place among the files.
        spaces: label space of each target that was predicted.
        model: whose face shows predicted expressions beside photographs; None for nobody's.
        show: a bar on a terminal.
    """
    groups = groupby(rows, key=lambda row: row["file"])
    numbered = zip(enumerate(files), groups, strict=True)
    for (number, file), (_, own) in progress(numbered, "drawing", total=len(files), unit="files", show=show):
        if is_video(file):
            try:
                video = Video(file)
            except UnreadableVideo:
                continue
            write_clip(video, own, picture_path(folder, number, file, ".mp4"), spaces)
            continue
        try:
            image = read_image(file, name=str(file))
        except UnreadableImage:
            continue
        found = list(own)
        on_it = {target: space for target, space in spaces.items() if not has_bars(space)}
        drawn = with_panels(draw_faces(image, found, on_it), image, found, spaces, model)
        with write_atomically(picture_path(folder, number, file, ".png")) as temporary:
            Image.fromarray(drawn).save(temporary, format="PNG")


def picture_path(folder: Path, number: int, file: Path, suffix: str) -> Path:
    """Where the picture of a file goes: its number keeps files of one name apart."""
    return folder / f"{number:05d}_{file.stem}{suffix}"
