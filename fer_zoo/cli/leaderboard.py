"""Train methods on a track with several seeds, and rank what can be compared.

fer-zoo leaderboard run track=NAME methods=A,B [seeds=1] [processes=1] [KEY=VALUE …] [--print-jobs]
fer-zoo leaderboard show track=NAME [records=FOLDER] [--csv | --markdown | --json]

  fer-zoo leaderboard run track=facial_expressions methods=timm_classifier:backbone=resnet10t,timm_classifier seeds=3
  fer-zoo leaderboard run track=facial_expressions methods=timm_classifier seeds=3 trainer.max_epochs=4 --print-jobs
  fer-zoo leaderboard show track=facial_expressions

A track (`fer-zoo list tracks`, or a file of your own, track=PATH.yaml) fixes data, folds, metrics and rules. methods=
names methods or experiments, each perhaps with settings of its own: NAME:KEY=VALUE:KEY=VALUE. Every method × seed ×
fold is one job; what is done is not repeated, and what failed is a row with its reason. A linear layer on the pixels
joins by itself; what is worse than it is said.

KEY=VALUE are settings of all jobs, as in `fer-zoo train`: trainer.KEY, data.KEY, method.KEY, dataset.root. processes=N
works on N jobs at a time; --print-jobs prints a command for each instead. seed=S and fold=K do one of them, which
writes no record; the command without them writes the records of all that is done. output=runs and records=runs/records
say where jobs and records lie.

show reads the records alone, no data and no weights: score with interval, rank with ties, noise of seeds and folds,
what choosing on the test part would have gained, coverage, cost. Records of another track are listed apart.
"""

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import print_json, say, say_aside
from fer_zoo.core.errors import UserError, unknown_name

_VERBS = ("run", "show")
_OWN = ("track", "methods", "seeds", "seed", "fold", "processes", "records")


def run(command: Command) -> int:
    """Runs jobs, or shows the table."""
    verb = command.one_name("word, run or show", "`fer-zoo leaderboard --help` shows examples.")
    if verb not in _VERBS:
        raise unknown_name("part of leaderboard", verb, _VERBS)
    return _run(command) if verb == "run" else _show(command)


def _run(command: Command) -> int:
    command.allow_flags("--print-jobs", "--json")
    own = {key: text for key, text in command.settings if key in _OWN}
    settings = [(key, text) for key, text in command.settings if key not in _OWN]
    prints = "--print-jobs" in command.flags
    echo = say_aside if prints or "--json" in command.flags else say

    from fer_zoo.leaderboard.run import LeaderboardRun, print_jobs, run_leaderboard

    plan = LeaderboardRun.from_texts(own, settings, echo=echo)
    if prints:
        lines = print_jobs(plan)
        print_json(lines) if "--json" in command.flags else print("\n".join(lines))
        return 0
    records = run_leaderboard(plan, echo=echo)
    if not plan.is_narrow:
        _print(plan.track_name, records, command)
    return 0


def _show(command: Command) -> int:
    command.allow_flags("--csv", "--markdown", "--json")
    wanted = command.options("track", "records")
    if "track" not in wanted:
        raise UserError("`fer-zoo leaderboard show` needs track=NAME; `fer-zoo list tracks` shows them.")
    _print(wanted["track"], wanted.get("records", "runs/records"), command)
    return 0


def _print(track: str, records: str, command: Command) -> None:
    from pathlib import Path

    from fer_zoo.leaderboard.standings import standings_of
    from fer_zoo.leaderboard.views import as_csv, as_markdown, as_text

    board = standings_of(Path(records), track)
    if "--json" in command.flags:
        print_json(board.to_dict())
    elif "--csv" in command.flags:
        print(as_csv(board), end="")
    else:
        print(as_markdown(board) if "--markdown" in command.flags else as_text(board), end="")
