"""Read every file of a data set and say what was found, against what a complete copy holds.

fer-zoo check-data NAME [root=FOLDER] [KEY=VALUE …]

KEY is a setting of the data set, see `fer-zoo info NAME`.

  fer-zoo check-data facial_expressions
  fer-zoo check-data image_folder root=my_faces
  fer-zoo check-data table root=photos file=labels.csv label_column=mood subject_column=who --json

--json prints the report as JSON. --show-paths adds the file of each id that is named; names of files may be names of
people. Exit code 1 says that files are missing or unreadable, or that counts differ from the card.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import print_facts, print_heading, print_json
from fer_zoo.core.registry import DATASETS

if TYPE_CHECKING:
    from fer_zoo.data.checks import Report
    from fer_zoo.data.index import Index


def run(command: Command) -> int:
    """Prints the report of a check."""
    from fer_zoo.data.checks import check_dataset
    from fer_zoo.data.open import open_dataset
    from fer_zoo.engine.setting_texts import settings_from_texts

    command.allow_flags("--json", "--show-paths")
    card = DATASETS[command.one_name("data set", "`fer-zoo list datasets` shows them.")]
    given = [(key.removeprefix("dataset."), text) for key, text in command.settings]
    root = dict(given).get("root")
    own = [(key, text) for key, text in given if key != "root"]
    settings = settings_from_texts(card.settings, own)
    index = open_dataset(card.name, root, **settings)
    report = check_dataset(index, card)
    paths = _paths(index, _named_ids(report)) if "--show-paths" in command.flags else {}
    if "--json" in command.flags:
        print_json(report.to_dict() | ({"paths": paths} if paths else {}))
    else:
        print(report.to_text())
        if paths:
            print_heading("files of the ids above")
            print_facts(paths)
    return 0 if report.is_clean else 1


def _named_ids(report: "Report") -> Iterable[str]:
    """Every id that a report names."""
    yield from (*report.missing, *report.unreadable, *report.contradictory)
    for group in report.duplicates:
        yield from group


def _paths(index: "Index", ids: Iterable[str]) -> dict[str, str]:
    """id -> file, for the samples that are still in the index."""
    files = dict(zip(index.table["id"], index.table["image"], strict=True))
    return {entry: str(index.root / files[entry]) for entry in ids if entry in files}
