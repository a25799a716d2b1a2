"""Find the 68 landmarks of every face and write them as a table that the other verbs read.

fer-zoo annotate FILES output=TABLE [target=landmarks] [checkpoint=NAME] [detector=haar|none] [boxes=TABLE] [every=N]
                 [device=auto|cpu|cuda] [--pictures]
fer-zoo annotate dataset=NAME [dataset.KEY=VALUE …] output=TABLE [checkpoint=NAME] [detector=haar|none] [device=auto]

  fer-zoo annotate holiday/ output=points.csv --pictures
  fer-zoo predict holiday/ checkpoint=runs/aligned/0123456789ab boxes=points.csv
  fer-zoo annotate dataset=image_folder dataset.root=my_faces output=points.parquet

checkpoint is a run or a name of `fer-zoo list weights target=landmarks`; without one the landmark weights that ship are
taken. Points are in pixels of the photograph, in the order of iBUG; where no face is found they are missing.

FILES are those of `fer-zoo predict`: every face is a row, known by its file, and an interrupted table goes on. Of a
data set every image is a row, known by its id, and has the largest face. A table of files is read by predict as
boxes=TABLE; both are read in training as data.landmarks=TABLE, with method.alignment=five_points.
"""

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import say
from fer_zoo.core.errors import UserError


def run(command: Command) -> int:
    """Writes the table; says what is used and where it lies."""
    from dataclasses import fields

    from fer_zoo.core.settings import build_settings
    from fer_zoo.engine.annotate import AnnotateSettings, annotate_dataset, annotate_files
    from fer_zoo.engine.photographs import count_left_out, expand_files

    command.allow_flags("--pictures")
    known = tuple(field.name for field in fields(AnnotateSettings))
    words = [(key, text) for key, text in command.settings if key not in known]
    if "dataset" in dict(words) and command.files:
        raise UserError("`fer-zoo annotate` takes files or dataset=NAME, not both.")
    if "dataset" not in dict(words):
        command.options("dataset", *known)
    texts = {key: text for key, text in command.settings if key in known}
    settings = build_settings(AnnotateSettings, texts, where="")
    pictures = "--pictures" in command.flags
    if "dataset" not in dict(words):
        files = expand_files(command.files)
        annotate_files(files, settings, pictures=pictures, left_out=count_left_out(command.files), echo=say)
        return 0
    if pictures:
        raise UserError("--pictures draws files; annotate the folder of the data set, or look at it with check-data.")
    annotate_dataset(words, settings, echo=say)
    return 0
