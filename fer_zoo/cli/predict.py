"""Find every face on photographs and videos and say what a checkpoint sees in it.

fer-zoo predict FILES [checkpoint=PATH | method=NAME] [output=TABLE] [detector=haar|none] [boxes=TABLE]
                [landmarks=NAME] [every=N] [track=true] [calibrated=true] [face_model=NAME] [device=auto|cpu|cuda]
                [--pictures] [--json]

FILES are photographs, videos, folders, patterns, or a .txt file with a path in each line. Every face is a row, in a
video of every frame; a picture without one is a row that says so. checkpoint is the folder of a run or a name of
`fer-zoo list weights`; without one the default weights for emotions are taken, or with method=NAME those of a method.

  fer-zoo predict photo.jpg
  fer-zoo predict holiday.jpg checkpoint=runs/demo/0123456789ab
  fer-zoo predict holiday.jpg method=blendshape_net --pictures
  fer-zoo predict photos/ checkpoint=runs/demo/0123456789ab output=faces.parquet --pictures
  fer-zoo predict clip.mp4 checkpoint=runs/demo/0123456789ab output=clip.csv every=5 track=true --pictures
  fer-zoo predict clip.mp4 checkpoint=runs/demo/0123456789ab boxes=boxes.csv output=clip.csv
  fer-zoo predict crops.txt checkpoint=runs/demo/0123456789ab detector=none output=faces.csv

output ends in .csv, .parquet or .json and never replaces a file. It grows as NAME.partial.csv; after an interruption
the same command goes on behind the last whole picture. Without it the rows are printed, with --json as JSON.
every=N looks at each N-th frame of a video. track=true numbers faces by overlap from frame to frame, which is no
promise of identity. detector=none takes every image for a face; boxes=TABLE has your own boxes or landmarks instead, or
is a folder of .pts files or of OpenFace's .csv files. landmarks=NAME: weights that find the points of each face, for a
checkpoint that aligns faces by five points.
calibrated=true gives probabilities at the temperature that training fitted. --pictures writes each photograph, and a
clip of each video, with its faces marked into a folder beside the output. Predicted values stand beside a photograph as
bars, blendshapes and sliders also on a face: face_model=procedural, ict or none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import print_rows, say, say_aside
from fer_zoo.core.errors import UserError

Row = Mapping[str, Any]
# Too much for a terminal.
_BOX = ("seconds", "face_found", "face_x", "face_y", "face_width", "face_height", "face_score")


def run(command: Command) -> int:
    """Writes or prints the rows, and says how many faces were found."""
    from dataclasses import fields

    from fer_zoo.core.settings import build_settings
    from fer_zoo.engine.photographs import count_left_out, expand_files
    from fer_zoo.engine.predict_files import predict_files
    from fer_zoo.engine.predict_settings import PredictSettings, with_default

    command.allow_flags("--pictures", "--json")
    texts = command.options(*(field.name for field in fields(PredictSettings)))
    settings = build_settings(PredictSettings, texts, where="")
    with_default(settings, "emotion")  # that there are none is told before any file is looked for
    as_json = "--json" in command.flags
    if settings.output and as_json:
        raise UserError("--json prints the rows; with output=NAME.json they are written as JSON. Keep one of them.")
    files = expand_files(command.files)
    tell = say if settings.output else say_aside
    rows, columns = predict_files(
        files, settings, pictures="--pictures" in command.flags, left_out=count_left_out(command.files), echo=tell
    )
    if not settings.output:
        _print(rows, columns, as_json=as_json)
    return 0


def _print(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool) -> None:
    """All of each row as JSON, or what fits a terminal."""
    if as_json:
        print_rows(rows, columns, as_json=True)
        return
    is_still = all(row["frame"] is None for row in rows)
    shown = [column for column in columns if column not in _BOX and not (is_still and column == "frame")]
    short = [
        {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()} for row in rows
    ]
    print_rows(short, shown, as_json=False)
