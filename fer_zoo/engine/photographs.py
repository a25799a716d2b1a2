"""Files of a user's: which photographs a command means, and the pictures drawn on them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_atomically
from fer_zoo.data.index import IMAGE_SUFFIXES
from fer_zoo.engine.predict import FoundFaces


def expand_files(files: Sequence[str]) -> list[Path]:
    """Every photograph that is meant, in order, each once.

    A folder stands for the images in it and below, a .txt file for the paths in its lines (relative to the file), a
    pattern with * for what it matches.

    Raises:
        UserError: for a path that does not exist, a list that is no UTF-8, or when nothing is left.
    """
    found: dict[Path, None] = {}
    for given in files:
        found.update(dict.fromkeys(_expand(given)))
    if not found:
        raise UserError(
            f"No photographs in {', '.join(files) or 'nothing'}; give files, folders, patterns or a .txt list."
        )
    return list(found)


def annotate(found: FoundFaces, rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the photograph with each face's box, number, answer and its probability."""
    if found.image is None:
        return
    picture = Image.fromarray(found.image)
    longest = max(picture.size)
    if longest < 320:  # captions need some room
        scale = -(-320 // longest)
        picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.BICUBIC)
    else:
        scale = 1
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=max(12, max(picture.size) // 40))
    for face, row in zip(found.faces, rows, strict=False):
        left, top, width, height = (v * scale for v in face[:4]) if face else (0, 0, *picture.size)
        draw.rectangle((left, top, left + width - 1, top + height - 1), outline="yellow", width=2)
        caption = f"{row.get('face', '')} {_answer(row)}".strip()
        box = draw.textbbox((0, 0), caption, font=font)
        x = min(max(0, left), max(0, picture.width - box[2] - 4))
        y = top - box[3] - 6 if top > box[3] + 6 else top + 2
        draw.rectangle((x, y, x + box[2] + 4, y + box[3] + 4), fill="black")
        draw.text((x + 2, y + 1), caption, fill="yellow", font=font)
    with write_atomically(path) as temporary:
        picture.save(temporary, format="PNG")


def make_folder(folder: Path) -> None:
    """Make the folder of the pictures.

    Raises:
        UserError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {folder} for the pictures cannot be made ({error.strerror}); choose another output."
        ) from error


def picture_path(folder: Path, number: int, photograph: Path) -> Path:
    """Where the picture of a photograph goes: its number keeps files of one name apart."""
    return folder / f"{number:05d}_{photograph.stem}.png"


def _answer(row: Mapping[str, Any]) -> str:
    answers = [name for name in row if f"prob_{row[name]}" in row]
    return ", ".join(f"{row[name]} {row[f'prob_{row[name]}']:.2f}" for name in answers)


def _expand(given: str) -> list[Path]:
    path = Path(given).expanduser()
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    if path.suffix == ".txt" and path.is_file():
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        except UnicodeDecodeError as error:
            raise UserError(
                f"The list {path} is no text in UTF-8 (byte {error.start + 1}); save it as such."
            ) from error
        return [path.parent / line for line in lines if line]
    if path.exists():
        return [path]
    matched = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    if not matched:
        raise UserError(f"There is no file, folder or match for {given!r}.")
    return [path for match in matched for path in (_expand(str(match)) if match.is_dir() else [match])]
