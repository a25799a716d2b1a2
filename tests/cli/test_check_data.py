import json
from pathlib import Path

import numpy as np
import pytest
from fakes import disfa as disfa_writer
from fakes import facial_expressions as fake_writer
from fakes.fake import Fake
from fakes.portraits import portrait
from PIL import Image

from fer_zoo.cli.main import main
from fer_zoo.core.sample import sample_id


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return fake_writer.write(tmp_path)


def test_the_report_names_no_person(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-data", "facial_expressions", f"root={fake.root}"]) in (0, 1)
    shown = capsys.readouterr().out
    assert f"{len(fake.people)} samples" in shown
    assert [word for word in fake.hidden if word in shown] == []


def test_a_part_of_the_people_is_checked_unless_the_protocol_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["check-data", "disfa", f"root={disfa_writer.write(tmp_path).root}", "images=frames"]
    assert main(words) == 1  # not a complete copy
    assert "19 samples of 4 subjects" in capsys.readouterr().out
    assert main([*words, "protocol=disfa_three_folds"]) == 2
    assert "word 2 of list 1" in capsys.readouterr().err
    main([*words, "protocol=subject_holdout", "protocol.test_share=0.3"])
    assert "word 2" not in capsys.readouterr().out


@pytest.mark.parametrize("key", ["root", "dataset.root"])
def test_the_report_as_json(fake: Fake, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check-data", "facial_expressions", f"{key}={fake.root}", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert (report["samples"], report["unreadable"], report["missing"]) == (len(fake.people), {}, [])


def test_an_unreadable_file_is_named_by_id_and_by_path_only_when_asked(
    fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    image = next(iter(fake.people))
    (fake.root / image).write_bytes(b"no image")
    entry = sample_id("facial_expressions", image)
    assert main(["check-data", "facial_expressions", f"root={fake.root}", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert list(report["unreadable"]) == [entry] and "paths" not in report
    assert main(["check-data", "facial_expressions", f"root={fake.root}", "--show-paths"]) == 1
    assert f"{entry}  {fake.root / image}" in capsys.readouterr().out
    assert main(["check-data", "facial_expressions", f"root={fake.root}"]) == 1
    assert capsys.readouterr().out.endswith("\n--show-paths shows the files of the ids above.\n")


def test_a_folder_given_as_a_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my_faces").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["check-data", "my_faces"]) == 2
    assert "`fer-zoo check-data image_folder root=my_faces`" in capsys.readouterr().err
    assert main(["train", "method=timm_classifier", "dataset=my_faces"]) == 2
    assert "dataset=image_folder dataset.root=my_faces" in capsys.readouterr().err


def test_settings_of_the_data_set_are_taken(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check-data", "facial_expressions", f"root={fake.root}", "annotators=302,628", "--json"])
    assert json.loads(capsys.readouterr().out)["samples"] == 4
    main(["check-data", "facial_expressions", f"root={fake.root}", "dataset.annotators=628", "--json"])
    assert json.loads(capsys.readouterr().out)["samples"] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "`fer-zoo check-data` needs one data set, found none."),
        (["facial_expresions"], "No data set is named 'facial_expresions'. Did you mean 'facial_expressions'?"),
        (["facial_expressions", "root=no/where"], "Data set facial_expressions was not found: looked for"),
        (["facial_expressions", "anotators=x"], "There is no setting anotators. Did you mean 'annotators'?"),
        (["image_folder", "rot=x"], "There is no setting rot. Did you mean 'root'? Known: root, label_space, classes"),
        (["image_folder"], "Data set image_folder reads files of your own; give their folder: dataset.root=FOLDER, or"),
        (
            ["facial_expressions", "--dry-run"],
            "`fer-zoo check-data` has no flag --dry-run. It knows --pictures, --json",
        ),
    ],
)
def test_mistakes(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-data", *words]) == 2
    assert capsys.readouterr().err.startswith(f"fer-zoo: {sentence}")


def plant_copies(fake: Fake) -> tuple[str, str]:
    """One picture under the names of two people, the second time darker and mirrored; the two ids."""
    first, second = [image for image in fake.people if fake.labels.get(image) == "happiness"][:2]
    pixels = portrait(1)
    Image.fromarray(pixels).save(fake.root / first, format="JPEG")
    Image.fromarray((pixels[:, ::-1] * 0.7).astype(np.uint8)).save(fake.root / second, format="JPEG", quality=70)
    return sample_id("facial_expressions", first), sample_id("facial_expressions", second)


def test_near_duplicates_are_told_with_the_splits_that_part_them(
    fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = plant_copies(fake)
    words = ["check-data", "facial_expressions", f"root={fake.root}"]
    main([*words, "protocol=subject_kfold", "protocol.folds=2", "--json"])
    near = json.loads(capsys.readouterr().out)["near_duplicates"]
    assert [sorted(group) for group in near["groups"]] == [sorted((first, second))]
    assert (near["mirrored"], near["of_several_classes"], len(near["of_several_subjects"])) == (1, [], 1)
    assert (near["protocol"], near["splits"], near["problem"]) == ("subject_kfold", 2, "")
    main([*words, "--show-paths"])
    shown = capsys.readouterr().out
    assert "near-duplicates: 1 groups of 2 images, 1 pairs mirrored\n" in shown
    assert f"\n  {first}  {fake.root}" in shown or f"\n{first}  {fake.root}" in shown


def test_near_duplicates_have_a_sheet(fake: Fake, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant_copies(fake)
    folder = tmp_path / "sheets"
    main(["check-data", "facial_expressions", f"root={fake.root}", "--pictures", f"output={folder}", *SMALL])
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"pictures: {folder} (overview.png, near_duplicates.png and 6 sheets)"
    )
    assert (folder / "near_duplicates.png").is_file()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["protocol=subject_kfolds"], "No protocol is named 'subject_kfolds'. Did you mean 'subject_kfold'"),
        (["protocol=subject_kfold", "protocol.fold=2"], "There is no setting protocol.fold. Did you mean 'folds'?"),
        (["protocol.folds=two"], "protocol.folds must be "),
        (["protocol=official_split"], "facial_expressions"),
    ],
)
def test_wrong_words_about_the_protocol(
    fake: Fake, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-data", "facial_expressions", f"root={fake.root}", *words]) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err and printed.err.count("\n") == 1 and printed.out == ""


SMALL = ("method.backbone=resnet10t", "method.image_size=32", "samples=2")


def test_pictures_are_drawn_beside_the_report_and_name_nobody(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check-data", "facial_expressions", f"root={fake.root}", "--pictures", *SMALL]) == 1
    shown = capsys.readouterr().out
    assert f"{len(fake.people)} samples" in shown
    assert shown.splitlines()[-1] == "pictures: data_pictures/facial_expressions (overview.png and 6 sheets)"
    folder = tmp_path / "data_pictures" / "facial_expressions"
    assert (folder / "overview.png").is_file() and (folder / "emotion_disgust.png").is_file()
    written = "".join(path.name for path in folder.iterdir())
    assert [word for word in fake.hidden if word in shown + written] == []


def test_pictures_and_json(fake: Fake, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["annotators=302,628", f"output={tmp_path / 'sheets'}", "data.augmentation=none", *SMALL]
    main(["check-data", "facial_expressions", f"root={fake.root}", "--pictures", "--json", *words])
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert report["samples"] == 4
    assert [Path(path).name for path in report["pictures"]] == [
        "overview.png",
        "emotion_anger.png",
        "emotion_neutral.png",
    ]
    assert all(Path(path).is_file() for path in report["pictures"])
    assert "pictures: augmentation none" in printed.err
    assert "paths" not in report


def test_the_files_of_the_ids_on_the_pictures_are_shown_when_asked_for(
    fake: Fake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["check-data", "facial_expressions", f"root={fake.root}", f"output={tmp_path / 'sheets'}", *SMALL]
    main([*words, "--pictures", "--show-paths"])
    shown = capsys.readouterr().out
    for image, label in fake.labels.items():
        if label in ("anger", "surprise"):
            assert f"{sample_id('facial_expressions', image)}  {fake.root / image}" in shown


def test_wrong_words_about_pictures_are_told_before_any_file_is_read(
    fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    main_words = ["check-data", "facial_expressions", f"root={fake.root}"]
    assert main([*main_words, "samples=3"]) == 2
    assert (
        capsys.readouterr().err == "fer-zoo: samples is about pictures of the data: add --pictures, or leave it out.\n"
    )
    assert main([*main_words, "--pictures", "method=timm"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("fer-zoo: No method is named 'timm'")
    assert main([*main_words, "--pictures", "sampels=3"]) == 2
    assert capsys.readouterr().err == "fer-zoo: There is no setting sampels. Did you mean 'samples'?\n"
    assert main([*main_words, "--pictures", "anotators=x"]) == 2
    assert "There is no setting anotators. Did you mean 'annotators'?" in capsys.readouterr().err
