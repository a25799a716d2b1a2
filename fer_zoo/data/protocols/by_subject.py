"""Protocols that keep people apart: k folds, stratified folds, one left out, a drawn share."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fer_zoo.data.index import Index
from fer_zoo.data.protocols.draws import draw, drawn, num_drawn
from fer_zoo.data.protocols.labelled import labelled, require_few, require_subjects, subject_labels
from fer_zoo.data.protocols.settings import LeaveOneSubjectOut, StratifiedSubjectKFold, SubjectHoldout, SubjectKFold
from fer_zoo.data.protocols.splits import Split
from fer_zoo.data.stratify import assign_subjects

_ORDER = "subject_order"


def subject_kfold(index: Index, settings: SubjectKFold, target: str) -> list[Split]:
    """Subjects with a label, in the owners' order or else by code; fold k tests every n-th from the k-th on.

    With ten folds these are, on CK+, those of the list by Meng et al. (Frame Attention Networks, 2019).

    Raises:
        UserError: for fewer subjects than folds.
    """
    data = labelled(index, target, "subject")
    require_subjects(index, len(data.names), settings.folds, "protocol.folds")
    names = _in_order(index, data.names)
    tests = [names[k :: settings.folds] for k in range(settings.folds)]
    return data.folds(tests, settings.validation_share, settings.seed)


def leave_one_subject_out(index: Index, settings: LeaveOneSubjectOut, target: str) -> list[Split]:
    """Each subject in turn, in the order of their codes.

    Raises:
        UserError: for a single subject, or for very many.
    """
    data = labelled(index, target, "subject")
    require_subjects(index, len(data.names), 2, "leave_one_subject_out")
    require_few(index, data, "leave_one_subject_out")
    return data.folds([[subject] for subject in data.names], settings.validation_share, settings.seed)


def stratified_subject_kfold(index: Index, settings: StratifiedSubjectKFold, target: str) -> list[Split]:
    """Subjects spread so that every class is as even over the folds as whole people allow.

    Raises:
        UserError: for fewer subjects than folds.
    """
    subjects, counts = subject_labels(index, target)
    require_subjects(index, len(subjects), settings.folds, "protocol.folds")
    order = [draw(subject, settings.seed, "order") for subject in subjects]
    folds = assign_subjects(counts, [1 / settings.folds] * settings.folds, order)
    data, names = labelled(index, target, "subject"), np.array(subjects)
    splits = []
    for k in range(settings.folds):
        rows = np.flatnonzero(folds != k)
        is_validation = _stratified_validation(counts[rows], settings.validation_share, [order[row] for row in rows])
        validation = names[rows[is_validation]].tolist()
        splits.append(data.split(f"fold{k + 1}", validation, names[folds == k].tolist()))
    return splits


def subject_holdout(index: Index, settings: SubjectHoldout, target: str) -> list[Split]:
    """A drawn share of the subjects is tested.

    Raises:
        UserError: for a single subject, or a share that leaves nobody to train on.
    """
    data = labelled(index, target, "subject")
    require_subjects(index, len(data.names), 2, "A hold-out")
    test = drawn(data.names, settings.test_share, settings.seed, "test")
    train = [subject for subject in data.names if subject not in set(test)]
    validation = drawn(train, settings.validation_share, settings.seed, "validation")
    return [data.split("holdout", validation, test)]


def _in_order(index: Index, names: Sequence[str]) -> Sequence[str]:
    """Subjects by the number that the owners order them by, those without one last and by code."""
    if _ORDER not in index.table:
        return names
    order = index.table.groupby("subject")[_ORDER].min().fillna(np.inf).to_dict()
    return sorted(names, key=lambda name: (order[name], name))


def _stratified_validation(
    counts: npt.NDArray[np.float64], share: float, order: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Which of the training subjects become validation: at least one where anything is asked for."""
    if not num_drawn(len(counts), share):
        return np.zeros(len(counts), dtype=bool)
    is_validation: npt.NDArray[np.bool_] = assign_subjects(counts, [1 - share, share], order) == 1
    if not is_validation.any():  # few people: the one who takes the least from any class
        taken = (counts / np.maximum(counts.sum(axis=0), 1)).max(axis=1)
        is_validation[min(range(len(counts)), key=lambda i: (taken[i], order[i]))] = True
    return is_validation
