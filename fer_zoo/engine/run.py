"""One run, resolved: configuration, data, split and method, before anything is trained or scored."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from fer_zoo.core.cards import DatasetCard
from fer_zoo.core.errors import UserError
from fer_zoo.core.registry import DATASETS, METHODS
from fer_zoo.data.datamodule import FaceDataModule
from fer_zoo.data.face_tables import index_with_points
from fer_zoo.data.frames import select_frames
from fer_zoo.data.index import Index
from fer_zoo.data.landmark_files import faces_sha256
from fer_zoo.data.open import open_dataset
from fer_zoo.data.protocols import PROTOCOLS, WHOLE, Split, Unit, kept_settings, make_splits
from fer_zoo.data.protocols.partly import with_partly_labelled
from fer_zoo.engine.config import RunConfig
from fer_zoo.engine.create import create_method
from fer_zoo.engine.jobs import job_id
from fer_zoo.engine.outer_fold import without_test_units
from fer_zoo.engine.trainer import describe_device
from fer_zoo.tasks.face_task import FaceTask

Echo = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What a configuration means on this machine."""

    config: RunConfig
    index: Index
    target: str
    splits: tuple[Split, ...]

    @property
    def split(self) -> Split:
        """The division that this run trains on."""
        return self.splits[self.config.fold]

    @property
    def unit(self) -> Unit:
        """What must not stand both in training and in test; people where all of a data set is tested."""
        return "subject" if self.split.name == WHOLE else PROTOCOLS[self.config.protocol["name"]].unit

    @property
    def dataset_card(self) -> DatasetCard:
        """Card of the data set."""
        return DATASETS[self.index.dataset]

    @cached_property
    def id(self) -> str:
        """Hash of the resolved settings and of the data; where files lie and how they are loaded does not count."""
        inputs = self.config.to_dict()
        for key in ("output", "experiment", "logger", "checkpoint", "streams"):
            del inputs[key]
        for key in ("workers", "cache", "progress", "drawing"):
            del inputs["data"][key]
        points = inputs["data"].pop("landmarks")
        if points:
            inputs["data"]["landmarks"] = faces_sha256(Path(points))
        del inputs["dataset"]["root"], inputs["trainer"]["log_every_n_steps"]
        if inputs["apart"]:
            del inputs["apart"]["dataset"]["root"]
        found = {"fingerprint": self.index.fingerprint(), "is_cropped": self.index.is_cropped}
        absent = {"missing": sorted(ids)} if (ids := self.index.noted("missing")) else {}
        return job_id({**inputs, **found, **absent})

    @property
    def experiment_folder(self) -> Path:
        """Where all runs of the experiment lie."""
        name = self.config.experiment or f"{self.config.method['name']}_{self.index.dataset}"
        return Path(self.config.output) / name

    @property
    def folder(self) -> Path:
        """Where everything of this run lies."""
        return self.experiment_folder / self.id

    @property
    def label(self) -> str:
        """How the run is called in messages."""
        return f"{self.config.method['name']} on {self.index.dataset}, {self.split.name}"

    def new_task(self) -> FaceTask:
        """The method with fresh weights, for the label spaces of the data."""
        settings = {key: value for key, value in self.config.method.items() if key != "name"}
        name = self.config.method["name"]
        targets = METHODS[name].targets
        spaces = {
            target: space for target, space in self.index.spaces.items() if target in targets or not space.is_dense
        }
        return create_method(name, label_spaces=spaces, seed=self.config.seed, **settings)

    def data_module(self, task: FaceTask, *, echo: Echo | None = None) -> FaceDataModule:
        """The data of the split as the task wants it."""
        return FaceDataModule(
            self.index, self.split, task.input_spec, task.spaces, self.config.data, seed=self.config.seed, tell=echo
        )


def open_run(config: RunConfig, *, echo: Echo, whole_unless: str = "") -> Run:
    """Resolve a configuration, and say what is really used.

    Args:
        config: method, data set, protocol, fold …
        echo: told each line for the user.
        whole_unless: a fingerprint; data of another one are not split, but all tested.

    Raises:
        UserError: for anything that is missing or does not fit together, before work begins.
    """
    settings = {key: value for key, value in config.dataset.items() if key not in ("name", "root")}
    index = select_frames(open_dataset(config.dataset["name"], config.dataset.get("root"), **settings), config.frames)
    if config.data.landmarks:
        _require_alignment(config)
        index = index_with_points(index, config.data.landmarks)
    target = _target(config, index)
    if config.apart:
        left = without_test_units(index, config.apart)
        if left is index:  # nobody of them is here, so that it is a training like any other
            config = replace(config, apart={})
        index = left
    if whole_unless and index.fingerprint() != whole_unless:
        run = Run(replace(config, fold=0), index, target, (_whole(index, target),))
    else:
        config = replace(config, protocol=kept_settings(index, config.protocol["name"], config.protocol))
        run = Run(config, index, target, _splits(config, index, target))
    echo(describe_device(config.trainer))
    echo(describe_data(run))
    for sentence in (
        *(note.sentence for note in index.notes),
        *_official_split_unused(run),
        *_people_on_both_sides(run),
    ):
        echo(f"note: {sentence}")
    return run


def _require_alignment(config: RunConfig) -> None:
    """Refuses points that nothing would use."""
    if config.method.get("alignment") != "five_points":
        raise UserError(
            "data.landmarks is where faces are aligned by points, and this method aligns none; set"
            " method.alignment=five_points, or leave it out."
        )


def _official_split_unused(run: Run) -> list[str]:
    """A sentence where the data come with parts that another protocol ignores."""
    used = run.split.name == WHOLE or run.config.protocol["name"] == "official_split"
    if used or "split" not in run.index.table or not run.index.table["split"].any():
        return []
    return ["The data hold an official split; protocol=official_split uses it."]


def _whole(index: Index, target: str) -> Split:
    return Split(WHOLE, (), (), tuple(np.array(index.ids)[index.is_labelled(target)].tolist()))


def _splits(config: RunConfig, index: Index, target: str) -> tuple[Split, ...]:
    protocol = {key: value for key, value in config.protocol.items() if key != "name"}
    splits = make_splits(index, config.protocol["name"], protocol, target)
    if not 0 <= config.fold < len(splits):
        last = len(splits) - 1
        raise UserError(
            f"fold is {config.fold}, but {config.protocol['name']} makes folds 0 to {last}; set fold={last}."
        )
    joined = [other for name, other in METHODS[config.method["name"]].joined.items() if config.method[name]]
    known = [name for name in joined if name in index.spaces]
    unit = PROTOCOLS[config.protocol["name"]].unit
    return tuple(with_partly_labelled(index, split, unit, target, known) for split in splits)


def _people_on_both_sides(run: Run) -> list[str]:
    """A sentence where the protocol keeps something else apart than people, and some are trained on and tested."""
    if run.unit == "subject":
        return []
    subjects = run.index.table["subject"].to_numpy()
    test, train = (
        set(subjects[run.index.rows_of(ids)]) for ids in (run.split.test, run.split.train + run.split.validation)
    )
    if not test & train:
        return []
    return [
        f"{run.config.protocol['name']} keeps {run.unit}s apart, not people: {len(test & train)} of {len(test)} people"
        " of the test part are trained on, too."
    ]


def describe_data(run: Run) -> str:
    """One line: data set, fingerprint, protocol and how many samples and subjects each part has."""
    subjects = run.index.table[["id", "subject"]].set_index("id")["subject"]
    parts = [
        f"{name} {len(ids)} of {subjects.loc[list(ids)].nunique()} subjects"
        for name, ids in (("train", run.split.train), ("validation", run.split.validation), ("test", run.split.test))
    ]
    name = f"{run.config.protocol['name']}, {run.split.name}"
    if run.split.name == WHOLE:
        is_own = not PROTOCOLS[run.config.protocol["name"]].trains
        name, parts = name if is_own else "other than in training, so all of it", parts[-1:]
    return f"data: {run.index.dataset} {run.index.fingerprint()}; {name}: {'; '.join(parts)}"


def _target(config: RunConfig, index: Index) -> str:
    """The target that the method is trained on, which the data must have."""
    card = METHODS[config.method["name"]]
    wanted = config.method.get("target", card.targets[0])
    if wanted not in index.spaces:
        has = ", ".join(sorted(index.spaces)) or "none"
        data = DATASETS[index.dataset]
        words = "" if data.own_data else data.examples.get(wanted, "")  # of data that have the target when asked for it
        advice = f" Set {words} to have {wanted!r}." if words else _who_learns(index)
        raise UserError(f"{card.name} learns {wanted!r}, but {index.dataset} has labels of: {has}.{advice}")
    return str(wanted)


def _who_learns(index: Index) -> str:
    """A sentence with the words that train on a target of the data, from a checkpoint of another target, too."""
    for target in index.label_spaces:
        for card in (METHODS[name] for name in METHODS.names()):
            if target in card.targets and card.trains:
                names = {entry.name for entry in fields(card.settings)}
                if "backbone" not in names:  # nothing that a checkpoint could hand on
                    continue
                words = f"method={card.name}" + (f" method.target={target}" if "target" in names else "")
                return f" To learn {target!r}, train with {words}; checkpoint=PATH gives it the backbone of another."
    return ""
