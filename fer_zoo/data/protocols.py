"""Protocols: index -> splits. Functions of the index alone; no subject ever stands in two parts of a split.

A protocol divides the samples that have a label of the target, also one outside its label space: those are left out of
training and scored apart. Samples without a label stand in no part, so adding unlabelled people changes nothing.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.settings import build_settings, setting
from fer_zoo.data.index import SPLIT_PARTS, Index
from fer_zoo.data.stratify import assign_subjects

VALIDATION_DOC = "share of the training subjects that becomes the validation part"


@dataclass(frozen=True)
class Split:
    """The ids of one division of a data set."""

    name: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(kw_only=True)
class OfficialSplit:
    """The parts that the data set's owners made."""

    validation_share: float = setting(0.1, f"{VALIDATION_DOC}, where the owners made none", at_least=0.0, at_most=0.5)
    test_part: str = setting(
        "test", "which part is scored; with validation, another validation part is taken from training",
        choices=("test", "validation"),
    )  # fmt: skip
    seed: int = setting(0, "draws the validation subjects", at_least=0)


@dataclass(kw_only=True)
class SubjectKFold:
    """Subjects sorted by code, fold k takes every n-th from the k-th on."""

    folds: int = setting(10, "number of folds", at_least=2)
    validation_share: float = setting(0.1, VALIDATION_DOC, at_least=0.0, at_most=0.5)
    seed: int = setting(0, "draws the validation subjects", at_least=0)


@dataclass(kw_only=True)
class StratifiedSubjectKFold:
    """Subjects spread so that every class is as even over the folds as whole people allow."""

    folds: int = setting(5, "number of folds", at_least=2)
    validation_share: float = setting(0.1, VALIDATION_DOC, at_least=0.0, at_most=0.5)
    seed: int = setting(0, "decides between equal choices", at_least=0)


@dataclass(kw_only=True)
class SubjectHoldout:
    """A drawn share of the subjects is the test part."""

    test_share: float = setting(0.2, "share of the subjects that becomes the test part", at_least=0.01, at_most=0.9)
    validation_share: float = setting(0.1, VALIDATION_DOC, at_least=0.0, at_most=0.5)
    seed: int = setting(0, "draws test and validation subjects", at_least=0)


@dataclass(frozen=True)
class Protocol:
    """A registered way of splitting: its settings and the function that applies it."""

    name: str
    summary: str
    settings: type[Any]
    split: Callable[[Index, Any, str], list[Split]]


def make_splits(index: Index, name: str, settings: Mapping[str, Any], target: str) -> list[Split]:
    """The splits of a protocol, each checked.

    Args:
        index: the data set.
        name: a name of `PROTOCOLS`.
        settings: fields of the protocol's settings that differ from their defaults.
        target: what is to be learned; samples without a label of it stand in no part.

    Raises:
        UserError: for an unknown protocol or setting, a target the data set lacks, too few subjects, an official split
            the data set does not have, or one in which a subject stands in two parts.
    """
    if name not in PROTOCOLS:
        raise unknown_name("protocol", name, tuple(PROTOCOLS))
    protocol = PROTOCOLS[name]
    labelled = index.is_labelled(target)
    if not labelled.any():
        raise UserError(f"No sample of {index.dataset} has a label of {target!r}, so there is nothing to split.")
    splits = protocol.split(index, build_settings(protocol.settings, settings, where="protocol"), target)
    for split in splits:
        check_split(index, split)
    return splits


def check_split(index: Index, split: Split) -> None:
    """Refuses a split in which a subject stands in two parts, or with nobody to train on or to test.

    Raises:
        UserError: naming the codes of the subjects.
    """
    subjects = {part: set(index.table["subject"].iloc[index.rows_of(getattr(split, part))]) for part in SPLIT_PARTS}
    for first, second in combinations(SPLIT_PARTS, 2):
        if both := sorted(subjects[first] & subjects[second]):
            shown = ", ".join(both[:5]) + (f" and {len(both) - 5} more" if len(both) > 5 else "")
            raise UserError(
                f"Split {split.name} of {index.dataset} has {len(both)} subjects both in {first} and in {second}:"
                f" {shown}; a score on it would count people seen in training. Use subject_kfold or subject_holdout."
            )
    for part in ("train", "test"):
        if not subjects[part]:
            raise UserError(f"Split {split.name} of {index.dataset} has an empty {part} part.")


def subject_labels(index: Index, target: str) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Subjects with a label, sorted by code, and how many samples of each class they have (subjects, classes).

    For values a class is an entry, counted where it is above the minimum of its range.
    """
    space = index.space(target)
    table = index.table[index.is_labelled(target)]
    if space.kind == "classes":
        counts = pd.crosstab(table["subject"], table[target])
    else:
        is_active = table[list(space.entries)] > space.minimum
        counts = is_active.assign(labelled=True).astype(np.int64).groupby(table["subject"]).sum()
    counts = counts.sort_index()
    return list(counts.index), counts.to_numpy(dtype=np.float64)


def _official_split(index: Index, settings: OfficialSplit, target: str) -> list[Split]:
    table = index.table[index.is_labelled(target)]
    counts = table["split"].value_counts().to_dict() if "split" in table else {}
    if not any(counts.get(part) for part in SPLIT_PARTS):
        others = ", ".join(name for name in PROTOCOLS if name != "official_split")
        raise UserError(f"{index.dataset} has no official split; use one of the protocols {others}.")
    if not counts.get(settings.test_part) or not counts.get("train"):
        found = ", ".join(f"{part} {counts[part]}" for part in SPLIT_PARTS if counts.get(part))
        raise UserError(
            f"The official split of {index.dataset} holds only {found}: it needs train and {settings.test_part};"
            " protocol.test_part=validation scores the validation part."
        )
    ids = {part: tuple(sorted(table["id"][table["split"] == part])) for part in SPLIT_PARTS}
    test = ids[settings.test_part]
    if settings.test_part == "test" and ids["validation"]:
        return [Split("official", ids["train"], ids["validation"], test)]
    check_split(index, Split("official", ids["train"], (), test))  # with all its people, before some validate
    in_training = table[table["split"] == "train"]
    drawn = _drawn(sorted(set(in_training["subject"])), settings.validation_share, settings.seed, "validation")
    is_validation = in_training["subject"].isin(drawn)
    train, validation = (tuple(sorted(in_training["id"][rows])) for rows in (~is_validation, is_validation))
    return [Split("official", train, validation, test)]


def _subject_kfold(index: Index, settings: SubjectKFold, target: str) -> list[Split]:
    subjects, _ = subject_labels(index, target)
    _require_subjects(index, subjects, settings.folds, "protocol.folds")
    splits = []
    for k in range(settings.folds):
        test = set(subjects[k :: settings.folds])
        train = [subject for subject in subjects if subject not in test]
        validation = _drawn(train, settings.validation_share, settings.seed, f"validation {k}")
        splits.append(_split(index, target, f"fold{k + 1}", validation, test))
    return splits


def _stratified_subject_kfold(index: Index, settings: StratifiedSubjectKFold, target: str) -> list[Split]:
    subjects, counts = subject_labels(index, target)
    _require_subjects(index, subjects, settings.folds, "protocol.folds")
    order = [_draw(subject, settings.seed, "order") for subject in subjects]
    folds = assign_subjects(counts, [1 / settings.folds] * settings.folds, order)
    names = np.array(subjects)
    splits = []
    for k in range(settings.folds):
        rows = np.flatnonzero(folds != k)
        is_validation = _stratified_validation(counts[rows], settings.validation_share, [order[row] for row in rows])
        validation = names[rows[is_validation]].tolist()
        splits.append(_split(index, target, f"fold{k + 1}", validation, set(names[folds == k])))
    return splits


def _stratified_validation(
    counts: npt.NDArray[np.float64], share: float, order: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Which of the training subjects become validation: at least one where anything is asked for."""
    if not _num_drawn(len(counts), share):
        return np.zeros(len(counts), dtype=bool)
    is_validation: npt.NDArray[np.bool_] = assign_subjects(counts, [1 - share, share], order) == 1
    if not is_validation.any():  # few people: the one who takes the least from any class
        taken = (counts / np.maximum(counts.sum(axis=0), 1)).max(axis=1)
        is_validation[min(range(len(counts)), key=lambda i: (taken[i], order[i]))] = True
    return is_validation


def _subject_holdout(index: Index, settings: SubjectHoldout, target: str) -> list[Split]:
    subjects, _ = subject_labels(index, target)
    _require_subjects(index, subjects, 2, "A hold-out")
    test = set(_drawn(subjects, settings.test_share, settings.seed, "test"))
    train = [subject for subject in subjects if subject not in test]
    validation = _drawn(train, settings.validation_share, settings.seed, "validation")
    return [_split(index, target, "holdout", validation, test)]


def _split(index: Index, target: str, name: str, validation: Sequence[str], test: set[str]) -> Split:
    """The split in which these subjects are validation and test, and all other labelled ones train."""
    table = index.table[index.is_labelled(target)]
    in_test, in_validation = table["subject"].isin(test), table["subject"].isin(set(validation))
    parts = (~in_test & ~in_validation, in_validation, in_test)
    train_ids, validation_ids, test_ids = (tuple(sorted(table["id"][part])) for part in parts)
    return Split(name, train_ids, validation_ids, test_ids)


def _require_subjects(index: Index, subjects: Sequence[str], least: int, what: str) -> None:
    if len(subjects) < least:
        raise UserError(
            f"{what} needs at least {least} subjects, and {index.dataset} has {len(subjects)} with a label;"
            " take fewer folds, or tell people apart (subject_pattern, subject_column)."
        )


def _num_drawn(num_subjects: int, share: float) -> int:
    """How many subjects a share is: at least one where anything is asked for.

    Raises:
        UserError: if nobody would be left.
    """
    number = 0 if share == 0 else max(1, math.floor(share * num_subjects + 0.5))
    if number >= num_subjects:
        raise UserError(
            f"A share of {share:g} of {num_subjects} subjects leaves nobody to train on;"
            " use more subjects, or protocol.validation_share=0."
        )
    return number


def _drawn(subjects: Sequence[str], share: float, seed: int, purpose: str) -> list[str]:
    """A share of the subjects; who is drawn depends on each subject's code and the seed, not on the order."""
    ordered = sorted(subjects, key=lambda subject: _draw(subject, seed, purpose))
    return ordered[: _num_drawn(len(subjects), share)]


def _draw(subject: str, seed: int, purpose: str) -> str:
    """A pseudo-random text by which subjects are ordered."""
    return sha256(f"{purpose}/{seed}/{subject}".encode()).hexdigest()


PROTOCOLS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol("official_split", "the owners' parts", OfficialSplit, _official_split),
        Protocol("subject_kfold", "subjects sorted, every n-th to a fold", SubjectKFold, _subject_kfold),
        Protocol(
            "stratified_subject_kfold",
            "subjects spread so that the classes are even over the folds",
            StratifiedSubjectKFold,
            _stratified_subject_kfold,
        ),
        Protocol("subject_holdout", "a drawn share of the subjects is tested", SubjectHoldout, _subject_holdout),
    )
}
