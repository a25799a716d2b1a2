import re
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core.sample import TARGETS, sample_id, subject_code


def test_targets_are_those_of_the_plan() -> None:
    words = "emotion au blendshapes expression identity landmarks mask position_map shading pose face_parameters"
    assert set(TARGETS) == set(words.split())


def test_what_marks_a_missing_value_fits_the_type() -> None:
    for schema in TARGETS.values():
        assert schema.missing == {"int64": "-1", "float32": "NaN"}[schema.dtype]
        assert schema.shape.split()[0] == "b"


def test_an_id_is_the_checksum_of_set_and_path() -> None:
    assert sample_id("raf_db", "images/1.jpg") == sha256(b"raf_db/images/1.jpg").hexdigest()[:12]


@given(dataset=st.text(), name=st.text(min_size=1))
def test_ids_and_codes_show_nothing_of_the_name(dataset: str, name: str) -> None:
    assert re.fullmatch("[0-9a-f]{12}", sample_id(dataset, name))
    assert re.fullmatch("s[0-9a-f]{8}", subject_code(dataset, name))


def test_the_same_person_has_other_codes_in_other_sets() -> None:
    assert subject_code("one", "a") != subject_code("two", "a")
    assert sample_id("one", "a") != sample_id("two", "a")
