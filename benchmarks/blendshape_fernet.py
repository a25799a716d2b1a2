"""BlendshapeFERNet's claims on data that everybody can have: `python benchmarks/blendshape_fernet.py`.

Does a second stream that knows blendshapes (or action units, in six levels or not) help over the image stream alone,
and over a second image stream of equal size? Does learning people first help, with all of the training part and with a
quarter of it? Each arm is a quick recipe on one fold of three, three seeds; what is done is not repeated, so that the
command goes on where it stopped. Scores are means over the seeds, with intervals and paired tests over people. Writes
results/blendshape_fernet/ and prints its tables.

`python benchmarks/blendshape_fernet.py synthetic_emotion 100` does one of the data sets and one share alone,
`… random_weights` one of the starts, `… blendshape_fernet_quick with_action_units` some of the arms, by recipe or name.
Lines of the .csv that are not measured anew stay, with p of the arms that they were measured with.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from fer_zoo.core.files import write_text
from fer_zoo.engine.recipe_files import Recipe, Words, read_recipe
from fer_zoo.engine.recipe_scores import score_stage
from fer_zoo.engine.recipes import train_recipe
from fer_zoo.engine.results import read_table
from fer_zoo.engine.run import Run
from fer_zoo.engine.stage_pictures import labelled_features
from fer_zoo.evaluation.against_first import Gain, gain_table, gains
from fer_zoo.evaluation.class_separation import class_separations
from fer_zoo.evaluation.matched_sums import mean_sums
from fer_zoo.evaluation.report_text import as_markdown
from fer_zoo.evaluation.scores import table_sums
from fer_zoo.evaluation.subject_sums import SubjectSums

RESULTS = Path("results/blendshape_fernet")
SEEDS = (0, 1, 2)
IMAGE = "image alone"
Arms = Mapping[str, tuple[str, Words]]
ARMS: Arms = {
    "with blendshapes": ("blendshape_fernet_quick", Words()),
    "with action units": ("au_fernet_quick", Words()),
    "with action units, six levels": ("au_fernet_quick", {"au.dataset.whole_intensities": "true"}),
    "with a second image stream": ("twin_fernet_quick", Words()),
}
DATA = {  # words, and a quarter of the training part
    "synthetic_emotion": ({"dataset": "synthetic_emotion_v1", "protocol.folds": "3"}, 600),
    "facial_expressions": (
        {"dataset": "facial_expressions", "protocol.folds": "3", "protocol.train_samples": "2000"},
        500,
    ),
}
BALANCED = ("facial_expressions",)  # of which one image in fifty shows some of the classes
METRICS = ("accuracy", "mean_class_accuracy")
# The control decides whether it is blendshapes that help; action units of the same faces, whether these do as well.
PAIRS = {
    "with a second image stream": ("with blendshapes", "with action units"),
    "with action units": ("with blendshapes",),
    "with action units, six levels": ("with blendshapes", "with action units"),
}
STARTS = {"people first": [], "random weights": ["identity"]}
KEYS = {"gains": ["start", "arm", "metric", "over"], "class_separation": ["start", "seed", "features"]}


def main() -> None:
    """Trains what is not trained, scores, writes and prints."""
    asked = sys.argv[1:]
    known = {*DATA, "100", "25", *map(typed, (*ARMS, *STARTS)), *(recipe for recipe, _ in ARMS.values())}
    if strays := set(asked) - known:
        sys.exit(f"Unknown: {', '.join(sorted(strays))}. Known: {', '.join(sorted(known))}.")
    arms = {arm: own for arm, own in ARMS.items() if {own[0], typed(arm)} & set(asked)} or ARMS
    starts = {start: without for start, without in STARTS.items() if typed(start) in asked} or STARTS
    for data in [name for name in DATA if name in asked] or DATA:
        for share in [int(word) for word in asked if word.isdecimal()] or (100, 25):
            compare(data, share, arms, starts)


def typed(name: str) -> str:
    """A name as one word."""
    return name.replace(" ", "_")


def compare(data: str, share: int, arms: Arms, starts: Mapping[str, list[str]]) -> None:
    """Arms on a share of a data set, with and without the people's stage: a table each, and two .csv of both."""
    of_start: dict[str, dict[str, SubjectSums]] = {}
    for start, without in starts.items():
        runs = {seed: of_seed(data, share, arms, without, seed) for seed in SEEDS}
        seeds = {arm: [sums_of(runs[seed][arm]) for seed in SEEDS] for arm in runs[SEEDS[0]]}
        sums = of_start[start] = {arm: mean_sums(own) for arm, own in seeds.items()}
        found = gains(sums, METRICS)
        text = as_markdown([gain_table(found, f"{data}, {share} %, {start}")], [seeds_sentence(seeds)])
        write_text(RESULTS / f"{data}_{share}_{typed(start)}.md", text)
        print(text)
        pairs = {IMAGE: found, **{first: over(sums, first, others) for first, others in PAIRS.items() if first in sums}}
        record(data, share, "gains", [row_of(gain, start, first) for first, own in pairs.items() for gain in own])
        separations = [{"start": start, "seed": seed, **row} for seed in SEEDS for row in separation_rows(runs[seed])]
        record(data, share, "class_separation", separations)
    if len(of_start) == len(STARTS):
        record(data, share, "gains", people_rows(of_start))


def people_rows(of_start: Mapping[str, Mapping[str, SubjectSums]]) -> list[dict[str, object]]:
    """Does learning people first help?"""
    rows = []
    for arm, first in of_start["people first"].items():
        found = gains({"random weights": of_start["random weights"][arm], "people first": first}, METRICS)
        rows += [row_of(gain, gain.name, "random weights") | {"arm": arm} for gain in found]
    return rows


def record(data: str, share: int, name: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Lines of a .csv, in place of those that say the same."""
    path = RESULTS / f"{data}_{share}_{name}.csv"
    new = pd.DataFrame(rows)
    table = pd.concat([pd.read_csv(path), new]).drop_duplicates(KEYS[name], keep="last") if path.exists() else new
    write_text(path, table.to_csv(index=False, float_format="%.4f", lineterminator="\n"))


def row_of(gain: Gain, start: str, over: str) -> dict[str, object]:
    """A gain as a line of a table."""
    ends = {"gain_low": gain.gain.interval.low, "gain_high": gain.gain.interval.high}
    score = {"score": gain.score.value, "low": gain.score.interval.low, "high": gain.score.interval.high}
    named = {"start": start, "arm": gain.name, "metric": gain.metric}
    return {**named, **score, "over": over, "gain": gain.gain.value, **ends, "p": gain.p}


def over(sums: dict[str, SubjectSums], first: str, others: tuple[str, ...]) -> list[Gain]:
    """What some arms gain over another one than the image stream alone."""
    return gains({arm: sums[arm] for arm in (first, *others) if arm in sums}, METRICS)


def of_seed(data: str, share: int, arms: Arms, without: list[str], seed: int) -> dict[str, Run]:
    """Arm -> its run, scored on the test part; the image stream alone comes first."""
    words, quarter = DATA[data]
    words = {**words, "seed": str(seed), "data.workers": "1"}
    if share == 25:
        words["protocol.train_samples"] = str(quarter)
    found: dict[str, Run] = {}
    for arm, (name, own) in arms.items():
        recipe = read_recipe(name)
        recipe = recipe.without(without) if without else recipe
        done = train_recipe(recipe, {**words, **own, **balanced(recipe, data)}, echo=print)
        found.setdefault(IMAGE, done.runs["image"])
        found[arm] = done.last
    for run in found.values():
        score_stage(run, echo=print)
    return found


def balanced(recipe: Recipe, data: str) -> Words:
    """Classes drawn equally often, in the stages that learn emotions of unbalanced data."""
    stages = [stage.name for stage in recipe.stages if not stage.has_own_data]
    return {f"{stage}.data.sampling": "class_balanced" for stage in stages if data in BALANCED}


def sums_of(run: Run) -> SubjectSums:
    """What scores of a run on its test part are made of."""
    return table_sums(read_table(run.folder / "test"), run.index.space(run.target))


def separation_rows(runs: Mapping[str, Run]) -> list[dict[str, object]]:
    """How far apart the classes lie in what each arm's last layer sees of the same test images, and over the first."""
    images = labelled_features(runs, next(iter(runs.values())).index.space("emotion"))
    rows = []
    for one in class_separations(images.sets, images.classes, images.subjects):
        own = {"features": one.name, "images": len(images.classes), "people": len(set(images.subjects))}
        for kind, estimates in (("", one.values), ("over_first_", one.gains)):
            for metric, estimate in estimates.items():
                ends = (estimate.value, estimate.interval.low, estimate.interval.high)
                own |= dict(zip((f"{kind}{metric}{end}" for end in ("", "_low", "_high")), ends, strict=True))
        rows.append(own)
    return rows


def seeds_sentence(seeds: Mapping[str, Sequence[SubjectSums]]) -> str:
    """The accuracy that each seed had."""
    own = {arm: [gains({"it": sums}, ("accuracy",))[0].score.value for sums in found] for arm, found in seeds.items()}
    shown = "; ".join(f"{arm} {', '.join(f'{value:.3f}' for value in values)}" for arm, values in own.items())
    return f"accuracy of seeds {', '.join(map(str, SEEDS))}: {shown}"


if __name__ == "__main__":
    main()
