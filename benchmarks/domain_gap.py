"""How a network that saw drawn faces alone does on others and on photographs: `python benchmarks/domain_gap.py`.

The network of emotion_small (experiment=timm_classifier_synthetic_faces) learns seven emotions from 4,000 faces of
people of both face models in turn; of procedural alone, of ict alone, and of both under the narrower priors that there
were at first. It is scored on 1,000 faces of unseen people of each, and on the photographs of facial_expressions: six
classes, and happiness against neutral; so are all of these networks together, and the weights that ship. Differences
are paired over people. What is done is not repeated. Writes results/domain_gap.csv and
results/domain_gap_differences.csv and prints the first.

`python benchmarks/domain_gap.py large` does the same for a network of thirty times the size and as many faces as a
first trial had (results/domain_gap_large.csv); `… two_streams` for the recipe of emotion_fernet_small under the
narrower priors, and with people of ict alone (results/domain_gap_two_streams.csv).
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd

import fer_zoo
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.engine.recipe_files import read_recipe
from fer_zoo.engine.recipes import train_recipe
from fer_zoo.evaluation.against_first import gains
from fer_zoo.evaluation.prediction_table import read_predictions
from fer_zoo.evaluation.report import EvaluationReport, evaluate_table
from fer_zoo.evaluation.scores import table_sums

RESULTS = Path("results")
PHOTOS = "facial_expressions"
EXPERIMENT = {"experiment": "timm_classifier_synthetic_faces"}
NARROW = {  # as the priors were at first
    "dataset.emotions.weakest": 0.5,
    "dataset.emotions.distractors": 2,
    "dataset.emotions.distraction": 0.12,
    "dataset.emotions.blinks": 0.08,
    "dataset.emotions.resting": 0,
    "dataset.skin.creases": 0,
    "dataset.skin.dim": 0,
    "dataset.pose.yaw": 12,
    "dataset.pose.pitch": 6,
    "dataset.pose.roll": 5,
    "dataset.camera.zoom": 0.08,
    "dataset.camera.shift": 0.03,
    "dataset.light.ambient_least": 0.22,
    "dataset.light.ambient_most": 0.5,
    "dataset.background.contrast": 0.25,
    "dataset.camera.lower": 0,
    "dataset.capture.patches": 0,
    "dataset.capture.contrast": 0.2,
    "dataset.capture.brightness": 0.06,
    "dataset.capture.blur": 0.012,
    "dataset.capture.noise": 0.03,
    "dataset.capture.grey": 0.2,
}
ROWS = {
    "procedural": {"dataset.face_model": "procedural"},
    "ict": {"dataset.face_model": "ict"},
    "both": {"dataset.face_model": "procedural+ict"},
    "both, narrow priors": {"dataset.face_model": "procedural+ict", **NARROW},
    "both, another seed": {"dataset.face_model": "procedural+ict", "seed": 1},
    "both, narrow priors, another seed": {"dataset.face_model": "procedural+ict", "seed": 1, **NARROW},
}
LARGE = {
    "both, 14,500 faces, ResNet-18": {
        "dataset.face_model": "procedural+ict",
        "dataset.num_samples": 14_500,
        "method.backbone": "resnet18",
        "method.image_size": 64,
        "method.learning_rate": 0.001,
        "data.batch_size": 64,
        "trainer.max_epochs": 8,
    },
}
SHIPPED = ("emotion_fernet_small",)
AGAINST = {  # whose photographs are compared with whose
    "both": ("procedural", "ict", "both, narrow priors", "emotion_fernet_small"),
    "both, another seed": ("ict", "both, narrow priors, another seed"),
}
TWO_STREAMS = {"two streams, narrow priors": NARROW, "two streams, ict": {"dataset.face_model": "ict"}}
TABLES = {"domain_gap": ROWS, "domain_gap_large": LARGE, "domain_gap_two_streams": TWO_STREAMS}
USUAL = {key: reduce(getattr, key.split(".")[1:], SynthesisSettings()) for key in NARROW}  # whatever was learned from
UNSEEN = {"dataset": "synthetic_faces", "dataset.num_samples": 1000, "dataset.seed": 91, **USUAL}
HEADS = {head: {**UNSEEN, "dataset.face_model": head} for head in ("procedural", "ict")}
SIX = ("anger", "disgust", "happiness", "neutral", "sadness", "surprise")  # fear has 21 photographs
PHOTOGRAPHS = {"photographs, six classes": SIX, "happiness and neutral": ("happiness", "neutral")}


CENTRED = "six classes, means subtracted"
Predictions = Mapping[str, tuple[pd.DataFrame, LabelSpace]]  # by what they are of


def main() -> None:
    """Trains, scores, writes and prints."""
    name = "_".join(["domain_gap", *sys.argv[1:2]])
    trained = trained_streams if name == "domain_gap_two_streams" else trained_network
    learned = {row: predictions_of(trained(words)) for row, words in TABLES[name].items()}
    RESULTS.mkdir(exist_ok=True)
    if name == "domain_gap":
        learned["all of these together"] = together(list(learned.values()))
        learned |= {weights: predictions_of(weights) for weights in SHIPPED}
        differ = pd.DataFrame([one for first, others in AGAINST.items() for one in differences(learned, first, others)])
        differ.to_csv(RESULTS / f"{name}_differences.csv", index=False, lineterminator="\n", float_format="%.4f")
    found = pd.DataFrame([row for who, own in learned.items() for row in rows_of(who, own)])
    found.to_csv(RESULTS / f"{name}.csv", index=False, lineterminator="\n", float_format="%.4f")
    text = found.apply(lambda one: f"{one['value']:.3f} [{one['low']:.3f}, {one['high']:.3f}]", axis=1)
    wide = found.assign(text=text).pivot(index="learned from", columns="scored on", values="text")
    tests = list(found["scored on"].unique())
    print("|".join(["", "learned from", *tests, ""]), "|---" * (1 + len(tests)) + "|", sep="\n")
    for who in learned:
        print("|".join(["", who, *wide.loc[who, tests], ""]))


def trained_network(words: Mapping[str, object]) -> Path:
    """The run of one network."""
    return fer_zoo.train({**EXPERIMENT, **words}, echo=print)


def trained_streams(words: Mapping[str, object]) -> Path:
    """The run of two streams and of all that they start from."""
    asked = {key: str(value) for key, value in words.items()}
    return train_recipe(read_recipe("blendshape_fernet_small"), asked, echo=print).last.folder


def predictions_of(checkpoint: Path | str) -> Predictions:
    """What a network says of drawn faces and of photographs."""
    found = {}
    for test, data in {**HEADS, PHOTOS: {"dataset": PHOTOS}}.items():
        output = Path("runs/domain_gap") / checkpoint if isinstance(checkpoint, str) else checkpoint / "domain_gap"
        _, folder = fer_zoo.evaluate(checkpoint, {**data, "output": str(output / test)})
        table, meta = read_predictions(folder / "predictions.parquet")
        found[test] = table, meta.space
    return found


def together(several: Sequence[Predictions]) -> Predictions:
    """What networks say together: the mean of their outputs, of the same images."""
    found = {}
    for test, (table, space) in several[0].items():
        columns = [f"prob_{name}" for name in space.entries]
        others = [own[test][0].set_index("id").loc[table["id"]] for own in several]
        logs = np.mean([np.log(other[columns].clip(lower=1e-12)) for other in others], axis=0)
        found[test] = table.assign(**shares(pd.DataFrame(logs, columns=columns, index=table.index))), space
    return found


def rows_of(who: str, own: Predictions) -> Iterator[dict[str, object]]:
    """A row for each test."""
    for head in HEADS:
        yield row(who, head, evaluate_table(*own[head]))
    table, space = own[PHOTOS]
    for test, classes in PHOTOGRAPHS.items():  # the likeliest of these classes is the answer
        yield row(who, test, evaluate_table(table, space.only(classes)))
    yield row(who, CENTRED, evaluate_table(centred(table), space.only(SIX)))


def differences(learned: Mapping[str, Predictions], first: str, others: Sequence[str]) -> Iterator[dict[str, object]]:
    """What others gain over the first on photographs, over the same draws of people."""
    for test, classes in PHOTOGRAPHS.items():
        tables = {who: learned[who][PHOTOS] for who in (first, *others)}
        sums = {who: table_sums(table, space.only(classes)) for who, (table, space) in tables.items()}
        for gain in gains(sums, ("mean_class_accuracy",))[1:]:
            ends = {"low": gain.gain.interval.low, "high": gain.gain.interval.high, "p": gain.p}
            yield {"learned from": gain.name, "over": first, "scored on": test, "gain": gain.gain.value, **ends}


def centred(table: pd.DataFrame) -> pd.DataFrame:
    """Outputs less their mean over all photographs, which needs the photographs, but no labels."""
    logs = np.log(table[[f"prob_{name}" for name in SIX]].clip(lower=1e-12))
    return table.assign(**shares(logs - logs.mean()))


def shares(logs: pd.DataFrame) -> pd.DataFrame:
    """Outputs as probabilities."""
    powers = np.exp(logs)
    return powers.div(powers.sum(axis=1), axis=0)


def row(who: str, test: str, report: EvaluationReport) -> dict[str, object]:
    """Mean class accuracy with its interval."""
    score, images = report.scores.values["mean_class_accuracy"], report.scores.coverage.scored
    bounds = {"value": score.value, "low": score.interval.low, "high": score.interval.high}
    return {"learned from": who, "scored on": test, "images": images, **bounds}


if __name__ == "__main__":
    main()
