from fer_zoo.core.landmarks import FIVE_POINTS, FIVE_POINTS_MIRROR, LANDMARK_GROUPS, MIDDLE, MIRROR, RIGHT_SIDE


def test_a_mirror_takes_the_right_side_to_the_left_and_leaves_the_middle() -> None:
    left = set(range(68)) - RIGHT_SIDE - MIDDLE
    assert {MIRROR[i] for i in RIGHT_SIDE} == left
    assert {8, 27, 30, 33, 51, 57, 62, 66} <= MIDDLE == {MIRROR[i] for i in MIDDLE}
    for group, members in LANDMARK_GROUPS.items():
        assert set(members) <= RIGHT_SIDE or not group.startswith("right"), group
        assert not set(members) & RIGHT_SIDE or not group.startswith("left"), group


def test_the_mirror_of_five_points_exchanges_right_and_left() -> None:
    exchanged = {"right": "left", "left": "right"}
    for point, other in zip(FIVE_POINTS, FIVE_POINTS_MIRROR, strict=True):
        side, _, rest = point.partition("_")
        assert FIVE_POINTS[other] == (f"{exchanged[side]}_{rest}" if side in exchanged else point)
