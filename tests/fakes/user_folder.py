"""The folder of somebody who follows the pages: every file and folder that a command there names."""

from pathlib import Path

import numpy as np
from fakes import constellations, videos
from fakes.pictures import drawn_face
from PIL import Image

PROJECT = Path(__file__).resolve().parents[2]
EMOTIONS = ("anger", "disgust", "happiness", "neutral", "sadness", "surprise")
PEOPLE = ("anna", "ben", "cleo", "dora", "emil", "fran", "gita", "hugo")


def write(folder: Path) -> Path:
    """Class folders, a table, clips, photographs, a video, `facial_expressions` where it is looked for, the results."""
    _class_folders(folder / "my_faces", ("happiness", "neutral", "sadness"))
    _class_folders(folder / "my_moods", ("bored", "cheerful", "tired"))
    _table(folder / "photos")
    _clips(folder / "clips")
    for name in ("holiday/beach.jpg", "holiday/dinner.jpg", "new_photos/today.jpg", "holiday.jpg", "a.jpg", "b.jpg"):
        _photograph(folder / name, seed=len(name))
    videos.write(folder / "clip.mp4", (_face(shade, side=96) for shade in range(-6, 6)))
    _facial_expressions(folder / "data" / "facial_expressions")
    (folder / "results").symlink_to(PROJECT / "results")
    return folder


def _photograph(path: Path, *, seed: int, side: int = 96) -> None:
    """A drawn face on a plain ground, of a shade that differs a little by the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shade = int(np.random.default_rng(seed).integers(-25, 25))
    Image.fromarray(_face(shade, side=side)).save(path, quality=95)


def _face(shade: int, *, side: int) -> np.ndarray:
    pixels = np.clip(drawn_face(side).astype(int) + shade, 0, 255).astype(np.uint8)
    return np.pad(pixels, ((8, 8), (8, 8), (0, 0)), mode="edge")


def _class_folders(root: Path, classes: tuple[str, ...]) -> None:
    for number, name in enumerate(classes):
        for position, person in enumerate(PEOPLE):
            _photograph(root / name / f"{person}_{number:02d}.jpg", seed=100 * number + position)


def _table(root: Path) -> None:
    lines = ["path,mood,who,AU12_r,AU04_r"]
    points = constellations.shape() * 40 + 56
    for number, person in enumerate(PEOPLE):
        for take, mood in enumerate(("happy", "neutral")):
            _photograph(root / person / f"{take}.jpg", seed=10 * number + take)
            _points_file(root / "points" / person / f"{take}.pts", points)
            lines.append(f"{person}/{take}.jpg,{mood},{person},{number % 5},{(number + take) % 5}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")


def _points_file(path: Path, points: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points)
    path.write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")


def _clips(root: Path) -> None:
    """Two clips of four people, of four frames each."""
    lines = ["path,mood,who,clip,frame"]
    for number, person in enumerate(PEOPLE[:4]):
        for mood in ("happy", "sad"):
            for frame in range(1, 5):
                _photograph(root / person / f"{mood}_{frame}.jpg", seed=20 * number + frame, side=40)
                lines.append(f"{person}/{mood}_{frame}.jpg,{mood},{person},{person} {mood},{frame}")
    (root / "frames.csv").write_text("\n".join(lines) + "\n")


def _facial_expressions(root: Path) -> None:
    """Laid out as the archive is: eight people in each of six classes."""
    (root / "data").mkdir(parents=True)
    rows = ["user.id,image,emotion"]
    for number, emotion in enumerate(EMOTIONS):
        for position, first in enumerate(PEOPLE):
            name = f"{first.title()}_{emotion.title()}_0001.jpg"
            _photograph(root / "images" / name, seed=1000 + 10 * number + position, side=40)
            rows.append(f"628,{name},{emotion}")
    (root / "data" / "legend.csv").write_text("\n".join(rows) + "\n")
    (root / "data" / "500_picts_satz.csv").write_text("906,Anna_Anger_0001.jpg,anger\r906,Ben_Anger_0001.jpg,sadness")
