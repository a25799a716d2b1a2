"""Face models by name, with their settings."""

import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.core.paths import data_roots
from fer_zoo.faces.open import open_face_model

ICT = next((root for root in data_roots("ict_facekit") if root.is_dir()), None)


def test_a_setting_that_there_is_not_is_refused() -> None:
    with pytest.raises(UserError, match=r"The face model procedural has no setting 'num_identity'\. It has none\."):
        open_face_model("procedural", num_identity=9)
    with pytest.raises(
        UserError, match=r"ict has no setting 'num_identty'\. Did you mean 'num_identity'\? It has num_"
    ):
        open_face_model("ict", num_identty=9)
    with pytest.raises(UserError, match="ict has no setting 'root_folder'"):
        open_face_model("ict", root_folder="x")


@pytest.mark.skipif(ICT is None, reason="ICT-FaceKit is not here; `fer-zoo download ict_facekit` fetches it")
@pytest.mark.parametrize("name", ["ict", "ict_facekit"])
def test_the_number_of_modes_is_passed_on(name: str) -> None:
    assert open_face_model(name, ICT, num_identity=7).num_identity == 7
