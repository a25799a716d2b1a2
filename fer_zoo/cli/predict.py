"""Find every face on photographs and say what a checkpoint sees in it.

fer-zoo predict FILES checkpoint=PATH [output=TABLE] [detector=haar|none] [device=auto|cpu|cuda] [--pictures] [--json]

FILES are photographs, folders, patterns, or a .txt file with a path in each line. Every face is a row; a photograph
without one is a row that says so.

  fer-zoo predict holiday.jpg checkpoint=runs/demo/0123456789ab
  fer-zoo predict photos/ checkpoint=runs/demo/0123456789ab output=faces.parquet --pictures
  fer-zoo predict crops.txt checkpoint=runs/demo/0123456789ab detector=none output=faces.csv

output ends in .csv, .parquet or .json, is written as rows come and never replaces a file; without it the rows are
printed, with --json as JSON. detector=none takes every image for a face. --pictures writes each photograph with its
faces marked into a folder beside the output.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import print_rows, say, say_aside
from fer_zoo.core.errors import UserError

if TYPE_CHECKING:
    from fer_zoo.engine.predict import Predictor

Row = Mapping[str, Any]
_PRINTED = Path("predictions")  # the pictures' folder is called after it where no table is written
_BOX = ("face_found", "face_x", "face_y", "face_width", "face_height", "face_score")  # too much for a terminal


def run(command: Command) -> int:
    """Writes or prints the rows, and says how many faces were found."""
    from fer_zoo.engine.photographs import expand_files, make_folder
    from fer_zoo.engine.row_writer import RowWriter, check_output

    command.allow_flags("--pictures", "--json")
    wanted = command.options("checkpoint", "output", "detector", "device")
    output, as_json = _output(wanted, command)
    if output:
        check_output(output)
    photographs = expand_files(command.files)
    predictor = _predictor(wanted)
    tell = say if output else say_aside
    tell(f"device: {predictor.device}; detector: {predictor.detector_name}; photographs: {len(photographs)}")
    folder = _pictures_folder(output or _PRINTED) if "--pictures" in command.flags else None
    if folder:
        make_folder(folder)
    counts: Counter[str] = Counter()
    columns, printed = predictor.columns(), list[Row]()
    start = time.perf_counter()
    with RowWriter(output, columns) if output else nullcontext() as writer:
        for rows in _rows(predictor, photographs, folder):
            counts.update(row["problem"] or "faces" for row in rows)
            if writer:
                writer.write(rows)
            else:
                printed += [{column: row.get(column) for column in columns} for row in rows]
    rate = len(photographs) / (time.perf_counter() - start)
    if not output:
        _print(printed, columns, as_json=as_json)
    tell("; ".join(f"{what}: {count}" for what, count in counts.items()) + f"; {rate:.1f} photographs a second")
    for place in filter(None, (output, folder)):
        tell(f"written: {place}")
    return 0


def _output(wanted: Mapping[str, str], command: Command) -> tuple[Path | None, bool]:
    """Where the rows go, and whether they are printed as JSON."""
    if "checkpoint" not in wanted:
        raise UserError("`fer-zoo predict` needs checkpoint=PATH, the folder of a run or of a checkpoint.")
    as_json = "--json" in command.flags
    if "output" in wanted and as_json:
        raise UserError("--json prints the rows; with output=NAME.json they are written as JSON. Keep one of them.")
    return (Path(wanted["output"]) if "output" in wanted else None), as_json


def _predictor(wanted: Mapping[str, str]) -> "Predictor":
    """The checkpoint's method with its detector, on the device."""
    import torch

    from fer_zoo.engine.checkpoint import load_method
    from fer_zoo.engine.predict import Predictor

    device = wanted.get("device", "auto").replace("gpu", "cuda")
    known = ["auto", "cpu", "cuda", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if device not in known or (device == "cuda" and not torch.cuda.is_available()):
        here = ", ".join(known if torch.cuda.is_available() else known[:2])
        raise UserError(f"device is {device!r}; this machine has {here}.")
    task = load_method(wanted["checkpoint"])
    return Predictor(task, detector_name=wanted.get("detector", "haar"), device=None if device == "auto" else device)


def _rows(predictor: "Predictor", photographs: Sequence[Path], folder: Path | None) -> Iterator[Sequence[Row]]:
    """The rows of each photograph; its picture is drawn on the way."""
    from fer_zoo.engine.photographs import annotate, picture_path

    for number, (found, rows) in enumerate(predictor.rows(photographs)):
        if folder is not None:
            annotate(found, rows, picture_path(folder, number, photographs[number]))
        yield rows


def _pictures_folder(output: Path) -> Path:
    return output.with_name(f"{output.stem}_pictures")


def _print(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """All of each row as JSON, or what fits a terminal."""
    if as_json:
        print_rows(rows, columns, as_json=True)
        return
    shown = [column for column in columns if column not in _BOX]
    short = [
        {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()} for row in rows
    ]
    print_rows(short, shown, as_json=False)
