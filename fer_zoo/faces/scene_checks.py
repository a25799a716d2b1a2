"""What a renderer asks of scenes before it draws them: shapes, finite numbers, ranges."""

from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.faces.face_model import ACTIONS, MATERIALS, FaceModel
from fer_zoo.faces.field_checks import check_entries, check_shape
from fer_zoo.faces.scenes import Scenes
from fer_zoo.geometry.cameras import Pinhole, WeakPerspective
from fer_zoo.geometry.shading import EdgeShadow

_ANGLES = ("yaw", "pitch", "roll")


def check_scenes(model: FaceModel, scenes: Scenes) -> None:
    """Refuses scenes of which no picture can be drawn; gradients pass through what is checked.

    Args:
        model: whose faces they are.
        scenes: to be drawn.

    Raises:
        UserError: for a field of a wrong shape or another number of faces, an entry that is no finite number or lies
            outside its range, a style that there is not.
    """
    faces = len(scenes)
    model.check(scenes.identity, scenes.actions, scenes.styles)
    check_shape("angles", scenes.angles, faces, 3)
    check_shape("light", scenes.light, faces, 9, 3)
    check_shape("shine", scenes.shine, faces)
    check_shape("materials", scenes.materials, faces, len(MATERIALS), 3)
    check_shape("background", scenes.background, faces, 3, None, None)
    check_entries("angles", scenes.angles, _ANGLES)
    check_entries("light", scenes.light)
    check_entries("shine", scenes.shine)
    check_entries("materials", scenes.materials, MATERIALS, within=(0, 1))
    check_entries("background", scenes.background, within=(0, 1))
    _check_camera(scenes.camera, faces)
    if scenes.creases is not None:
        check_shape("creases", scenes.creases, faces, len(ACTIONS))
        check_entries("creases", scenes.creases, ACTIONS, within=(0, 1))
    if scenes.shadow is not None:
        _check_shadow(scenes.shadow, faces)


def _check_camera(camera: WeakPerspective | Pinhole, faces: int) -> None:
    check_shape("camera.centre", camera.centre, faces, 2)
    check_entries("camera.centre", camera.centre, ("x", "y"))
    _check_positive("camera.scale", camera.scale, faces)
    if isinstance(camera, Pinhole):
        _check_positive("camera.distance", camera.distance, faces)


def _check_shadow(shadow: EdgeShadow, faces: int) -> None:
    check_shape("shadow.normal", shadow.normal, faces, 3)
    check_shape("shadow.offset", shadow.offset, faces)
    check_shape("shadow.light", shadow.light, faces, 9, 3)
    check_entries("shadow.normal", shadow.normal, ("x", "y", "z"))
    check_entries("shadow.offset", shadow.offset)
    check_entries("shadow.light", shadow.light)
    _check_positive("shadow.softness", shadow.softness, faces)


def _check_positive(field: str, values: Tensor, faces: int) -> None:
    check_shape(field, values, faces)
    check_entries(field, values)
    wrong = values.detach() <= 0
    if bool(wrong.any()):
        face = int(wrong.nonzero()[0, 0])
        raise UserError(f"{field} of face {face} is {float(values.detach()[face]):g}; it must be above 0.")
