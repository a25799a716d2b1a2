"""Principal components of a model's expressions, as ExpNet's 29: displacement in standard deviations of a prior.

The prior is fixed: `prior_actions` with its seed. Actions a = ā + L z, z of unit covariance, move vertices by D a, so
that the singular values of D L are standard deviations, its left vectors the components (ExpNet §III-A; in the units of
its code).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fer_zoo.core.blendshapes import BLENDSHAPES_51
from fer_zoo.core.errors import UserError
from fer_zoo.faces.face_model import ACTIONS, FaceModel

EXPNET = 29  # components of ExpNet
_DRAWS, _SEED, _SHARE = 20_000, 29, 0.3
_LEAST = 1e-9  # of the largest singular value: what is below moves nothing


@dataclass(frozen=True, kw_only=True)
class ExpressionComponents:
    """The leading components of a model's expressions.

    Attributes:
        offset: displacement of the prior's mean expression.
        basis: displacement at one standard deviation of each component.
        mean_actions: ā.
        from_actions: what turns a - ā into coefficients.
        share: of the variance of vertices that the components hold.
    """

    offset: Float[Tensor, "v 3"]
    basis: Float[Tensor, "v 3 n"]
    mean_actions: Float[Tensor, " 51"]
    from_actions: Float[Tensor, "51 n"]
    share: float

    def coefficients(self, actions: Float[Tensor, "b 51"]) -> Float[Tensor, "b n"]:
        """Of expressions, in standard deviations."""
        return (actions - self.mean_actions) @ self.from_actions

    def displacement(self, coefficients: Float[Tensor, "b n"]) -> Float[Tensor, "v 3 b"]:
        """Of the vertices from the neutral face."""
        moved = self.basis.reshape(-1, self.basis.shape[2]) @ coefficients.T
        return moved.reshape(len(self.basis), 3, -1) + self.offset[:, :, None]

    def tensors(self) -> dict[str, Tensor]:
        """What travels with labels and weights."""
        names = ("offset", "basis", "mean_actions", "from_actions")
        return {f"expression_{name}": getattr(self, name).contiguous() for name in names}


def expression_components(model: FaceModel, number: int = EXPNET) -> ExpressionComponents:
    """The leading principal components of the model's expressions under the prior.

    Each component's sign is that of its strongest action. Of gaze only the lids' part is in it: eyeballs turn, which no
    sum of displacements does. All lie on the model's device, in its precision.

    Raises:
        UserError: for more components than the model's expressions have.
    """
    draws = torch.from_numpy(prior_actions(_DRAWS, _SEED))
    mean, covariance = draws.mean(dim=0), draws.T.cov()
    root = torch.linalg.cholesky(covariance + 1e-12 * torch.eye(len(ACTIONS), dtype=torch.float64))
    actions = model.action_basis.reshape(-1, len(ACTIONS)).double().cpu()
    left, deviations, right = torch.linalg.svd(actions @ root, full_matrices=False)
    rank = int((deviations > _LEAST * deviations[0]).sum())
    if not 1 <= number <= rank:
        raise UserError(f"The expressions of {model.name} have {rank} components; {number} were asked for.")
    from_actions = torch.linalg.solve_triangular(root.T, right[:number].T, upper=True)  # (a - mean)ᵀ L⁻ᵀ v
    directions = root @ right[:number].T  # actions at one standard deviation
    signs = directions.gather(0, directions.abs().argmax(dim=0, keepdim=True)).sign()[0]
    basis = left[:, :number] * deviations[:number] * signs
    device, dtype = model.mean.device, model.mean.dtype
    return ExpressionComponents(
        offset=(actions @ mean).reshape(-1, 3).to(device, dtype),
        basis=basis.reshape(-1, 3, number).to(device, dtype),
        mean_actions=mean.to(device, dtype),
        from_actions=(from_actions * signs).to(device, dtype),
        share=float((deviations[:number] ** 2).sum() / (deviations**2).sum()),
    )


def prior_actions(number: int, seed: int) -> Float[np.ndarray, "n 51"]:
    """Expressions of the prior: each action is active with probability .3 and then uniform; both sides go together.

    Uniform as GE-Net draws its sliders, but sparse: all at once give faces that nobody makes. Of two opposite ones (jaw
    and mouth to the left and right, gaze up and down) one is active at most, and `mouthClose` is never above `jawOpen`.
    """
    generator = np.random.Generator(np.random.Philox(seed))
    drawn = generator.random((number, len(ACTIONS))) * (generator.random((number, len(ACTIONS))) < _SHARE)
    values = dict(zip(ACTIONS, drawn.T, strict=True))
    together = generator.random((number, len(ACTIONS))) < 0.85
    for place, name in enumerate(ACTIONS):
        if name.endswith("Left") and name not in ("jawLeft", "mouthLeft"):
            other = name.removesuffix("Left") + "Right"
            values[other] = np.where(together[:, place], values[name], values[other])
    for first, second in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")):
        values[first], values[second] = _one_of(values[first], values[second])
    for side in ("Left", "Right"):
        for first, second in (("eyeLookUp", "eyeLookDown"), ("eyeLookIn", "eyeLookOut"), ("eyeWide", "eyeBlink")):
            values[first + side], values[second + side] = _one_of(values[first + side], values[second + side])
    values["mouthClose"] = np.minimum(values["mouthClose"], values["jawOpen"])
    return np.stack([values[name] for name in BLENDSHAPES_51.entries], axis=1)


def _one_of(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The larger one of each pair stays."""
    return np.where(first >= second, first, 0), np.where(first < second, second, 0)
