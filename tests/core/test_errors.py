from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.errors import UserError, nearest, unknown_name


def test_near_misses_ignore_case_and_show_names_as_they_are() -> None:
    assert nearest("RAF_BD", ["Raf_Db", "other"]) == " Did you mean 'Raf_Db'?"
    assert nearest("zzz", ["raf_db"]) == ""


def test_a_long_list_is_counted() -> None:
    names = [f"method_{i}" for i in range(30)]
    sentence = str(unknown_name("method", "x", names, see="`fer-zoo list`"))
    assert sentence == "No method is named 'x'. Known: 30 names, see `fer-zoo list`."
    assert str(unknown_name("method", "x", [])) == "No method is named 'x'. Known: none."


@given(name=st.text(), known=st.lists(st.text(), max_size=30))
def test_any_name_gives_a_sentence(name: str, known: list[str]) -> None:
    assert repr(name) in str(unknown_name("method", name, known))


@given(text=st.text(st.characters()))
def test_every_sentence_is_one_printable_line(text: str) -> None:
    sentence = str(UserError(f"{text}."))
    assert sentence.splitlines() == [sentence]
    assert not {*map(chr, range(32)), *map(chr, range(127, 160))} & set(sentence)
    assert sentence.encode()  # halves of surrogate pairs have no bytes


def test_a_sentence_that_quotes_a_huge_cell_still_says_what_to_do() -> None:
    sentence = str(UserError(f"Label {'9' * 100_000!r} is none. Delete it."))
    assert len(sentence) < 2100
    assert sentence.startswith("Label '999") and sentence.endswith("' is none. Delete it.")
