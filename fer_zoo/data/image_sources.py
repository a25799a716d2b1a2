"""Where an image comes from: files, decoded by what they hold, whatever their names say."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64, Int64, UInt8
from pi_heif import register_heif_opener
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import Colour, InputSpec
from fer_zoo.core.landmarks import FIVE_POINTS, LANDMARK_COLUMNS
from fer_zoo.data.alignment import box_matrix, crop_matrix, five_point_matrix, warp
from fer_zoo.data.index import Index

register_heif_opener()

NOT_FOUND = "file not found"
NOT_DECODABLE = "not an image or cut short"
NO_FACE = "no face found"
NO_POINTS = "no five points"
REASONS = ("", NOT_FOUND, NOT_DECODABLE, NO_FACE, NO_POINTS)  # a cache stores the position

_TURNED = (5, 6, 7, 8)  # EXIF orientations by a quarter turn

WITHOUT_FACE = (NO_FACE, NO_POINTS)  # the file is whole, but the face in it is not known

BOX_COLUMNS = ("box_left", "box_top", "box_width", "box_height")
POINT_COLUMNS = tuple(f"{point}_{axis}" for point in FIVE_POINTS for axis in "xy")


class UnreadableImage(UserError):
    """An image that cannot be decoded, known by its id; the path may hold a name and is not shown.

    Attributes:
        name: the id.
        reason: one of `REASONS`.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"Image {name} cannot be read ({reason}): replace it, or leave such images out with"
            " data.on_unreadable=skip."
        )
        self.name = name
        self.reason = reason

    def __reduce__(self) -> tuple[type["UnreadableImage"], tuple[str, str]]:
        return UnreadableImage, (self.name, self.reason)  # crosses from a loader's worker to the main process


def read_image(path: Path, *, name: str, colour: Colour = "rgb") -> UInt8[np.ndarray, "h w c"]:
    """The pixels of a file, upright as its EXIF orientation says.

    Transparent pixels are laid on black, 16-bit images are scaled to 8 bit, a grey file becomes three equal channels
    unless grey is asked for; colour becomes grey by the weights of ITU-R BT.601.

    Args:
        path: the file; its content decides the format, not its suffix.
        name: what to call the image in an error: its id.
        colour: order of the channels that come out; "grey" is one.

    Raises:
        UnreadableImage: when the file is missing, empty, cut short or no image.
    """
    try:
        with Image.open(path) as opened:
            pixels = _upright_pixels(opened, colour)
    except FileNotFoundError as error:
        raise UnreadableImage(name, NOT_FOUND) from error
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImage(name, NOT_DECODABLE) from error
    return pixels


def read_size(path: Path, *, name: str) -> tuple[int, int]:
    """(width, height) of the pixels that `read_image` gives, from the head of the file alone.

    Raises:
        UnreadableImage: when the file is missing, empty or no image.
    """
    try:
        with Image.open(path) as opened:
            if opened.format == "TIFF":  # whose size is the upright one before it is loaded, or is not, by Pillow's age
                return ImageOps.exif_transpose(opened).size
            width, height = opened.size
            is_turned = opened.getexif().get(ExifTags.Base.Orientation) in _TURNED
    except FileNotFoundError as error:
        raise UnreadableImage(name, NOT_FOUND) from error
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImage(name, NOT_DECODABLE) from error
    return (height, width) if is_turned else (width, height)


def _upright_pixels(opened: Image.Image, colour: Colour) -> UInt8[np.ndarray, "h w c"]:
    opened.load()
    image = ImageOps.exif_transpose(opened)
    if image.mode in ("I", "I;16", "I;16L", "I;16B", "I;16N"):  # Pillow's own conversion would clip at 255
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    elif image.mode == "F":
        raise ValueError("floating point pixels have no known range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    pixels = np.array(image.convert("L" if colour == "grey" else "RGB"))
    if colour == "grey":
        return pixels[:, :, None]
    return pixels if colour == "rgb" else np.ascontiguousarray(pixels[:, :, ::-1])


class NamedImages(Protocol):
    """Images that are no files, by the names that an index gives them."""

    def of(self, names: Sequence[str]) -> "ImageSource":
        """What opens them in the order of an index's rows."""
        ...


@runtime_checkable
class ImageSource(Protocol):
    """Opens the images of an index by the position of their row."""

    def read(self, row: int, colour: Colour = "rgb") -> UInt8[np.ndarray, "h w c"]:
        """The image of a row.

        Raises:
            UnreadableImage: naming the id of the row.
        """
        ...

    def expect(self, rows: Collection[int]) -> None:
        """Told which rows are read next, so that images which are made together are made so."""
        ...

    def size(self, row: int) -> tuple[int, int]:
        """(width, height) of the image of a row, without decoding it.

        Raises:
            UnreadableImage: naming the id of the row.
        """
        ...

    def stamps(self) -> list[str]:
        """One short text a row that changes when the row's image does."""
        ...


class FileImages:
    """Images that are files below the root of an index."""

    def __init__(self, index: Index) -> None:
        self._root = Path(index.root)
        self._paths: list[str] = index.table["image"].tolist()
        self._ids: list[str] = index.table["id"].tolist()

    def read(self, row: int, colour: Colour = "rgb") -> UInt8[np.ndarray, "h w c"]:
        """The image of a row; see `ImageSource`."""
        return read_image(self._root / self._paths[row], name=self._ids[row], colour=colour)

    def expect(self, rows: Collection[int]) -> None:
        """Nothing to be done: each file is decoded for itself."""

    def size(self, row: int) -> tuple[int, int]:
        """The size of the image of a row; see `ImageSource`."""
        return read_size(self._root / self._paths[row], name=self._ids[row])

    def stamps(self) -> list[str]:
        """Size and time of change of each file, "missing" where there is none."""
        return [stamp(self._root / path) for path in self._paths]


def stamp(path: Path) -> str:
    """Size and time of change of a file, "missing" where there is none."""
    try:
        status = path.stat()
    except OSError:
        return "missing"
    return f"{status.st_size} {status.st_mtime_ns}"


def image_source(index: Index) -> ImageSource:
    """What opens the images of an index: its own source, else files."""
    return FileImages(index) if index.images is None else index.images.of(index.table["image"].tolist())


class FaceImages:
    """The pixels of an index's faces as a network takes them, before any augmentation.

    A set that is cropped keeps its whole images. Otherwise the face box is cut out, and where nobody has looked for
    boxes the whole image stands. Where the spec asks for it, five points are aligned instead.

    Args:
        index: the samples.
        spec: size, crop, alignment and colour.

    Raises:
        UserError: if five points are to be aligned, and the index has none.
    """

    def __init__(self, index: Index, spec: InputSpec) -> None:
        self.ids: list[str] = index.table["id"].tolist()
        self.source = image_source(index)
        self._spec = spec
        require_points(index, spec)
        self.points = _columns(index, POINT_COLUMNS) if spec.alignment == "five_points" else None
        self.boxes = None if index.is_cropped or self.points is not None else _columns(index, BOX_COLUMNS)

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, row: int) -> UInt8[np.ndarray, "h w c"]:
        """The face of a row, (height, width, c) of the spec, channels in its order.

        Raises:
            UnreadableImage: also for a row in whose image no face was found, or whose five points are missing.
        """
        image = self.source.read(row, self._spec.colour)  # first: a file that is not there holds no face, either
        return warp(image, self.matrix(row, (image.shape[1], image.shape[0])), self._spec)

    def expect(self, rows: Collection[int]) -> None:
        """Told which rows are read next; see `ImageSource`."""
        self.source.expect(rows)

    def matrices(self, rows: Int64[np.ndarray, "m"]) -> Float64[np.ndarray, "m 2 3"]:
        """The maps of some rows, NaN for one in whose image no face is known, or whose file's head cannot be read."""
        found = np.full((len(rows), 2, 3), np.nan)
        for place, row in enumerate(rows.tolist()):
            with suppress(UnreadableImage):
                found[place] = self.matrix(row)
        return found

    def matrix(self, row: int, image_size: tuple[int, int] | None = None) -> Float[np.ndarray, "2 3"]:
        """The map from the pixels of a row's photograph to the input's; (x, y), pixel centres at +0.5.

        Args:
            row: position in the index.
            image_size: (width, height) of the photograph; where it matters and is not given, the file is asked.

        Raises:
            UnreadableImage: for a row in whose image no face was found, or whose five points are missing.
        """
        if self.points is not None:
            points = self.points[row].reshape(5, 2)
            if not np.isfinite(points).all():
                raise UnreadableImage(self.ids[row], NO_POINTS)
            return five_point_matrix(points, self._spec)
        if self.boxes is None:
            return crop_matrix(self._spec, image_size=image_size or self.source.size(row))
        left, top, width, height = self.boxes[row].tolist()
        if not np.isfinite(self.boxes[row]).all():
            raise UnreadableImage(self.ids[row], NO_FACE)
        return box_matrix(self._spec, (left, top, width, height))


def known_points(index: Index) -> Float[np.ndarray, "n p 2"] | None:
    """What an index knows of each face: 68 landmarks or else five points, pixels of the photograph; None for neither.

    A point that is not known is NaN.
    """
    for names in (LANDMARK_COLUMNS, POINT_COLUMNS):
        columns = _columns(index, names)
        if columns is not None:
            return columns.reshape(len(index), -1, 2)
    return None


def require_points(index: Index, spec: InputSpec) -> None:
    """Checks that an index has the five points that a spec aligns.

    Raises:
        UserError: otherwise.
    """
    if spec.alignment == "five_points" and not set(POINT_COLUMNS) <= set(index.table):
        raise UserError(
            f"alignment=five_points needs five points of every face, which {index.dataset} does not have;"
            " use alignment=none."
        )


def _columns(index: Index, names: tuple[str, ...]) -> np.ndarray | None:
    """Columns of the table as (n, names) float64, None where it lacks them."""
    return index.table[list(names)].to_numpy(np.float64) if set(names) <= set(index.table) else None
