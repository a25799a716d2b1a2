"""The face models that tests are given."""

import pytest

from fer_zoo.core.paths import data_roots
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.models.ict import build as ict
from fer_zoo.faces.models.procedural import build as procedural

ICT = next((root for root in data_roots("ict_facekit") if root.is_dir()), None)


@pytest.fixture(scope="session", params=["procedural", "ict"])
def model(request: pytest.FixtureRequest) -> FaceModel:
    """Each model that is here, to be read only."""
    if request.param == "procedural":
        return procedural.build()
    if ICT is None:
        pytest.skip("ICT-FaceKit is not here; `fer-zoo download ict_facekit` fetches it into data/ict_facekit")
    return ict.build(ICT)
