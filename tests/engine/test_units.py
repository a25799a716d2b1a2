"""Evaluation by the unit of the protocol: clips and files that a training has seen are refused, its own part is not."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import clips

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_json, write_json
from fer_zoo.core.label_spaces import own_space
from fer_zoo.data.index import Index, clip_code
from fer_zoo.data.protocols import make_splits
from fer_zoo.engine.checkpoint import subject_hash
from fer_zoo.engine.config import compose
from fer_zoo.engine.evaluate import evaluate
from fer_zoo.engine.overlap import refuse_training_data
from fer_zoo.engine.run import Run, open_run
from fer_zoo.engine.train import train, training_facts

pytestmark = pytest.mark.usefixtures("blank_pictures")


def quiet(line: str) -> None:
    """Hears nothing."""


@pytest.fixture(scope="session")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.write(tmp_path_factory.mktemp("clips") / "faces")


def opened(sheet: Path, tmp_path: Path, **others: Any) -> Run:
    return open_run(compose(clips.settings(sheet, tmp_path / "runs", **others), verb="train"), echo=quiet)


def card_of(run: Run, **changed: Any) -> dict[str, Any]:
    facts = {**training_facts(run), **changed}
    return {"training": {key: value for key, value in facts.items() if value is not None}}


def refused(card: dict[str, Any], run: Run) -> tuple[str, list[str]]:
    """The sentence of the refusal, "" for none, and the lines told before."""
    lines: list[str] = []
    try:
        refuse_training_data(card, run, echo=lines.append)
    except UserError as error:
        return str(error), lines
    return "", lines


LOCO = {"protocol": "leave_one_clip_out"}


def test_facts_hold_unit_frames_and_hashes_of_clips(sheet: Path, tmp_path: Path) -> None:
    run = opened(sheet, tmp_path, **LOCO, frames="first+last_1")
    facts = training_facts(run)
    assert (facts["unit"], facts["frames"]) == ("clip", "first+last_1")
    used = run.index.table.iloc[run.index.rows_of(run.split.train + run.split.validation)]
    assert facts["clip_hashes"] == sorted({subject_hash(clip) for clip in used["clip"]})  # the sheet's are codes
    assert len(facts["clip_hashes"]) == 23
    assert len(run.index) == 48
    folds = opened(sheet, tmp_path, protocol="subject_kfold", protocol__folds=2)
    assert training_facts(folds)["unit"] == "subject"


def test_another_clip_is_refused_with_its_code_and_the_own_one_is_not(sheet: Path, tmp_path: Path) -> None:
    first, second = (opened(sheet, tmp_path, **LOCO, fold=fold) for fold in (0, 1))
    card = card_of(first)
    sentence, lines = refused(card, first)
    assert sentence == ""
    assert lines == [
        "note: 1 of 1 test subjects were in the training of this checkpoint; leave_one_clip_out keeps clips apart, not"
        " people"
    ]
    (clip,) = second.index.table["clip"].iloc[second.index.rows_of(second.split.test)].unique()
    assert clip_code("table", clip) in refused(card, second)[0]
    assert "1 of 1 test clips were in the training of this checkpoint" in refused(card, second)[0]
    assert "own fold 0 of leave_one_clip_out" in refused(card, second)[0]
    frames = opened(sheet, tmp_path, **LOCO, fold=1, frames="first")  # another index, the same clips
    assert "1 of 1 test clips were" in refused(card, frames)[0]
    people = opened(sheet, tmp_path, protocol="subject_kfold", protocol__folds=2)
    assert "2 of 2 test subjects were" in refused(card, people)[0]


def test_a_checkpoint_without_clips_is_compared_by_people(sheet: Path, tmp_path: Path) -> None:
    first, second = (opened(sheet, tmp_path, **LOCO, fold=fold) for fold in (0, 1))
    for forgotten in (None, []):
        assert "1 of 1 test subjects were" in refused(card_of(first, clip_hashes=forgotten), second)[0]
        assert refused(card_of(first, clip_hashes=forgotten), first)[0] == ""  # what it left out itself


def test_a_copy_under_another_clip_is_refused_but_in_the_own_part(sheet: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(sheet, tmp_path / "copied")
    first = opened(copied, tmp_path, **LOCO)
    images = dict(zip(first.index.table["id"], first.index.table["image"], strict=True))
    tested, trained = images[first.split.test[0]], images[first.split.train[0]]
    shutil.copy(copied / trained, copied / tested)
    card = card_of(first)
    sentence, lines = refused(card, first)
    assert sentence == ""
    assert f"warning: 1 test images ({first.split.test[0]}) are copies of training images of other clips" in lines
    other = replace(first, config=replace(first.config, seed=0, protocol={**first.config.protocol, "seed": 5}))
    assert "1 of 3 test images are files that this checkpoint was trained on" in refused(card, other)[0]


def identity_run(run: Run, seed: int) -> Run:
    """The same images, to be told apart by person."""
    index: Index = run.index
    spaces = {**index.label_spaces, "identity": own_space("identity", index.table["subject"].unique(), where="")}
    index = replace(index, table=index.table.assign(identity=index.table["subject"]), label_spaces=spaces)
    splits = make_splits(index, "identity_holdout", {"seed": seed}, "identity")
    protocol = {"name": "identity_holdout", "seed": seed}
    return Run(replace(run.config, protocol=protocol), index, "identity", tuple(splits))


def test_files_are_compared_where_files_are_kept_apart(sheet: Path, tmp_path: Path) -> None:
    run = opened(sheet, tmp_path, **LOCO)
    own, other = identity_run(run, 0), identity_run(run, 1)
    card = card_of(own)
    assert card["training"]["unit"] == "file"
    sentence, lines = refused(card, own)
    assert sentence == ""
    assert lines[0].startswith("note: 4 of 4 test subjects were in the training")
    shared = {*own.split.train, *own.split.validation} & set(other.split.test)
    assert f"{len(shared)} of {len(other.split.test)} test images are files that this" in refused(card, other)[0]
    assert "4 of 4 test subjects were" in refused(card_of(own, file_hashes=None), other)[0]


def test_opening_tells_that_people_are_on_both_sides(sheet: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    open_run(compose(clips.settings(sheet, tmp_path, **LOCO), verb="train"), echo=lines.append)
    told = "note: leave_one_clip_out keeps clips apart, not people: 1 of 1 people of the test part are trained on, too."
    assert lines.count(told) == 1
    lines.clear()
    words = clips.settings(sheet, tmp_path, protocol="leave_one_subject_out")
    open_run(compose(words, verb="train"), echo=lines.append)
    assert not [line for line in lines if "apart" in line]


def test_people_of_lists_are_kept_by_their_codes(sheet: Path, tmp_path: Path) -> None:
    named = opened(sheet, tmp_path, protocol="subject_lists", protocol__lists=f"{clips.PEOPLE[1]},{clips.PEOPLE[0]}")
    assert not any(person in str(named.config.to_dict()) for person in clips.PEOPLE)
    coded = opened(sheet, tmp_path, protocol="subject_lists", protocol__lists=",".join(named.config.protocol["lists"]))
    assert coded.id == named.id
    assert [len(split.test) for split in named.splits] == [18, 18]
    swapped = opened(sheet, tmp_path, protocol="subject_lists", protocol__lists=f"{clips.PEOPLE[0]},{clips.PEOPLE[1]}")
    assert swapped.id != named.id


def test_frames_are_chosen_before_people_are_divided(sheet: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    words = clips.settings(sheet, tmp_path, protocol="leave_one_subject_out", frames="first+end_2")
    run = open_run(compose(words, verb="train"), echo=lines.append)
    assert sum(map(len, (run.split.train, run.split.validation, run.split.test))) == 48
    assert sorted(run.index.table["frame"].unique()) == [10, 12]
    assert "note: frames=first+end_2 keeps 48 of 72 frames of 24 clips and leaves out 24." in lines
    plain = opened(sheet, tmp_path, protocol="leave_one_subject_out")
    assert plain.id != run.id


def test_a_word_that_is_no_frame_is_told_at_once(sheet: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"frames=lst_3 asks for 'lst_3'\. Did you mean 'last_3'"):
        compose(clips.settings(sheet, tmp_path, frames="lst_3"), verb="train")
    with pytest.raises(UserError, match="Did you mean 'frames'"):
        compose(clips.settings(sheet, tmp_path, frame="last_3"), verb="train")


def test_training_tells_copies_and_evaluation_takes_the_frames_of_training(sheet: Path, tmp_path: Path) -> None:
    faces = shutil.copytree(sheet, tmp_path / "faces")
    others: dict[str, Any] = {**LOCO, "frames": "last_2", "trainer__max_epochs": 1}
    run = opened(faces, tmp_path, **others)
    images = dict(zip(run.index.table["id"], run.index.table["image"], strict=True))
    pair = sorted([run.split.test[0], run.split.train[0]])
    shutil.copy(faces / images[run.split.train[0]], faces / images[run.split.test[0]])
    lines: list[str] = []
    folder = train(compose(clips.settings(faces, tmp_path / "runs", **others), verb="train"), echo=lines.append)
    assert [line for line in lines if line.startswith("warning: identical files")] == [
        f"warning: identical files stand in different parts of the split: {pair[0]} = {pair[1]}; what is tested was"
        " seen in training or chose the weights"
    ]
    words = [("dataset.root", str(faces)), ("data.workers", "0"), ("data.progress", "false"), ("trainer", "cpu")]
    report, _ = evaluate(folder, [*words, ("output", str(tmp_path / "own"))], echo=quiet)
    assert report.to_dict()["rows"][0]["images"] == 2
    with pytest.raises(UserError, match="1 of 1 test clips were in the training"):
        evaluate(folder, [*words, ("fold", "3"), ("output", str(tmp_path / "other"))], echo=quiet)
    card = read_json(folder / "model" / "card.json")
    del card["training"]["frames"]  # as an earlier version wrote it
    write_json(folder / "model" / "card.json", card)
    lines.clear()
    with pytest.raises(UserError, match="4 of 4 test subjects were in the training"):
        evaluate(folder, [*words, ("output", str(tmp_path / "whole"))], echo=lines.append)
    assert any("other than in training, so all of it" in line for line in lines)


def test_drawn_clips_are_tested_clip_by_clip_on_their_first_and_last_frames() -> None:
    words = {
        "method": "timm_classifier", "dataset": "synthetic_faces", "dataset.num_samples": "48",
        "dataset.samples_per_person": "2", "dataset.clips.frames": "6", "dataset.clips.falls": "0",
        "frames": "first+last_3", **LOCO,
    }  # fmt: skip
    run = open_run(compose(list(words.items()), verb="train"), echo=quiet)
    table = run.index.table
    assert len(table) == 8 * 4 and table.groupby("clip")["frame"].nunique().eq(4).all() and len(run.splits) == 8
    tested = table.iloc[run.index.rows_of(run.split.test)]
    assert tested["clip"].nunique() == 1 and len(tested) == 4
    expressive = table[table["emotion"] != "neutral"].sort_values("frame").groupby("clip")["intensity"]
    assert (expressive.first() == 0).all() and (expressive.last() > 0.3).all()
