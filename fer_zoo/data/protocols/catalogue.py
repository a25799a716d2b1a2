"""The protocols by name, and the one way to apply them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.settings import build_settings
from fer_zoo.data.index import Index
from fer_zoo.data.protocols import settings as options
from fer_zoo.data.protocols.by_clip import leave_one_clip_out
from fer_zoo.data.protocols.by_identity import identity_holdout
from fer_zoo.data.protocols.by_subject import (
    leave_one_subject_out,
    stratified_subject_kfold,
    subject_holdout,
    subject_kfold,
)
from fer_zoo.data.protocols.draws import cut_training
from fer_zoo.data.protocols.nothing_trains import test_only
from fer_zoo.data.protocols.official import official_split
from fer_zoo.data.protocols.splits import Split, Unit, check_keys, unit_keys
from fer_zoo.data.protocols.subject_lists import coded_lists, subject_lists


@dataclass(frozen=True)
class Protocol:
    """A registered way of splitting.

    Attributes:
        name: registered name.
        unit: its unit of exclusion: what never stands in two parts of a split.
        summary: a phrase for lists.
        settings: dataclass of its settings.
        split: the function that applies it to an index, its settings and a target.
        trains: whether its splits have a training part.
    """

    name: str
    unit: Unit
    summary: str
    settings: type[options.ProtocolSettings]
    split: Callable[[Index, Any, str], list[Split]]
    trains: bool = True


def make_splits(index: Index, name: str, settings: Mapping[str, Any], target: str) -> list[Split]:
    """The splits of a protocol, each checked.

    Args:
        index: the data set.
        name: a name of `PROTOCOLS`.
        settings: fields of the protocol's settings that differ from their defaults.
        target: what is to be learned; samples without a label of it stand in no part.

    Raises:
        UserError: for an unknown protocol or setting, a target the data set lacks, too few units, people who cannot be
            told apart, an official split the data set does not have, or one in which a unit stands in two parts.
    """
    protocol = _named(name)
    if not index.is_labelled(target).any():
        raise UserError(f"No sample of {index.dataset} has a label of {target!r}, so there is nothing to split.")
    if index.no_subjects and protocol.unit == "subject" and protocol.trains:
        raise UserError(f"{name} keeps people apart, and {index.no_subjects}.")
    built = build_settings(protocol.settings, settings, where="protocol")
    splits = protocol.split(index, built, target)
    if not protocol.trains:
        return splits
    if built.train_samples:
        splits = cut_training(index, splits, target, built.train_samples, built.seed)
    keys = unit_keys(index, protocol.unit)
    for split in splits:
        check_keys(index, split, protocol.unit, keys)
    return splits


def kept_settings(index: Index, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as a run keeps and shows them: people by their codes, whatever a user called them.

    Raises:
        UserError: for an unknown protocol, or a name that is nobody's.
    """
    kept = dict(settings)
    if _named(name).settings is options.SubjectLists:
        kept["lists"] = coded_lists(index, kept.get("lists", []))
    return kept


def _named(name: str) -> Protocol:
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, tuple(PROTOCOLS))
    return PROTOCOLS[name]


PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("official_split", "subject", "the owners' parts", options.OfficialSplit, official_split),
        Protocol(
            "subject_kfold", "subject", "subjects sorted, every n-th to a fold", options.SubjectKFold, subject_kfold
        ),
        Protocol(
            "stratified_subject_kfold",
            "subject",
            "subjects spread so that the classes are even over the folds",
            options.StratifiedSubjectKFold,
            stratified_subject_kfold,
        ),
        Protocol(
            "subject_holdout",
            "subject",
            "a drawn share of the subjects is tested",
            options.SubjectHoldout,
            subject_holdout,
        ),
        Protocol(
            "leave_one_subject_out",
            "subject",
            "each subject in turn is tested",
            options.LeaveOneSubjectOut,
            leave_one_subject_out,
        ),
        Protocol(
            "subject_lists",
            "subject",
            "the people of each named list are tested, all others train",
            options.SubjectLists,
            subject_lists,
        ),
        Protocol(
            "leave_one_clip_out",
            "clip",
            "each clip in turn is tested; its people may be in training",
            options.LeaveOneClipOut,
            leave_one_clip_out,
        ),
        Protocol(
            "identity_holdout",
            "file",
            "of each identity a share of its clips or files is tested",
            options.IdentityHoldout,
            identity_holdout,
        ),
        Protocol(
            "test_only", "subject", "everything is tested and nothing trains", options.OnlyTest, test_only, trains=False
        ),
    )
}
