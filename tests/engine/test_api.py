from pathlib import Path

import numpy as np
import pytest
from fakes import patterns
from PIL import Image

import fer_zoo
from fer_zoo.core.errors import UserError


@pytest.mark.usefixtures("blank_pictures")
def test_train_and_evaluate_take_what_is_typed_on_the_command_line(faces: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    words = {key: text for key, text in patterns.settings(faces, tmp_path / "runs") if key != "trainer.max_epochs"}
    settings = {**words, "trainer.max_epochs": 1, "data.workers": 0, "data.cache": False, "seed": 3}
    run = fer_zoo.train(settings, echo=lines.append)
    assert (run / "model" / "card.json").is_file() and run.is_relative_to(tmp_path / "runs")
    assert lines[-1] == f"run folder: {run}"
    assert fer_zoo.train(settings) == run  # it is done
    report, folder = fer_zoo.evaluate(run)
    assert report.scores.space.name == patterns.SPACE
    assert (folder / "confusion_matrix.png").is_file()
    other = patterns.write(tmp_path / "others", people=("Ines", "Jan"), seed=9)
    report, folder = fer_zoo.evaluate(run, {"dataset.root": other, "output": tmp_path / "scores"})
    assert folder == tmp_path / "scores"
    assert sum(map(sum, report.to_dict()["confusion_matrix"])) == 12


def test_mistakes_are_those_of_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"trainer\.max_epochs must be int, got 'many'"):
        fer_zoo.train({"method": "timm_classifier", "dataset": "image_folder", "trainer.max_epochs": "many"})
    with pytest.raises(UserError, match="does not exist"):
        fer_zoo.evaluate(tmp_path / "nowhere")


def test_pictures_of_samples(faces: Path, tmp_path: Path) -> None:
    index = fer_zoo.open_dataset("image_folder", faces, label_space=patterns.SPACE, cropped=True)
    lines: list[str] = []
    settings = {"method.backbone": "resnet10t", "method.image_size": 32, "samples": 1, "output": tmp_path / "sheets"}
    paths = fer_zoo.draw_pictures(index, settings, echo=lines.append)
    assert [path.parent for path in paths] == [tmp_path / "sheets"] * 7
    assert all(path.is_file() for path in paths)
    assert "image_size=32" in lines[0]


def test_a_folder_stands_for_its_photographs_and_videos(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "new" / "below").mkdir(parents=True)
    for name in ("a.png", "below/b.png"):
        Image.fromarray(patterns.stripes(0, seed=1)).save(tmp_path / "new" / name)
    (tmp_path / "new" / "Thumbs.db").write_bytes(b"of the system")
    array = np.full((32, 32, 3), 90, np.uint8)
    table = fer_zoo.predict([tmp_path / "new", array], trained, detector="none")
    assert [Path(str(file)).name for file in table["file"][:2]] == ["a.png", "b.png"] and len(table) == 3
    assert fer_zoo.predict(str(tmp_path / "new"), trained, detector="none")["emotion"].notna().sum() == 2
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="No photographs or videos in"):
        fer_zoo.predict(tmp_path / "empty", trained)
