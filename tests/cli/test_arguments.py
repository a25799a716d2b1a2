from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.cli.arguments import VERBS, Command, parse
from fer_zoo.core.errors import UserError

KEYS = st.from_regex(r"[a-z_][a-z0-9_]{0,8}(\.[a-z_][a-z0-9_]{0,8}){0,2}", fullmatch=True)


@given(settings=st.dictionaries(KEYS, st.text()))
def test_any_text_behind_the_first_equals_sign_survives(settings: dict[str, str]) -> None:
    command = parse(["train", *(f"{key}={text}" for key, text in settings.items())])
    assert command == Command("train", (), tuple(settings.items()))


@given(words=st.lists(st.text()))
def test_behind_two_dashes_every_word_is_a_file(words: list[str]) -> None:
    assert parse(["train", "--", *words]).files == tuple(words)


@given(words=st.lists(st.text()))
def test_any_words_are_taken_apart_or_refused_in_one_sentence(words: list[str]) -> None:
    try:
        command = parse(["train", *words])
    except UserError as error:
        assert str(error)
    else:
        assert len(command.files) + len(command.settings) + len(command.flags) <= len(words)


def test_files_settings_and_flags_are_told_apart() -> None:
    command = parse(["info", "face.jpg", "--json", "seed=1", "photos/a b.jpg", "-"])
    assert command == Command("info", ("face.jpg", "photos/a b.jpg", "-"), (("seed", "1"),), frozenset({"--json"}))


def test_a_flag_may_stand_before_the_verb() -> None:
    assert parse(["--debug", "list"]) == Command("list", flags=frozenset({"--debug"}))


def test_a_word_with_an_equals_sign_that_exists_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse(["info", "seed=1"]).settings == (("seed", "1"),)
    Path("seed=1").touch()
    assert parse(["info", "seed=1"]) == Command("info", ("seed=1",))


def test_a_path_with_an_equals_sign_is_never_a_setting() -> None:
    assert parse(["info", "photos/a=b.jpg"]).files == ("photos/a=b.jpg",)


def test_plus_signs_of_hydra_are_read() -> None:
    assert parse(["train", "+a.b=1", "++c=2"]).settings == (("a.b", "1"), ("c", "2"))


def test_nothing_is_no_verb() -> None:
    assert parse([]) == Command("")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "There is no verb 'trian'. Did you mean 'train'? Verbs: list, info, "),
        (["list", "--jsno"], "There is no flag '--jsno'. Did you mean '--json'?"),
        (["train", "--seed=3"], "There is no flag '--seed=3': settings are written without dashes, seed=3."),
        (["train", "-m"], "There is no flag '-m'."),
        (["train", "seed=1", "seed=2"], "seed is set twice: '1' and '2'. Keep one of them."),
    ],
)
def test_bad_words_are_refused(words: list[str], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(words)
    assert str(caught.value).startswith(sentence)


def test_short_help() -> None:
    assert parse(["-h"]).flags == {"--help"}


def test_a_verb_refuses_what_it_has_no_use_for() -> None:
    command = Command("list", ("a", "b"), (("tarqet", "emotion"),), frozenset({"--json", "--debug"}))
    with pytest.raises(UserError, match=r"`fer-zoo list` has no flag --json\. It knows --pictures\."):
        command.allow_flags("--pictures")
    command.allow_flags("--json")
    with pytest.raises(UserError, match=r"no setting tarqet\. Did you mean 'target'\? It knows: target\."):
        command.options("target")
    with pytest.raises(UserError, match=r"needs one name, found 2: a, b\. See\."):
        command.one_name("name", "See.")
    with pytest.raises(UserError, match="takes settings only, written key=value, found 'a'"):
        command.no_files()


def test_every_verb_is_parsed() -> None:
    assert [parse([verb]).verb for verb in VERBS] == list(VERBS)
