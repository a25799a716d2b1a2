from pathlib import Path

import pytest
from fakes import facial_expressions

from fer_zoo.core.errors import UserError
from fer_zoo.data.open import open_dataset


def test_finds_the_root_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = facial_expressions.write(tmp_path)
    monkeypatch.setenv("FER_ZOO_DATA", str(tmp_path))
    assert len(open_dataset("facial_expressions")) == len(fake.people)


def test_missing_data_says_where_it_looked_and_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_ZOO_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"looked for .*facial_expressions.*`fer-zoo download facial_expressions`"):
        open_dataset("facial_expressions")


def test_unknown_name_and_own_data_without_root() -> None:
    with pytest.raises(UserError, match="Did you mean 'facial_expressions'"):
        open_dataset("facial_expression")
    with pytest.raises(UserError, match=r"give their folder: dataset\.root=FOLDER, or root=FOLDER with check-data\."):
        open_dataset("image_folder")
