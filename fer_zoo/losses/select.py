"""The loss that a method's settings ask for, as a function of outputs and targets."""

from functools import partial

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.core.method_settings import CLASSIFICATION_LOSSES, ClassificationLossSettings, RegressionLossSettings
from fer_zoo.losses.cross_entropy import cross_entropy, summed_weights
from fer_zoo.losses.euclidean import euclidean, mean_absolute, mean_squared
from fer_zoo.losses.focal import binary_focal, focal
from fer_zoo.losses.labelled import labelled_rows, labelled_values
from fer_zoo.losses.loss import Loss

_REGRESSION = {
    "euclidean": Loss(euclidean, labelled_rows),
    "mean_absolute": Loss(mean_absolute, labelled_values),
    "mean_squared": Loss(mean_squared, labelled_values),
}


def classification_loss(
    settings: ClassificationLossSettings, space: LabelSpace, class_counts: Shaped[Tensor, "k"] | None = None
) -> Loss:
    """(logits "b k", target "b") -> scalar.

    "balanced" class weights are n / (k · count), so that every class adds as much as any other; the softmax focal loss
    takes them as factors of its alpha.

    Args:
        settings: which loss, with what.
        space: the classes, in the order of the logits.
        class_counts: training samples of each class; a balanced loss made without them raises when it is called, since
            a method that is only used never calls it.

    Raises:
        UserError: for settings that do not go together, a number of alphas that does not fit the space, or a class
            without training samples when weights are balanced.
    """
    _check(settings, space)
    weights = None
    if settings.class_weights == "balanced":
        if class_counts is None:
            return Loss(_without_counts, labelled_rows)
        weights = balanced_weights(space, class_counts)
    if settings.loss == "cross_entropy":
        return Loss(
            partial(cross_entropy, class_weights=weights, label_smoothing=settings.label_smoothing),
            partial(summed_weights, class_weights=weights),
        )
    alpha = torch.tensor(settings.focal_alpha, dtype=torch.float32).expand(len(space))
    if settings.loss == "focal":
        alpha = alpha if weights is None else alpha * weights
        return Loss(partial(focal, gamma=settings.focal_gamma, alpha=alpha), labelled_rows)
    return Loss(partial(binary_focal, gamma=settings.focal_gamma, alpha=alpha), labelled_rows)


def regression_loss(settings: RegressionLossSettings) -> Loss:
    """(prediction "b k", target "b k") -> scalar.

    Raises:
        UserError: for an unknown name, with the nearest ones.
    """
    if settings.loss not in _REGRESSION:
        raise unknown_name("regression loss", settings.loss, tuple(_REGRESSION))
    return _REGRESSION[settings.loss]


def balanced_weights(space: LabelSpace, class_counts: Shaped[Tensor, "k"]) -> Float[Tensor, "k"]:
    """n / (k · count) of each class.

    Raises:
        UserError: naming the classes that have no training sample.
    """
    counts = class_counts.tolist()
    empty = [entry for entry, count in zip(space.entries, counts, strict=True) if count == 0]
    if empty:
        shown = ", ".join(f"{entry} {count:g}" for entry, count in zip(space.entries, counts, strict=True))
        raise UserError(
            f"class_weights=balanced: no training sample shows {', '.join(empty)} (counts of {space.name}: {shown}); "
            "take a label space without it or class_weights=none."
        )
    return class_counts.sum() / (len(space) * class_counts.float())


def _check(settings: ClassificationLossSettings, space: LabelSpace) -> None:
    if settings.loss not in CLASSIFICATION_LOSSES:
        raise unknown_name("classification loss", settings.loss, CLASSIFICATION_LOSSES)
    if settings.loss == "cross_entropy":
        return
    if settings.label_smoothing:
        raise UserError(
            f"label_smoothing={settings.label_smoothing} does not go with loss={settings.loss}; "
            "set it to 0 or take loss=cross_entropy."
        )
    alpha = settings.focal_alpha
    if len(alpha) not in (1, len(space)):
        raise UserError(
            f"focal_alpha has {len(alpha)} numbers; it takes one, or one for each of the {len(space)} classes of "
            f"{space.name}: {', '.join(space.entries)}."
        )
    if settings.loss == "binary_focal" and max(alpha) > 1:
        raise UserError(f"focal_alpha is {max(alpha):g}; loss=binary_focal needs numbers from 0 to 1.")
    if settings.loss == "binary_focal" and settings.class_weights == "balanced":
        raise UserError(
            "class_weights=balanced does not go with loss=binary_focal, where alpha weighs a class against its "
            "absence; give focal_alpha one number a class, or take loss=focal."
        )


def _without_counts(logits: Tensor, target: Tensor) -> Tensor:
    raise UserError("class_weights=balanced needs the number of training samples of each class; none were given.")
