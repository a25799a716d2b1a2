import os
import re
from pathlib import Path

import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.core.paths import cache_folder, data_roots, find_root, without_folder


@pytest.fixture
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FER_ZOO_DATA", raising=False)
    return tmp_path


def test_candidates_in_order(somewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_roots("raf_db") == [Path("data/raf_db")]
    monkeypatch.setenv("FER_ZOO_DATA", os.pathsep.join(["one", "", "two"]))
    assert data_roots("raf_db") == [Path("one/raf_db"), Path("two/raf_db"), Path("data/raf_db")]
    assert data_roots("raf_db", "mine") == [Path("mine")]


def test_the_first_folder_that_exists_is_taken(somewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_ZOO_DATA", os.pathsep.join([str(somewhere / "one"), str(somewhere / "two")]))
    for root in ("two/raf_db", "data/raf_db"):
        (somewhere / root).mkdir(parents=True)
    assert find_root("raf_db") == somewhere / "two" / "raf_db"
    (somewhere / "one").mkdir()
    (somewhere / "one" / "raf_db").write_text("a file is no root")
    assert find_root("raf_db") == somewhere / "two" / "raf_db"


def test_a_missing_root_says_where_it_looked_and_what_to_do(somewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_ZOO_DATA", "one")
    with pytest.raises(UserError, match=re.escape("one/raf_db, data/raf_db. `fer-zoo info raf_db` says where")):
        find_root("raf_db")
    with pytest.raises(
        UserError,
        match=re.escape("Ask its authors. Then give its folder: dataset.root=FOLDER, or root=FOLDER with check"),
    ):
        find_root("raf_db", how="Ask its authors.")


def test_what_is_no_data_set_is_named_by_its_kind_and_may_lie_in_a_folder_of_another_name(somewhere: Path) -> None:
    named = {"kind": "The folder of the face model", "folder": "ict_facekit", "given_by": "root=FOLDER"}
    with pytest.raises(UserError) as caught:
        find_root("ict", how="Fetch it.", **named)
    assert str(caught.value) == (
        "The folder of the face model ict was not found: looked for the folder data/ict_facekit. Fetch it. Then give"
        " its folder: root=FOLDER; or the folder above it in $FER_ZOO_DATA."
    )
    (somewhere / "data" / "ict_facekit").mkdir(parents=True)
    assert find_root("ict", **named) == Path("data/ict_facekit")


def test_an_explicit_root_that_is_missing_is_not_replaced_by_another(somewhere: Path) -> None:
    (somewhere / "data" / "raf_db").mkdir(parents=True)
    with pytest.raises(UserError, match=r"looked for the folder elsewhere\.$"):
        find_root("raf_db", "elsewhere")
    with pytest.raises(UserError, match=r"the folder date\. Did you mean 'data'\? Ask for it\.$"):
        find_root("raf_db", "date", how="Ask for it.")
    with pytest.raises(UserError, match=r"the folder no/where\.$"):
        find_root("raf_db", "no/where")


def test_home_is_understood(somewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(somewhere))
    monkeypatch.setenv("FER_ZOO_CACHE", "~/cache")
    assert data_roots("raf_db", "~/faces") == [somewhere / "faces"]
    assert cache_folder() == somewhere / "cache"


def test_the_cache_is_the_users_unless_named(somewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_ZOO_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(somewhere))
    monkeypatch.setenv("HOME", str(somewhere))
    assert cache_folder().name == "fer_zoo"
    assert somewhere in cache_folder().parents


def test_of_a_path_that_is_there_the_last_part_is_shown(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").touch()
    assert without_folder(str(tmp_path / "labels.csv")) == "labels.csv"
    for text in ("labels.csv", r"/(\w+)_", "", "resnet18"):
        assert without_folder(text) == text
