"""Checks of a batch of parameters; sentences name the field, the entry and the face."""

from collections.abc import Sequence

from torch import Tensor

from fer_zoo.core.errors import UserError


def check_shape(field: str, values: Tensor, faces: int, *others: int | None) -> None:
    """Refuses all but one row a face with the other dimensions; None for any length but 0.

    Raises:
        UserError: for another shape.
    """
    found = tuple(values.shape)
    fits = len(found) == 1 + len(others) and all(
        length > 0 if other is None else length == other for length, other in zip(found[1:], others, strict=True)
    )
    if not fits:
        expected = " x ".join(["faces", *("any" if other is None else str(other) for other in others)])
        raise UserError(f"{field} has the shape {' x '.join(map(str, found)) or '()'}; it must have {expected}.")
    if found[0] != faces:
        raise UserError(f"{field} has {found[0]} faces, but identity has {faces}; every field needs one row a face.")


def check_entries(
    field: str, values: Tensor, names: Sequence[str] = (), *, within: tuple[float, float] | None = None
) -> None:
    """Refuses what is no finite number or lies outside a range.

    Args:
        field: what the values are.
        values: a row a face.
        names: of the entries of a row; else they are numbered.
        within: the range, ends included.

    Raises:
        UserError: for the first such entry.
    """
    known = values.detach()
    right = known.isfinite() if within is None else (known >= within[0]) & (known <= within[1])
    if bool(right.all()):
        return
    place = (~right).nonzero()[0].tolist()
    face, entry = place[0], [str(step) for step in place[1:]]
    if names and entry:
        entry[0] = names[int(entry[0])]
    rule = "be a finite number" if within is None else f"lie in [{within[0]:g}, {within[1]:g}]"
    where = f"[{', '.join(entry)}]" if entry else ""
    raise UserError(f"{field}{where} of face {face} is {float(known[tuple(place)]):g}; it must {rule}.")


def check_choices(field: str, chosen: Tensor, faces: int, count: int) -> None:
    """Refuses what is no position of one of `count` choices.

    Raises:
        UserError: for another shape, decimal numbers, or the first position that there is not.
    """
    check_shape(field, chosen, faces)
    if chosen.is_floating_point():
        raise UserError(f"{field} holds decimal numbers; choices are whole ones, 0 to {count - 1}.")
    right = (chosen >= 0) & (chosen < count)
    if not bool(right.all()):
        face = int((~right).nonzero()[0, 0])
        raise UserError(f"{field} of face {face} is {int(chosen[face])}; it has {count} choices, 0 to {count - 1}.")
