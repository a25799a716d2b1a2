"""casia_webface: CASIA-WebFace, 494,414 photographs of 10,575 people, a folder each, to pre-train a network on.

People are known by the numbers that their folders have, sorted: the class of a folder is its place.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_zoo.core.cards import DatasetCard, Paper, Terms
from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import own_space
from fer_zoo.core.sample import sample_id, subject_code
from fer_zoo.core.settings import setting
from fer_zoo.data.index import IMAGE_SUFFIXES, Index, Note, index_table

NAME = "casia_webface"
WRAPPERS = ("CASIA-WebFace", "CASIA-maxpy-clean")  # folders that archives put everything into; the second is cleaned
RECORDS = ("train.rec", "train.idx", "train.lst")

_PERSON = re.compile(r"\d{1,9}")


@dataclass(kw_only=True)
class CasiaWebFaceSettings:
    """Which people are the classes."""

    identity_images: int = setting(1, "people with fewer images are left out", at_least=1)
    cropped: bool = setting(True, "the images are face crops, whose whole area is used; else faces are looked for")


CARD = DatasetCard(
    name=NAME,
    summary="CASIA-WebFace: 494,414 photographs of 10,575 people from the web, to pre-train on",
    targets={"identity": "identity/own"},
    settings=CasiaWebFaceSettings,
    terms=Terms("research only, by agreement; no longer offered by its owners; photographs of real people", "no"),
    ask="Center for Biometrics and Security Research, CASIA (Dong Yi, Zhen Lei, Shengcai Liao, Stan Z. Li)",
    paper=Paper(
        "Yi, Lei, Liao, Li: Learning face representation from scratch", "arXiv", 2014, "https://arxiv.org/abs/1411.7923"
    ),
    is_cropped=True,
    expected={"images": 494_414, "people": 10_575},
    protocol="identity_holdout",
    populations=("celebrities",),
    traps=(
        "Numbers of people have gaps (0000045, 0000099 …): the class is the place of the folder among the sorted ones,"
        " and the checkpoint's label space holds the numbers.",
        "Labels are noisy and some images nearly the same; a cleaned copy (CASIA-maxpy-clean) has fewer images.",
        "Some people have a few images only: identity_images=10 leaves them out.",
        "People overlap with LFW: take them out before a test on LFW, of which facial_expressions is made.",
        "It is for training alone; the literature verifies on other sets.",
        "Record files (train.rec), 112 x 112, aligned, of fewer people and images, are another copy and are not read.",
    ),
)


def read(root: Path, settings: CasiaWebFaceSettings) -> Index:
    """The index of a folder of numbered folders, one a person.

    Raises:
        UserError: for record files, a folder that is no person's, or nobody with enough images.
    """
    root = next((root / name for name in WRAPPERS if (root / name).is_dir()), root)
    people = _people(root)
    images = {person: _images(root / person) for person in people}
    found = {"images": sum(map(len, images.values())), "people": sum(map(bool, images.values()))}
    kept = {person: names for person, names in images.items() if len(names) >= settings.identity_images}
    if not kept:
        raise UserError(
            f"{root} holds nobody with dataset.identity_images={settings.identity_images} images, of {len(people)}"
            " folders."
        )
    counts = [len(names) for names in kept.values()]
    table = index_table(
        NAME,
        [f"{person}/{name}" for person, names in kept.items() for name in names],
        subject=np.repeat([subject_code(NAME, person) for person in kept], counts),
        identity=np.repeat(list(kept), counts),
    )
    return Index(
        dataset=NAME,
        root=root,
        table=table,
        label_spaces={"identity": own_space("identity", kept, where="the folder names")},
        is_cropped=settings.cropped,
        notes=_notes(images, kept, settings.identity_images),
        found=found,
        variant="cleaned, folders of images" if root.name == WRAPPERS[1] else "folders of images",
    )


def _people(root: Path) -> list[str]:
    """The names of the folders, sorted."""
    entries = [entry for entry in sorted(root.iterdir()) if not entry.name.startswith(".")]
    people = [entry.name for entry in entries if entry.is_dir()]
    for name in people:
        if not _PERSON.fullmatch(name):
            # a name without a digit may be somebody's
            shown = f"{name!r}" if re.search(r"\d", name) else "one without a number"
            raise UserError(
                f"{root} is not a copy of {NAME}: its folders are numbers, as 0000045, and {shown} is among them."
            )
    if not people:
        records = [name for name in RECORDS if (root / name).is_file()]
        if records:
            raise UserError(
                f"{root} holds {NAME} as record files ({', '.join(records)}), which are not read: unpack them into a"
                " folder of images a person, named by its number."
            )
        raise UserError(f"{root} is not a copy of {NAME}: it holds no folder of a person, as 0000045.")
    return people


def _images(folder: Path) -> list[str]:
    """The names of the images of one person, sorted."""
    names = (entry.name for entry in folder.iterdir())
    return sorted(n for n in names if n[0] != "." and n[n.rfind(".") :].lower() in IMAGE_SUFFIXES)


def _notes(images: dict[str, list[str]], kept: dict[str, list[str]], least: int) -> tuple[Note, ...]:
    """What is left out: empty folders, and people with too few images."""
    empty = sum(not names for names in images.values())
    few = [f"{person}/{name}" for person, names in images.items() if person not in kept for name in names]
    notes = [Note("empty", f"{empty} folders hold no image, so they are no classes.")] if empty else []
    if few:
        number = len(images) - len(kept) - empty
        sentence = f"{number} people with fewer than {least} images are left out, {len(few)} images."
        notes.append(Note("few", sentence, _ids(few)))
    return tuple(notes)


def _ids(images: Sequence[str]) -> tuple[str, ...]:
    return tuple(sample_id(NAME, image) for image in images)
