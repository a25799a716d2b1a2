"""Score a checkpoint on people it has never seen.

fer-zoo evaluate CHECKPOINT [track=NAME | dataset=NAME] [calibrated=true] [KEY=VALUE …] [output=FOLDER] [--json]

CHECKPOINT is a run's folder or a checkpoint's. Without a data set it is scored on the test part of its own fold;
another data set is scored whole, or on the test part of a protocol that is named.

  fer-zoo evaluate runs/timm_classifier_facial_expressions/0123456789ab
  fer-zoo evaluate runs/first/0123456789ab dataset=image_folder dataset.root=my_faces output=scores
  fer-zoo evaluate runs/first/0123456789ab calibrated=true
  fer-zoo evaluate runs/first/0123456789ab track=facial_expressions

calibrated=true scores the probabilities at the temperature that training fitted on its validation part; no answer
changes, and the results lie beside the uncalibrated ones.

track=NAME scores it as a leaderboard does: on the fold of the track that it was trained on, or, trained on other data,
on all test people of the track; track.json beside the report says which and holds the hash.

Settings: dataset.KEY, protocol.KEY, data.KEY, trainer and fold, as in `fer-zoo train`; the precision is that of the
training where it set one. Beside the scores stand the guesses that need no photograph; report, predictions and pictures
are written to a folder, which the last line names.

--json prints the report as JSON.
"""

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import print_json, say, say_aside


def run(command: Command) -> int:
    """Prints the report."""
    command.allow_flags("--json")
    checkpoint = command.one_name("checkpoint", "`fer-zoo train` makes them.")
    as_json = "--json" in command.flags

    from fer_zoo.engine.evaluate import evaluate

    report, folder = evaluate(checkpoint, command.settings, echo=say_aside if as_json else say)
    if as_json:
        print_json(report.to_dict())
    else:
        print(report.to_text())
        say(f"report, predictions and pictures: {folder}")
    return 0
