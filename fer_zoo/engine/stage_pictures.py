"""Pictures of a recipe: where stages differ, how far apart classes lie in their features, where each one's own are."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import write_text
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.engine.checkpoint import read_card
from fer_zoo.engine.crossvalidate import pooled_folder
from fer_zoo.engine.features import FEATURES, LabelledFeatures, draw_features, write_separations
from fer_zoo.engine.results import PREDICTIONS, faces_of, read_table
from fer_zoo.engine.run import Echo, Run
from fer_zoo.evaluation.class_separation import Separation, class_separations, mean_separations, separation_words
from fer_zoo.evaluation.feature_table import read_features
from fer_zoo.evaluation.pictures import save_figure
from fer_zoo.evaluation.prediction_table import read_predictions
from fer_zoo.evaluation.right_where_wrong import drawn_of, right_where_wrong, right_where_wrong_figure

PICTURES = "pictures.md"
_MEANINGS = {
    "confusion_matrix": "confusion matrix",
    "confident_errors": "worst errors",
    "features": "features",
    "reliability": "calibration",
}


def draw_stages(
    runs: Mapping[str, Sequence[Run]], tables: Mapping[str, pd.DataFrame], folder: Path, *, echo: Echo
) -> list[str]:
    """Draw what the first of several stages and each other one tell apart; say where the pictures of each stage lie.

    Args:
        runs: stage -> its run on each fold, evaluated.
        tables: stage -> the prediction table of all folds.
        folder: of the recipe's result; of stages that predict values there are no pictures.
        echo: told how far apart the classes lie.

    Returns:
        Names of the files that were written.
    """
    space = read_predictions(next(iter(runs.values()))[0].folder / "test" / PREDICTIONS)[1].space
    if space.kind != "classes":
        return []
    first, *others = runs
    names: list[str] = []
    for other in others:
        names += _sheets(runs, tables, (first, other), folder, space)
    if _separate(runs, folder, space, echo):
        names += ["features.png", "features.md", "features.json"]
    write_text(folder / PICTURES, _where(runs, [name for name in names if name.endswith(".png")], folder))
    echo(f"pictures: {folder / PICTURES} says where those of each stage are")
    return [*names, PICTURES]


def _sheets(
    runs: Mapping[str, Sequence[Run]],
    tables: Mapping[str, pd.DataFrame],
    pair: tuple[str, str],
    folder: Path,
    space: LabelSpace,
) -> list[str]:
    """A sheet each way."""
    names = []
    for wrong, right in (pair, pair[::-1]):
        found = right_where_wrong(tables[right], tables[wrong], space)
        if not len(found):
            continue
        reverse = len(right_where_wrong(tables[wrong], tables[right], space))
        shown, run = drawn_of(found), runs[right][0]
        images = faces_of(run, _input_spec(run), shown["id"].tolist())
        figure = right_where_wrong_figure(shown, images, (right, wrong), total=len(found), reverse=reverse)
        names.append(f"{right}_right_{wrong}_wrong.png")
        save_figure(folder / names[-1], figure)
    return names


def _input_spec(run: Run) -> InputSpec:
    return InputSpec.from_dict(read_card(run.folder)["input_spec"])


def _separate(runs: Mapping[str, Sequence[Run]], folder: Path, space: LabelSpace, echo: Echo) -> bool:
    """Numbers and picture of what each last layer sees, if all have kept it: means over folds, the first one drawn.

    Stages of different folds are different networks, whose features have nothing to do with each other.
    """
    if not all((run.folder / "test" / FEATURES).is_file() for own in runs.values() for run in own):
        return False
    folds: list[list[Separation]] = []
    drawn: LabelledFeatures | None = None
    try:
        for same in zip(*runs.values(), strict=True):
            images = labelled_features(dict(zip(runs, same, strict=True)), space)
            folds.append(class_separations(images.sets, images.classes, images.subjects, seed=len(folds)))
            drawn = drawn or images
    except UserError as error:
        echo(f"no class separation: {error}")
        return False
    assert drawn is not None
    found = mean_separations(folds) if len(folds) > 1 else folds[0]
    notes = drawn.sentences()
    if len(folds) > 1:
        notes.append(f"Means over {len(folds)} folds, whose networks are different ones; the first sentence is of one.")
    write_separations(folder, found, notes)
    run = next(iter(runs.values()))[0]
    title = f"{folder.parent.name.removeprefix('recipe_')} on {run.index.dataset}, {run.split.name}"
    draw_features(folder / "features.png", drawn, folds[0], title=title)
    for one in found:
        echo(f"class separation, {one.name}: {separation_words(one)}".replace("\n", "   "))
    return True


def labelled_features(runs: Mapping[str, Run], space: LabelSpace) -> LabelledFeatures:
    """What each run's last layer sees, the last of its feature sets, of the images that all have seen.

    Args:
        runs: name of a set -> its run, evaluated.
        space: of the classes.

    Raises:
        UserError: if there are no features, or no image has a label.
    """
    tables = {stage: read_features(run.folder / "test" / FEATURES) for stage, run in runs.items()}
    common = set.intersection(*(set(table.ids) for table in tables.values()))
    ids = [name for name in next(iter(tables.values())).ids if name in common]
    sets = {stage: list(table.rows_of(ids).sets.values())[-1] for stage, table in tables.items()}
    return LabelledFeatures(sets, ids, read_table(next(iter(runs.values())).folder / "test"), space)


def _where(runs: Mapping[str, Sequence[Run]], names: Sequence[str], folder: Path) -> str:
    """Links to all pictures, the recipe's own first."""
    lines = ["# Pictures", "", *(f"- [{name}]({name})" for name in names), ""]
    for stage, own in runs.items():
        places = {run.split.name: run.folder / "test" for run in own}
        if len(own) > 1:
            places = {"all folds": pooled_folder(own), **places}
        for part, place in places.items():
            links = [
                f"[{meaning}]({Path(os.path.relpath(place / f'{name}.png', folder)).as_posix()})"
                for name, meaning in _MEANINGS.items()
                if (place / f"{name}.png").is_file()
            ]
            lines.append(f"- {stage}, {part}: {', '.join(links)}")
    return "\n".join(lines) + "\n"
