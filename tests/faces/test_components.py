"""Expression components against their definition."""

import numpy as np
import pytest
import torch

from fer_zoo.core.errors import UserError
from fer_zoo.faces.components import EXPNET, ExpressionComponents, expression_components, prior_actions
from fer_zoo.faces.face_model import ACTIONS, FaceModel
from fer_zoo.faces.models.procedural.build import build


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return build()


@pytest.fixture(scope="module")
def components(model: FaceModel) -> ExpressionComponents:
    return expression_components(model)


def test_the_model_has_expnets_29(model: FaceModel) -> None:
    assert torch.linalg.matrix_rank(model.action_basis.reshape(-1, len(ACTIONS)).double()) >= EXPNET


def test_coefficients_of_other_draws_have_unit_variance_and_no_correlation(components: ExpressionComponents) -> None:
    found = components.coefficients(torch.from_numpy(prior_actions(20_000, seed=1)).float())
    assert found.mean(dim=0).abs().max() < 0.04
    assert (found.T.cov() - torch.eye(EXPNET)).abs().max() < 0.08


def test_displacement_is_that_of_the_actions_up_to_the_variance_left_out(
    model: FaceModel, components: ExpressionComponents
) -> None:
    actions = torch.from_numpy(prior_actions(500, seed=2)).float()
    exact = (model.action_basis.reshape(-1, len(ACTIONS)) @ actions.T).reshape(-1, 3, 500)
    missed = (components.displacement(components.coefficients(actions)) - exact).square().sum()
    spread = (exact - components.offset[:, :, None]).square().sum()
    assert float(missed / spread) == pytest.approx(1 - components.share, rel=0.3)
    assert components.share > 0.99


def test_all_components_give_the_actions_back(model: FaceModel) -> None:
    whole = expression_components(model, len(ACTIONS))
    actions = torch.from_numpy(prior_actions(20, seed=3)).float()
    exact = (model.action_basis.reshape(-1, len(ACTIONS)) @ actions.T).reshape(-1, 3, 20)
    torch.testing.assert_close(whole.displacement(whole.coefficients(actions)), exact, atol=2e-4, rtol=0)


def test_components_are_orthogonal_and_ordered(components: ExpressionComponents) -> None:
    basis = components.basis.reshape(-1, EXPNET).double()
    lengths = basis.norm(dim=0)
    assert (lengths[1:] <= lengths[:-1] * (1 + 1e-6)).all()
    unit = basis / lengths
    assert (unit.T @ unit - torch.eye(EXPNET)).abs().max() < 1e-4


def test_made_again_they_are_the_same(model: FaceModel, components: ExpressionComponents) -> None:
    again = expression_components(model)
    for name, tensor in components.tensors().items():
        assert torch.equal(again.tensors()[name], tensor)


def test_they_have_the_models_precision(model: FaceModel, components: ExpressionComponents) -> None:
    exact = expression_components(model.to(dtype=torch.float64))
    for name, tensor in exact.tensors().items():
        assert tensor.dtype == torch.float64 and tensor.device == model.mean.device
        torch.testing.assert_close(tensor.float(), components.tensors()[name], atol=1e-4, rtol=0)


@pytest.mark.parametrize("number", [0, 52])
def test_more_components_than_there_are_are_refused(model: FaceModel, number: int) -> None:
    with pytest.raises(UserError, match=f"51 components; {number} were asked for"):
        expression_components(model, number)


def test_the_prior_keeps_its_rules() -> None:
    drawn = dict(zip(ACTIONS, prior_actions(2_000, seed=4).T, strict=True))
    assert all(((values >= 0) & (values <= 1)).all() for values in drawn.values())
    assert (drawn["mouthClose"] <= drawn["jawOpen"]).all()
    assert not (drawn["jawLeft"] * drawn["jawRight"]).any()
    same = drawn["mouthSmileLeft"] == drawn["mouthSmileRight"]
    assert 0.8 < same.mean() < 1
    assert np.mean(drawn["browInnerUp"] > 0) == pytest.approx(0.3, abs=0.04)
