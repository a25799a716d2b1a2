"""Temperature scaling: one number by which the outputs of a network are divided before they become probabilities.

It makes all probabilities of a model evener (above 1) or sharper (below 1) and changes no answer. The best one has the
smallest mean negative log-likelihood on images that the weights were not fitted to.
Source: Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float64, Int
from scipy.optimize import minimize_scalar

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.evaluation.prediction_table import classes_of, outputs_of
from fer_zoo.metrics import sums_of
from fer_zoo.metrics.calibration import expected_calibration_error

FEWEST = 20  # images; with fewer the number is mostly luck
SMALLEST, LARGEST = 0.05, 20.0  # beyond these, probabilities are all but 0 and 1, or all but equal


@dataclass(frozen=True, kw_only=True)
class Temperature:
    """A temperature and how it came about.

    Attributes:
        value: from `SMALLEST` to `LARGEST`; None where none was fitted.
        loss_before: mean negative log-likelihood at temperature 1, in nats; NaN without samples.
        loss_after: the same at `value`, or at 1 where none was fitted.
        samples: images with output and label.
        reason: why none was fitted, half a sentence; "" where one was.
    """

    value: float | None
    loss_before: float
    loss_after: float
    samples: int
    reason: str = ""


def fit_temperature(log_probabilities: Float[np.ndarray, "n k"], classes: Int[np.ndarray, "n"]) -> Temperature:
    """The temperature with the smallest mean negative log-likelihood.

    The loss is convex in 1 / temperature, so that there is one minimum.

    Args:
        log_probabilities: or outputs of the network, which differ from them by a constant a row. A row with a NaN is an
            image without an output and is left out.
        classes: true class numbers; -1 is a missing label and is left out.

    Raises:
        UserError: for infinite numbers, see `log_probabilities_of`, or a class outside the columns.
    """
    scored = (classes >= 0) & ~np.isnan(log_probabilities).any(axis=1)
    outputs, truth = log_probabilities[scored].astype(np.float64), classes[scored]
    if not np.isfinite(outputs).all() or (truth >= log_probabilities.shape[1]).any():
        raise UserError(f"A temperature needs finite numbers and classes from 0 to {log_probabilities.shape[1] - 1}.")
    if not len(outputs):
        return Temperature(value=None, loss_before=np.nan, loss_after=np.nan, samples=0, reason="no image has a label")
    outputs -= outputs.max(axis=1, keepdims=True)
    own = outputs[np.arange(len(truth)), truth]
    before = _loss(outputs, own, 1.0)
    if reason := _why_none(outputs, own):
        return Temperature(value=None, loss_before=before, loss_after=before, samples=len(own), reason=reason)
    found = minimize_scalar(
        lambda inverse: _loss(outputs, own, inverse),
        bounds=(1.0 / LARGEST, 1.0 / SMALLEST),
        method="bounded",
        options={"xatol": 1e-10},
    )
    inverse = float(found.x)
    return Temperature(
        value=1.0 / inverse, loss_before=before, loss_after=_loss(outputs, own, inverse), samples=len(own)
    )


def log_probabilities_of(probabilities: Float[np.ndarray, "n k"]) -> Float64[np.ndarray, "n k"]:
    """Logarithms of probabilities in float64; a probability of 0 counts as the smallest number of float32."""
    return np.log(np.maximum(probabilities.astype(np.float64), float(np.finfo(np.float32).tiny)))


def at_temperature(probabilities: Float[np.ndarray, "n k"], temperature: float) -> Float64[np.ndarray, "n k"]:
    """The probabilities that the same outputs have at a temperature; NaN rows stay NaN.

    What one temperature did, its reciprocal undoes.

    Args:
        probabilities: at temperature 1.
        temperature: more than 0.
    """
    outputs = log_probabilities_of(probabilities) / temperature
    raised = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def calibration_at(table: pd.DataFrame, space: LabelSpace, temperature: float) -> Float[np.ndarray, "bins 3"]:
    """The bins of the calibration error that a table of classes has when its probabilities are put at a temperature."""
    probabilities = torch.from_numpy(at_temperature(outputs_of(table, space), temperature))
    return sums_of("calibration", probabilities, torch.tensor(classes_of(table, space)), space).numpy()


def calibration_error(bins: Float[np.ndarray, "bins 3"]) -> float:
    """The expected calibration error of its bins; NaN without images."""
    return float(expected_calibration_error(torch.from_numpy(bins)))


def _why_none(outputs: Float64[np.ndarray, "n k"], own: Float64[np.ndarray, "n"]) -> str:
    """Why there is no best temperature, "" where there is one. Rows of `outputs` have their maximum at 0."""
    if len(own) < FEWEST:
        return f"only {len(own)} images have a label and an output, and {FEWEST} are needed"
    if not outputs.any():
        return "every class has the same probability on every image"
    if not own.any():
        return f"all {len(own)} answers are right, so that no probability would be too high"
    if float((outputs.mean(axis=1) - own).mean()) >= 0:
        return "the probabilities say nothing about the labels: chance would have been the better guess"
    return ""


def _loss(outputs: Float64[np.ndarray, "n k"], own: Float64[np.ndarray, "n"], inverse: float) -> float:
    return float((np.log(np.exp(inverse * outputs).sum(axis=1)) - inverse * own).mean())
