"""Pictures of a data set: for each class a sheet of samples as a network will see them, in evaluation and in training.

Boxes, crop, augmentation and colours come from the code that training runs, on the few samples that are drawn.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from fer_zoo.core.errors import UserError
from fer_zoo.core.input_spec import InputSpec
from fer_zoo.core.progress import progress
from fer_zoo.core.registry import METHODS
from fer_zoo.core.settings import build_settings, setting
from fer_zoo.data.datamodule import DataSettings
from fer_zoo.data.index import Index
from fer_zoo.data.sample_groups import SampleGroup, group_names, sample_groups
from fer_zoo.engine.checkpoint import load_method
from fer_zoo.engine.create import create_method
from fer_zoo.engine.near_duplicate_sheet import NAME as NEAR_DUPLICATES
from fer_zoo.engine.near_duplicate_sheet import draw_near_duplicates
from fer_zoo.engine.setting_texts import settings_from_texts, typed
from fer_zoo.engine.sheet_faces import NUM_AUGMENTATIONS, SampleViews
from fer_zoo.evaluation.face_sheets import SheetFace, class_sheet, overview_sheet
from fer_zoo.evaluation.pictures import save_figure

FOLDER, OVERVIEW = "data_pictures", "overview.png"
_BASELINES = ("timm_classifier", "timm_regressor")  # whose input is shown where no method is named
_FROM_RUNS = ("augmentation", "detector")


@dataclass(kw_only=True)
class SheetSettings:
    """Which samples are drawn, and where the sheets go."""

    samples: int = setting(6, "samples on each sheet", at_least=1, at_most=40)
    seed: int = setting(0, "which samples and which augmentations are drawn", at_least=0)
    output: str = setting("", "folder of the sheets; empty: data_pictures/NAME")


@dataclass(frozen=True)
class PicturePlan:
    """What is drawn.

    Attributes:
        spec: how pixels reach the network.
        origin: whose input that is, for the user.
        augmentation, detector: as in the settings of a run.
        sheets: how many samples, which, and where to.
    """

    spec: InputSpec
    origin: str
    augmentation: str
    detector: str
    sheets: SheetSettings

    def describe(self, index: Index) -> list[str]:
        """Lines for the user and for the head of a sheet."""
        spec, finder = self.spec, f", faces found by {self.detector}"
        if spec.alignment == "five_points":
            crop, finder = "aligned by five points", ""
        elif index.is_cropped or self.detector == "none":
            crop, finder = "whole images", ""
        else:
            crop = f"crop {spec.crop_scale:g} × face box"
        return [
            f"input of {self.origin}: {spec.width} × {spec.height} px, {spec.colour}, {crop}{finder}",
            f"augmentation {self.augmentation}, seed {self.sheets.seed}",
        ]


def plan_pictures(index: Index, settings: Sequence[tuple[str, str]] = ()) -> PicturePlan:
    """What is drawn of a data set.

    Args:
        index: the data set.
        settings: key and text: method, method.KEY or checkpoint; data.augmentation, data.detector; samples, seed,
            output. By default the input of a baseline for the data's first target, and the defaults of a run.

    Raises:
        UserError: for a setting that is unknown, of the wrong type, or does not go with another one.
    """
    groups: dict[str, dict[str, str]] = {"method": {}, "data": {}}
    own: list[tuple[str, str]] = []
    for key, text in settings:
        group, _, name = ("method.name" if key == "method" else key).partition(".")
        if group in groups:
            groups[group][name] = text
        else:
            own.append((key, text))
    checkpoint = [text for key, text in own if key == "checkpoint"]
    sheets = SheetSettings(**settings_from_texts(SheetSettings, [pair for pair in own if pair[0] != "checkpoint"]))
    for key in groups["data"]:
        if key not in _FROM_RUNS:
            raise UserError(
                f"Pictures depend on data.augmentation and data.detector only, found {f'data.{key}'.rstrip('.')}."
            )
    if checkpoint and groups["method"]:
        raise UserError("A checkpoint brings its method with it; give either checkpoint or method.")
    spec, origin, trained = (
        _input_of_checkpoint(checkpoint[0]) if checkpoint else _input_of_method(index, groups["method"])
    )
    data = build_settings(DataSettings, {**trained, **groups["data"]}, where="data")
    return PicturePlan(spec, origin, data.augmentation, data.detector, sheets)


def _input_of_checkpoint(path: str) -> tuple[InputSpec, str, Mapping[str, Any]]:
    """Input spec, where it comes from, and how its training was given images."""
    task = load_method(path)
    data = task.card.get("training", {}).get("data", {})
    return (
        task.input_spec,
        f"the checkpoint ({task.method_name})",
        {key: data[key] for key in _FROM_RUNS if key in data},
    )


def _input_of_method(index: Index, words: Mapping[str, str]) -> tuple[InputSpec, str, Mapping[str, Any]]:
    name = words.get("name")
    if name is None:
        target = next(iter(index.label_spaces))
        known = METHODS.names(target=target)
        if not known:
            raise UserError(f"No method knows the target {target!r}; say whose input is drawn: method=NAME.")
        name = next((baseline for baseline in _BASELINES if baseline in known), known[0])
    texts = {key: text for key, text in words.items() if key != "name"}
    task = create_method(name, **typed(METHODS[name].settings, texts, where="method"))
    return task.input_spec, f"{name}{_said(texts)}", {}


def _said(texts: Mapping[str, str]) -> str:
    """The settings that a user gave, for the line that says whose input is drawn."""
    given = ", ".join(f"{key}={text}" for key, text in texts.items())
    return f" ({given})" if given else " (defaults)"


class DrawnPictures(NamedTuple):
    """The overview and the sheets, and the ids of the samples on them, sheet after sheet."""

    paths: list[Path]
    ids: list[str]


def draw_pictures(
    index: Index, plan: PicturePlan, near_duplicates: Sequence[Sequence[str]] = (), *, echo: Callable[[str], None]
) -> DrawnPictures:
    """Write an overview and a sheet for each class, or each entry with values, that has samples.

    Equal data and plans give equal pixels. Samples are named by id; no file and no person is.

    Args:
        index: the data set.
        plan: see `plan_pictures`.
        near_duplicates: groups of ids that have a sheet of their own.
        echo: told each line for the user.

    Raises:
        UserError: if nothing is labelled, points are to be aligned and not known, or the folder cannot be written to.
    """
    for line in plan.describe(index):
        echo(f"pictures: {line}")
    groups = sample_groups(index, plan.sheets.samples, plan.sheets.seed)
    if not groups:
        raise UserError(f"No sample of {index.dataset} has a label in its label spaces, so there is nothing to draw.")
    rows = sorted({row for group in groups for row in group.rows})
    views = SampleViews(
        index, rows, spec=plan.spec, augmentation=plan.augmentation, detector=plan.detector, seed=plan.sheets.seed
    )
    folder = Path(plan.sheets.output or f"{FOLDER}/{index.dataset}")
    paths = [folder / name for name in _file_names(groups)]
    shown = []
    for group, path in progress(zip(groups, paths, strict=True), "drawing", total=len(groups), unit="sheets"):
        faces = _faces(views, group)
        title = f"{group.entry}: {len(faces)} of {group.samples:,} samples of {index.dataset}"
        save_figure(path, class_sheet(faces, _columns(plan), title=title, lines=plan.describe(index)))
        small = [replace(face, photograph=None, views=face.views[:1]) for face in faces]  # what waits for the overview
        shown.append((group.entry, (f"{group.samples:,} samples", f"{group.subjects:,} subjects"), small))
    title = f"{index.dataset}: {len(index):,} samples, as evaluation sees them"
    save_figure(folder / OVERVIEW, overview_sheet(shown, title=title, lines=plan.describe(index)))
    for sentence in _remarks(index, groups, views, len(rows)):
        echo(f"pictures: {sentence}")
    alike = f", {NEAR_DUPLICATES}" if near_duplicates else ""
    echo(f"pictures: {folder} ({OVERVIEW}{alike} and {len(paths)} sheets)")
    names = index.ids
    ids = [names[row] for group in groups for row in group.rows]
    if near_duplicates:
        paths.append(folder / NEAR_DUPLICATES)
        ids += draw_near_duplicates(index, near_duplicates, paths[-1])
    return DrawnPictures([folder / OVERVIEW, *paths], ids)


def _columns(plan: PicturePlan) -> list[str]:
    training = f"in training ({plan.augmentation})"
    return ["photograph", "in evaluation", training, *[""] * (NUM_AUGMENTATIONS - 1)]


def _faces(views: SampleViews, group: SampleGroup) -> list[SheetFace]:
    if not group.values:
        return [views.face(row, label=group.entry, caption="") for row in group.rows]
    return [
        views.face(row, label=f"{group.entry} = {value:g}", caption=f"{value:g}")
        for row, value in zip(group.rows, group.values, strict=True)
    ]


def _file_names(groups: Sequence[SampleGroup]) -> list[str]:
    """ "emotion_happiness.png", of signs that every file system takes; a number keeps equal names apart."""
    names: list[str] = []
    for group in groups:
        name = re.sub(r"[^\w.+-]+", "_", f"{group.target}_{group.entry}")[:80]
        taken = [other for other in names if other.lower() == name.lower()]
        names.append(f"{name}_{len(names)}" if taken else name)
    return [f"{name}.png" for name in names]


def _remarks(index: Index, groups: Sequence[SampleGroup], views: SampleViews, num_drawn: int) -> list[str]:
    """What the sheets leave out, and why."""
    there = {(group.target, group.entry) for group in groups}
    wanted = [(target, entry) for target, space in index.label_spaces.items() for entry in group_names(space)]
    lacking = [entry for target, entry in wanted if (target, entry) not in there]
    remarks = [f"no sample, hence no sheet: {', '.join(lacking)}"] if lacking else []
    return remarks + [f"{reason}: {count} of {num_drawn} samples drawn" for reason, count in views.problems.items()]
