"""Text files of numbers, as data sets keep labels and points in."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from fer_zoo.core.errors import UserError
from fer_zoo.data.layout import below


def read_numbers(root: Path, file: Path, *, width: int) -> Float[np.ndarray, "n {width}"]:
    """The numbers of a file, a row a line; blank lines are skipped, an empty file gives no rows.

    Args:
        root: of the data set, to which the message gives the path.
        file: numbers with blanks between, in any notation that Python reads.
        width: how many stand in a line.

    Raises:
        UserError: for a file that cannot be read, a line of another length, or a word that is no finite number.
    """
    try:
        lines = [line.split() for line in file.read_text(encoding="ascii").splitlines() if line.strip()]
        numbers = np.array([[float(word) for word in line] for line in lines], np.float64).reshape(-1, width)
        is_sound = all(len(line) == width for line in lines) and bool(np.isfinite(numbers).all())
    except (OSError, ValueError):
        is_sound = False
    if not is_sound:
        words = "one number" if width == 1 else f"{width} numbers"
        raise UserError(f"{below(root, file)} is damaged: lines of {words} are expected; copy it again.")
    return numbers
