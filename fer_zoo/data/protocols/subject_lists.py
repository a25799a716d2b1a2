"""Folds that a user or a paper names: lists of people to test. Names become codes before anything is kept."""

import re
from collections.abc import Sequence

from fer_zoo.core.errors import UserError
from fer_zoo.core.sample import subject_code
from fer_zoo.data.index import Index
from fer_zoo.data.protocols.labelled import labelled
from fer_zoo.data.protocols.settings import SubjectLists
from fer_zoo.data.protocols.splits import Split

_CODE = re.compile(r"s?[0-9a-f]{8,12}")


def subject_lists(index: Index, settings: SubjectLists, target: str) -> list[Split]:
    """A fold a list: its people are tested, all others train.

    Raises:
        UserError: for no list, a word that is nobody's, a person in two lists, or a list of whom nobody has a label.
    """
    data = labelled(index, target, "subject")
    known = set(data.names)
    tests = [[code for code in entry.split() if code in known] for entry in coded_lists(index, settings.lists)]
    for number, test in enumerate(tests, start=1):
        if not test:
            raise UserError(f"Nobody in list {number} of protocol.lists has a label of {target!r}; leave the list out.")
        if len(test) == len(known):
            raise UserError(f"List {number} of protocol.lists names everybody with a label, so nobody would train.")
    return data.folds(tests, settings.validation_share, settings.seed)


def coded_lists(index: Index, lists: Sequence[str]) -> list[str]:
    """The lists with a code for each name, sorted, each person once; lists of codes come out as they are.

    Raises:
        UserError: for no list, a word that is nobody's, or a person in two lists; it shows codes, and of other words
            only where they stand.
    """
    if not lists or not all(entry.strip() for entry in lists):
        raise UserError(
            f"protocol.lists {'has an empty list' if lists else 'names nobody'}; subject_lists needs the people to"
            " test, a list a fold: protocol.lists='SN001 SN002,SN003 SN004'."
        )
    known = set(index.table["subject"])
    first_list: dict[str, int] = {}
    coded = []
    for number, entry in enumerate(lists, start=1):
        codes = {_code(index, word, known, f"word {i} of list {number}") for i, word in enumerate(entry.split(), 1)}
        for code in sorted(codes & first_list.keys()):
            raise UserError(
                f"protocol.lists names {code} in list {first_list[code]} and in list {number}: a person is tested in"
                " one fold only."
            )
        first_list |= dict.fromkeys(codes, number)
        coded.append(" ".join(sorted(codes)))
    return coded


def _code(index: Index, word: str, known: set[str], place: str) -> str:
    if word in known:
        return word
    code = subject_code(index.dataset, word)
    if code not in known:
        shown = f" ({word})" if _CODE.fullmatch(word) else ""  # anything else may be somebody's name
        raise UserError(
            f"protocol.lists: {place}{shown} is neither the code nor the name of anybody in {index.dataset};"
            " `fer-zoo crossvalidate … --dry-run --json` shows the codes."
        )
    return code
