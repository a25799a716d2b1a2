"""A sheet of near-duplicates: a line a group, its images side by side with what each is said to be."""

from collections.abc import Sequence
from pathlib import Path

from fer_zoo.core.input_spec import InputSpec
from fer_zoo.data.image_sources import FaceImages, UnreadableImage
from fer_zoo.data.index import Index
from fer_zoo.evaluation.face_sheets import SheetFace, View, overview_sheet
from fer_zoo.evaluation.pictures import save_figure

NAME = "near_duplicates.png"
MOST_GROUPS, MOST_IMAGES = 40, 6
_SPEC = InputSpec(height=160, width=160)


def draw_near_duplicates(index: Index, groups: Sequence[Sequence[str]], path: Path) -> list[str]:
    """Writes the sheet of the first groups; the ids that stand on it.

    Args:
        index: the data set.
        groups: of ids, at least one.
        path: of the sheet.

    Raises:
        UserError: if it cannot be written.
    """
    images = FaceImages(index, _SPEC)
    shown = [tuple(group[:MOST_IMAGES]) for group in groups[:MOST_GROUPS]]
    rows = []
    for number, group in enumerate(shown):
        positions = index.rows_of(group).tolist()
        faces = [_face(index, images, row) for row in positions]
        subjects = index.table["subject"].iloc[positions].nunique()
        notes = (f"{len(groups[number])} images", f"{subjects} subject" + "s" * (subjects > 1))
        rows.append((f"group {number + 1}", notes, faces))
    title = f"{index.dataset}: {len(shown):,} of {len(groups):,} groups of near-duplicates"
    lines = ["groups of several classes first, then those of several subjects; below each image its class and its id"]
    save_figure(path, overview_sheet(rows, title=title, lines=lines))
    return [name for group in shown for name in group]


def _face(index: Index, images: FaceImages, row: int) -> SheetFace:
    name = images.ids[row]
    said = [index.table[target].iloc[row] for target, space in index.label_spaces.items() if space.kind == "classes"]
    caption = "\n".join([*(word for word in said if word is not None), name])
    try:
        return SheetFace(notes=(), caption=caption, views=(View(pixels=images.read(row)),))
    except UnreadableImage as error:  # gone since it was compared
        return SheetFace(notes=(), caption=caption, problem=error.reason)
