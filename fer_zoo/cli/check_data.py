"""Read every file of a data set and say what was found, against what a complete copy holds.

fer-zoo check-data NAME [root=FOLDER] [KEY=VALUE …] [protocol=NAME] [--pictures [method=NAME | checkpoint=PATH] …]

KEY is a setting of the data set, see `fer-zoo info NAME`.

  fer-zoo check-data facial_expressions
  fer-zoo check-data image_folder root=my_faces
  fer-zoo check-data image_folder root=my_faces --pictures method.image_size=64 data.augmentation=strong
  fer-zoo check-data table root=photos file=labels.csv label_column=mood subject_column=who --json
  fer-zoo check-data facial_expressions protocol=subject_holdout protocol.test_share=0.3

Images that are nearly the same are found and grouped, and the test images are counted that have one of their group in
training, in the splits of protocol=NAME with its protocol.KEY (else in those that the data set's card recommends).

--pictures draws a sheet a class: photographs with face box, crop and points, and what a network is given of them in
evaluation and in training. Its settings: method and method.KEY, or checkpoint, say whose input it is; data.augmentation
and data.detector as in training; samples (on a sheet), seed, output=FOLDER (else data_pictures/NAME). Near-duplicates
have a sheet of their own.

--json prints the report as JSON. --show-paths adds the file of each id that is named or drawn; names of files may be
names of people. Exit code 1 says that files are missing or unreadable, or that counts differ from the card.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import print_facts, print_heading, print_json, say, say_aside
from fer_zoo.core.errors import UserError, nearest
from fer_zoo.core.registry import DATASETS

if TYPE_CHECKING:
    from fer_zoo.data.checks import Report
    from fer_zoo.data.index import Index
    from fer_zoo.engine.data_pictures import DrawnPictures

PICTURE_SETTINGS = ("method", "checkpoint", "data", "samples", "seed", "output")  # of groups the part before the dot
Echo = Callable[[str], None]
Settings = list[tuple[str, str]]


def run(command: Command) -> int:
    """Prints the report of a check, and draws the pictures that are asked for."""
    from fer_zoo.data.checks import check_dataset
    from fer_zoo.data.open import open_dataset
    from fer_zoo.engine.config import protocol_from_words
    from fer_zoo.engine.setting_texts import settings_from_texts

    command.allow_flags("--pictures", "--json", "--show-paths")
    card = DATASETS[command.one_name("data set", "`fer-zoo list datasets` shows them.")]
    given, of_pictures, words = _sorted_settings(command, [field.name for field in fields(card.settings)])
    protocol = protocol_from_words(words, card.protocol)
    root = dict(given).get("root")
    own = [(key, text) for key, text in given if key != "root"]
    known = ("root", *(field.name for field in fields(card.settings)))
    for key, _ in own:
        if key.partition(".")[0] not in known:
            raise UserError(f"There is no setting {key}.{nearest(key, known)} Known: {', '.join(known)}.")
    settings = settings_from_texts(card.settings, own)
    index = open_dataset(card.name, root, **settings)
    draw = _pictures(index, of_pictures) if "--pictures" in command.flags else None
    report = check_dataset(index, card, protocol, must_split=bool(words))
    as_json = "--json" in command.flags
    if not as_json:
        print(report.to_text() + ("\n" if draw else ""))
    drawn = draw(report, say_aside if as_json else say) if draw else None
    named = dict.fromkeys([*_named_ids(report), *(drawn.ids if drawn else [])])
    paths = _paths(index, named) if "--show-paths" in command.flags else {}
    if as_json:
        more = {"paths": paths} if paths else {}
        print_json(report.to_dict() | more | ({"pictures": drawn.paths} if drawn else {}))
    elif paths:
        print_heading("files of the ids above and on the pictures" if drawn else "files of the ids above")
        print_facts(paths)
    elif report.missing or report.unreadable:
        say("--show-paths shows the files of the ids above.")
    return 0 if report.is_clean else 1


def _sorted_settings(command: Command, known: Sequence[str]) -> tuple[Settings, Settings, Settings]:
    """The settings of the data set, which are known, without "dataset.", of the pictures and the protocol."""
    is_drawn = "--pictures" in command.flags
    of_dataset, of_pictures, of_protocol = Settings(), Settings(), Settings()
    for key, text in command.settings:
        if key.partition(".")[0] == "protocol":
            of_protocol.append((key, text))
        elif key.partition(".")[0] not in PICTURE_SETTINGS:
            if is_drawn and key not in known and (hint := nearest(key, PICTURE_SETTINGS)):
                raise UserError(f"There is no setting {key}.{hint}")
            of_dataset.append((key.removeprefix("dataset."), text))
        elif is_drawn:
            of_pictures.append((key, text))
        else:
            raise UserError(f"{key} is about pictures of the data: add --pictures, or leave it out.")
    return of_dataset, of_pictures, of_protocol


def _pictures(index: "Index", settings: Settings) -> "Callable[[Report, Echo], DrawnPictures]":
    """What draws the pictures; a wrong setting is told before any file is read."""
    from fer_zoo.engine.data_pictures import draw_pictures, plan_pictures

    plan = plan_pictures(index, settings)
    return lambda report, echo: draw_pictures(index, plan, report.near_duplicates.groups, echo=echo)


def _named_ids(report: "Report") -> Iterable[str]:
    """Every id that a report names."""
    yield from (*report.missing, *report.unreadable, *report.contradictory)
    for group in (*report.duplicates, *report.near_duplicates.groups):
        yield from group


def _paths(index: "Index", ids: Iterable[str]) -> dict[str, str]:
    """id -> file, for the samples that are still in the index."""
    files = dict(zip(index.table["id"], index.table["image"], strict=True))
    return {entry: str(index.root / files[entry]) for entry in ids if entry in files}
