"""Checked against tables typed in from elsewhere: datasets' own codes, Apple's list of ARKit shapes, FACS lists."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_zoo.core import face_parts, landmarks
from fer_zoo.core.action_units import GENET_SLIDERS
from fer_zoo.core.blendshapes import BLENDSHAPES, BLENDSHAPES_51
from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, label_space, label_spaces, own_space
from fer_zoo.core.sample import TARGETS

ALL_SPACES = sorted(label_spaces())
EMOTIONS = sorted(name for name in ALL_SPACES if name.startswith("emotion/"))
CANONICAL = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")

# Per set the label of each canonical class, "-" where it has none.
NATIVE_CODES = {
    "emotion/ckplus8": "1 2 3 4 5 0 6 7",
    "emotion/ckplus7": "1 2 3 4 5 - 6 7",
    "emotion/ckplus7_neutral": "1 - 3 4 5 0 6 7",
    "emotion/oulu_casia": "Anger - Disgust Fear Happiness - Sadness Surprise",
    "emotion/mmi": "1 - 2 3 4 - 5 6",
    "emotion/raf": "6 - 3 2 4 7 5 1",
    "emotion/fer2013": "0 - 1 2 3 6 4 5",
    "emotion/ferplus": "4 7 5 6 1 0 3 2",
    "emotion/affectnet8": "6 7 5 4 1 0 2 3",
    "emotion/affectnet7": "6 - 5 4 1 0 2 3",
    "emotion/afew": "Angry - Disgust Fear Happy Neutral Sad Surprise",
    "emotion/jaffe": "AN - DI FE HA NE SA SU",
    "emotion/facial_expressions8": "ANGER contempt Disgust fear HAPPINESS neutral sad surprise",
}
NATIVE_CODES_BESIDE = {
    "emotion/ckplus7": "anger contempt disgust fear happy - sadness surprise",  # folders of CK+48
    "emotion/fer2013": "angry - disgust fear happy neutral sad surprise",  # folders
}

ARKIT = [
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
]  # fmt: skip


@pytest.mark.parametrize("name", ALL_SPACES)
def test_a_space_is_what_its_name_says(name: str) -> None:
    space = label_space(name)
    assert space.name == name
    assert name.split("/")[0] == space.target
    assert space.target in TARGETS
    assert (space.kind == "classes") == (TARGETS[space.target].dtype == "int64")
    assert space.minimum < space.maximum
    assert len(space) == len(space.entries) == len(set(space.entries))
    assert [space.index(entry) for entry in space.entries] == list(range(len(space)))
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", entry) for entry in space.entries), "entries are column names"


@pytest.mark.parametrize("name", EMOTIONS)
def test_emotions_are_canonical_and_no_spelling_means_two_things(name: str) -> None:
    space = label_space(name)
    assert set(space.entries) <= set(CANONICAL)
    for code, entry in space.codes.items():
        assert space.parse(code, where="a test") == entry
        assert code.lower() not in space.entries or code.lower() == entry


@pytest.mark.parametrize(("name", "codes"), [*NATIVE_CODES.items(), *NATIVE_CODES_BESIDE.items()])
def test_native_codes_are_read_by_meaning(name: str, codes: str) -> None:
    space = label_space(name)
    known = {entry: code for entry, code in zip(CANONICAL, codes.split(), strict=True) if code != "-"}
    assert set(known) == set(space.entries)
    for entry, code in known.items():
        assert space.parse(code, where="a test") == entry
        assert space.parse(f" {code.upper()}\n", where="a test") == entry
        assert space.parse(entry.title(), where="a test") == entry


def test_codes_that_are_numbers_may_come_as_numbers() -> None:
    assert label_space("emotion/raf").parse(7, where="a test") == "neutral"


@pytest.mark.parametrize(
    ("name", "code"),
    [("raf", "0"), ("raf", "8"), ("mmi", "7"), ("ferplus", "8"), ("affectnet7", "7"), ("ckplus7", "0"), ("raf", "")],
)
def test_codes_of_other_states_are_refused(name: str, code: str) -> None:
    with pytest.raises(UserError, match=rf"Label '{code}' in row 3 is not one of emotion/{name}"):
        label_space(f"emotion/{name}").parse(code, where="row 3")


@given(text=st.text())
def test_any_text_is_an_entry_or_one_sentence(text: str) -> None:
    space = label_space("emotion/facial_expressions8")
    try:
        assert space.parse(text, where="row 3") in space.entries
    except UserError as error:
        assert "in row 3 is not one of emotion/facial_expressions8: anger, contempt" in str(error)


def test_a_near_miss_is_named() -> None:
    with pytest.raises(UserError, match="Did you mean 'happiness'"):
        label_space("emotion/basic8").parse("hapiness", where="row 3")
    with pytest.raises(UserError, match="has no entry 'AU3'"):
        label_space("au/disfa12").index("AU3")


def test_an_unknown_space_is_told_with_its_neighbours() -> None:
    with pytest.raises(UserError, match=r"No label space is named 'emotion/rav'\. Did you mean 'emotion/raf'"):
        label_space("emotion/rav")


@given(data=st.data(), name=st.sampled_from(ALL_SPACES))
def test_some_entries_are_a_space_that_its_name_gives_back(data: st.DataObject, name: str) -> None:
    whole = label_space(name)
    entries = data.draw(st.lists(st.sampled_from(whole.entries), min_size=1))
    some = whole.only(entries)
    assert some.entries == tuple(entry for entry in whole.entries if entry in entries)
    assert label_space(some.name) == some
    assert (some is whole) == (set(entries) == set(whole.entries))
    assert (some.target, some.kind, some.maximum) == (whole.target, whole.kind, whole.maximum)
    assert some.codes == {code: entry for code, entry in whole.codes.items() if entry in entries}
    assert some.only(entries[:1]) == whole.only(entries[:1])


def test_entries_that_a_space_lacks_are_told_with_their_neighbours() -> None:
    with pytest.raises(UserError, match=r"emotion/raf has no entry 'hapiness'\. Did you mean 'happiness'"):
        label_space("emotion/raf").only(["hapiness"])
    with pytest.raises(UserError, match="emotion/raf has no entry 'glad'"):
        label_space("emotion/raf:anger+glad")
    with pytest.raises(UserError, match="needs unique entries and at least one"):
        label_space("emotion/raf").only([])
    with pytest.raises(UserError, match="Did you mean 'emotion/raf'"):
        label_space("emotion/rav:anger")


@pytest.mark.parametrize(("entries", "codes"), [((), {}), (("a", "a"), {}), (("a",), {"1": "b"})])
def test_a_space_that_contradicts_itself_is_refused(entries: tuple[str, ...], codes: dict[str, str]) -> None:
    with pytest.raises(UserError, match="Label space 'emotion/mine'"):
        LabelSpace(name="emotion/mine", target="emotion", entries=entries, codes=codes)


@pytest.mark.parametrize(
    ("name", "numbers", "maximum"),
    [
        ("au/disfa12", "1 2 4 5 6 9 12 15 17 20 25 26", 5),
        ("au/disfa8", "1 2 4 6 9 12 25 26", 1),
        ("au/bp4d12", "1 2 4 6 7 10 12 14 15 17 23 24", 1),
        ("au/fera2015", "6 10 12 14 17", 5),
        ("au/fera2017", "1 4 6 10 12 14 17", 5),
    ],
)
def test_action_units_are_those_that_the_sets_code(name: str, numbers: str, maximum: int) -> None:
    space = label_space(name)
    assert space.entries == tuple(f"AU{int(number):02d}" for number in numbers.split())
    assert (space.minimum, space.centre, space.maximum) == (0, maximum / 2, maximum)


def test_the_51_blendshapes_are_arkits_without_the_tongue() -> None:
    assert len(ARKIT) == 52
    assert len(BLENDSHAPES) == len(BLENDSHAPES_51) == 51
    assert set(BLENDSHAPES_51.entries) == set(ARKIT) - {"tongueOut"}
    assert len({shape.faceshift for shape in BLENDSHAPES}) == 51


def test_ict_names_follow_from_arkits_and_cover_53_shapes() -> None:
    assert sorted(shape.arkit for shape in BLENDSHAPES if len(shape.ict) == 2) == ["browInnerUp", "cheekPuff"]
    assert len({name for shape in BLENDSHAPES for name in shape.ict}) == sum(len(s.ict) for s in BLENDSHAPES) == 53
    for shape in BLENDSHAPES:
        one_sided = re.sub(r"(Left|Right)$", lambda found: "_" + found[0][0], shape.arkit)
        whole = shape.arkit.startswith(("jaw", "mouthLeft", "mouthRight"))
        expected = (shape.arkit,) if whole else (one_sided,)
        if len(shape.ict) == 2:
            expected = (f"{shape.arkit}_L", f"{shape.arkit}_R")
        assert shape.ict == expected


def test_sides_come_in_pairs_and_agree_in_all_three_names() -> None:
    one_sided = [shape for shape in BLENDSHAPES if shape.faceshift.endswith(("_L", "_R"))]
    assert len(one_sided) == 36
    for left, right in zip(one_sided[::2], one_sided[1::2], strict=True):
        assert left.faceshift.removesuffix("_L") == right.faceshift.removesuffix("_R")
        assert left.arkit.removesuffix("Left") == right.arkit.removesuffix("Right")
        assert left.ict[0].removesuffix("_L") == right.ict[0].removesuffix("_R")


PLACES = [(0, "eyeBlinkLeft"), (16, "browInnerUp"), (20, "mouthClose"), (40, "mouthPucker"), (48, "cheekPuff")]


@pytest.mark.parametrize(("position", "entry"), PLACES)
def test_blendshapes_stand_in_the_papers_order(position: int, entry: str) -> None:
    assert BLENDSHAPES_51.entries[position] == entry


@pytest.mark.parametrize(("position", "entry"), [(2, "upper_lid_raiser"), (8, "jaw_open"), (22, "jaw_right")])
def test_genet_sliders_stand_in_the_order_of_table_4(position: int, entry: str) -> None:
    assert len(GENET_SLIDERS) == 23
    assert GENET_SLIDERS[position] == entry


@pytest.mark.parametrize("mirror", [landmarks.MIRROR, face_parts.MIRROR])
def test_mirroring_twice_changes_nothing(mirror: tuple[int, ...]) -> None:
    assert sorted(mirror) == list(range(len(mirror)))
    assert [mirror[mirror[i]] for i in range(len(mirror))] == list(range(len(mirror)))


def test_landmark_groups_are_a_partition_that_mirrors_onto_itself() -> None:
    groups = landmarks.LANDMARK_GROUPS
    assert sorted(point for group in groups.values() for point in group) == list(range(landmarks.NUM_LANDMARKS))
    assert len(landmarks.MIRROR) == landmarks.NUM_LANDMARKS
    swapped = {"left": "right", "right": "left"}
    for name, group in groups.items():
        side, _, rest = name.partition("_")
        other = f"{swapped[side]}_{rest}" if side in swapped else name
        assert {landmarks.MIRROR[point] for point in group} == set(groups[other])


def test_special_landmarks_lie_where_they_should() -> None:
    assert landmarks.LANDMARK_GROUPS["nose_bridge"][-1] == landmarks.NOSE_TIP
    right, left = landmarks.MOUTH_CORNERS
    assert {right, left} <= set(landmarks.LANDMARK_GROUPS["outer_lip"])
    assert landmarks.MIRROR[right] == left
    assert len(landmarks.FIVE_POINTS) == 5


def test_face_parts_mirror_by_name() -> None:
    assert len(face_parts.FACE_PARTS) == len(face_parts.MIRROR) == 11
    swapped = {"left": "right", "right": "left"}
    for name, other in zip(face_parts.FACE_PARTS, face_parts.MIRROR, strict=True):
        side, _, rest = name.partition("_")
        assert face_parts.FACE_PARTS[other] == (f"{swapped[side]}_{rest}" if side in swapped else name)


def test_very_many_own_classes_have_a_short_name_that_tells_them_apart() -> None:
    people = [f"p{number:05d}" for number in range(10_575)]
    space, others = (own_space("identity", some, where="here") for some in (people, people[1:]))
    assert space.entries == tuple(people) and re.fullmatch(r"identity/own:10575_[0-9a-f]{8}", space.name)
    assert space.only(people[1:]) == others and space.only(people[:2]).name == "identity/own:p00000+p00001"
    assert space.only(people[::-1]) is space
    assert LabelSpace.from_dict(space.to_dict()) == space
    with pytest.raises(UserError, match=r"no entry 'p99999'\..* p00059 … and 10,515 more\.$"):
        space.only(["p99999"])


def test_own_space_has_the_labels_in_lower_case_and_order() -> None:
    space = own_space("emotion", ["Very  calm", " bored ", "Bored", "cafe\u0301", "2"], where="here")
    assert space.name == "emotion/own:2+bored+caf\u00e9+very_calm"
    assert (space.target, space.kind) == ("emotion", "classes")
    assert [space.parse(label, where="here") for label in ("very  CALM", "BORED", "cafe\u0301")] == [
        "very_calm",
        "bored",
        "caf\u00e9",
    ]
    assert space.only(["bored"]).name == "emotion/own:bored"


@given(st.lists(st.text(), max_size=5))
def test_own_space_is_refused_or_usable(labels: list[str]) -> None:
    """Whatever folders are called: a class for each, found again by its label, and lists of classes stay readable."""
    try:
        space = own_space("emotion", labels, where="here")
    except UserError as error:
        assert "here" in str(error)
        return
    assert {space.parse(label, where="here") for label in labels} == set(space.entries)
    assert space.name.partition(":")[2].split("+") == list(space.entries)
    assert not any(set(entry) & set(" +,:/=\n\t") for entry in space.entries)
