"""Train and evaluate every fold of a protocol, then score all test predictions together.

fer-zoo crossvalidate method=NAME dataset=NAME [protocol=NAME] [KEY=VALUE …] [--dry-run] [--json]
fer-zoo crossvalidate experiment=NAME [KEY=VALUE …]

  fer-zoo crossvalidate method=timm_classifier dataset=facial_expressions protocol.folds=5 --dry-run
  fer-zoo crossvalidate method=timm_classifier dataset=image_folder dataset.root=my_faces protocol=subject_kfold

Settings are those of `fer-zoo train`, without fold. Folds that are done are not repeated.

--dry-run lists the folds, their sizes and their state, and trains nothing. --json prints the report, or the list, as
JSON.
"""

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import print_json, print_rows, say, say_aside


def run(command: Command) -> int:
    """Runs all folds and prints the report."""
    from fer_zoo.engine.config import compose

    command.allow_flags("--dry-run", "--json")
    command.no_files()
    as_json = "--json" in command.flags
    echo = say_aside if as_json else say
    config = compose(command.settings, verb="crossvalidate")

    from fer_zoo.engine.crossvalidate import crossvalidate, describe_folds, folds

    if "--dry-run" in command.flags:
        columns = ("fold", "train", "validation", "test", "state", "folder")
        print_rows(describe_folds(folds(config, echo=echo)), columns, as_json=as_json)
        return 0
    report, folder = crossvalidate(config, echo=echo)
    print_json(report.to_dict()) if as_json else print(report.to_text())
    echo(f"report, predictions and pictures: {folder}")
    return 0
