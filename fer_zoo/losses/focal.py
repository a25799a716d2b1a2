"""Focal loss for imbalanced classes, in the two readings of Eq. 5-8 of "Deep 3-D re-centralization".

Lin et al. (2017) wrote it for one binary decision. `focal` carries it over to a softmax, `binary_focal` takes the paper
by the letter: one decision a class, weighted alpha where the class holds and 1 - alpha where it does not.
"""

from math import log1p

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from fer_zoo.losses.labelled import labelled_logits, mean_over_labelled

# log(1 - p) is taken at p <= 1 - 1e-7; beyond, 1 - p would round to 0.
_LARGEST_LOG_P = log1p(-1e-7)


def focal(
    logits: Float[Tensor, "b k"],
    target: Int[Tensor, "b"],
    *,
    gamma: float = 2.0,
    alpha: Float[Tensor, "k"] | float = 0.25,
) -> Float[Tensor, ""]:
    """Mean of -alpha_y (1 - p_y)^gamma log p_y over the labelled rows, p = softmax; 0 without any.

    With gamma 0 and alpha 1 it is the cross-entropy.

    Args:
        logits: any floating type; half precision is computed in float32.
        target: class numbers, -1 where the label is missing.
        gamma: how much less a well recognised sample counts.
        alpha: one factor, or one a class.

    Example:
        >>> import torch
        >>> focal(torch.tensor([[0.7, 0.2, 0.1]]).log(), torch.tensor([0]))
        tensor(0.0080)
    """
    log_p = F.log_softmax(labelled_logits(logits, target), dim=1)  # b k
    chosen = target.long().clamp_min(0)  # b
    log_p_y = log_p.gather(1, chosen[:, None]).squeeze(1)  # b
    losses = -_per_class(alpha, log_p)[chosen] * _power(_log_of_rest(log_p_y), gamma) * log_p_y
    return mean_over_labelled(losses, target)


def binary_focal(
    logits: Float[Tensor, "b k"],
    target: Int[Tensor, "b"],
    *,
    gamma: float = 2.0,
    alpha: Float[Tensor, "k"] | float = 0.25,
) -> Float[Tensor, ""]:
    """Mean over the labelled rows of the focal losses of k binary decisions, summed over the classes.

    The class that holds gives -alpha_c (1 - p_c)^gamma log p_c, every other one -(1 - alpha_c) p_c^gamma log(1 - p_c);
    p is a softmax over the classes.

    Args:
        logits: any floating type; half precision is computed in float32.
        target: class numbers, -1 where the label is missing.
        gamma: how much less a well recognised decision counts.
        alpha: weight of the class that holds, 0 to 1: one number, or one a class.

    Example:
        >>> import torch
        >>> binary_focal(torch.tensor([[0.7, 0.2, 0.1]]).log(), torch.tensor([0]))
        tensor(0.0155)
    """
    log_p = F.log_softmax(labelled_logits(logits, target), dim=1)  # b k
    log_rest = _log_of_rest(log_p)
    weight = _per_class(alpha, log_p)  # k
    holds = F.one_hot(target.long().clamp_min(0), log_p.shape[1]).bool()  # b k
    positive = weight * _power(log_rest, gamma) * log_p
    negative = (1 - weight) * _power(log_p, gamma) * log_rest
    return mean_over_labelled(-torch.where(holds, positive, negative).sum(dim=1), target)


def _per_class(alpha: Float[Tensor, "k"] | float, like: Float[Tensor, "b k"]) -> Float[Tensor, "k"]:
    if isinstance(alpha, Tensor):
        return alpha.to(like)
    return like.new_full((like.shape[1],), alpha)


def _log_of_rest(log_p: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """log(1 - p) from log p."""
    return torch.log(-torch.expm1(log_p.clamp_max(_LARGEST_LOG_P)))


def _power(log_base: Float[Tensor, "*shape"], exponent: float) -> Float[Tensor, "*shape"]:
    """base^exponent from log(base): unlike `pow`, with a finite gradient at base 0 for exponents below 1."""
    return torch.exp(exponent * log_base)
