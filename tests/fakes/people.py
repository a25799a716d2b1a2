"""Simulated people: sums of a classifier and of a regressor on images of people of different skill."""

import numpy as np
import torch

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.subject_sums import SubjectSums

CLASSES = label_space("emotion/basic6")
VALUES = label_space("au/disfa12").only(["AU04", "AU12", "AU25"])
FREQUENCIES = np.array([0.4, 0.25, 0.12, 0.1, 0.08, 0.05])
_EASE = np.array([1.8, 1.2, 0.6, 0.4, 0.2, -0.2])
_FRAMES = 200


def codes(people: int) -> tuple[str, ...]:
    return tuple(f"p{i:07d}" for i in range(people))


def class_people(rng: np.random.Generator, people: int) -> SubjectSums:
    """Five to forty images each, a mix of classes and a skill (log-odds, deviation 0.8) of one's own."""
    images, mix = rng.integers(5, 41, people), rng.dirichlet(FREQUENCIES * 8, people)
    odds = _EASE + rng.normal(0, 0.8, (people, 1)) + rng.normal(0, 0.4, (people, 6))
    labels = rng.multinomial(images, mix)
    hits = rng.binomial(labels, 1 / (1 + np.exp(-odds)))
    others = np.tile(FREQUENCIES, (6, 1)) * (1 - np.eye(6))
    wrong = rng.multinomial(labels - hits, others / others.sum(axis=1, keepdims=True))  # people, label, answer
    answers = np.zeros((people, 7, 7))
    answers[:, :6, :6] = wrong + hits[:, :, None] * np.eye(6)
    return class_sums_of(answers)


def class_sums_of(answers: np.ndarray) -> SubjectSums:
    """From counts, people × label × answer, with "no answer" as the last of both."""
    answered = int(answers[:, :-1, :-1].sum())
    sums = {"answers": torch.from_numpy(answers.astype(np.float64))}
    return SubjectSums(space=CLASSES, people=codes(len(answers)), images=answered, sums=sums)


def value_people(rng: np.random.Generator, people: int) -> SubjectSums:
    """200 frames each, mostly 0; how much a face moves, and gain and offset of its predictions, are its own."""
    moves = rng.gamma(0.5, 1.2, (people, 1, 3))
    label = np.clip(np.round(rng.gamma(0.4, 1.0, (people, _FRAMES, 3)) * moves * 1.5), 0, 5)
    gain, offset = 0.6 * rng.lognormal(0, 0.3, (people, 1, 3)), 0.3 + rng.normal(0, 0.4, (people, 1, 3))
    output = np.clip(gain * label + offset + rng.normal(0, 0.5, label.shape), 0, 5)
    x, y = output - VALUES.centre, label - VALUES.centre
    terms = (np.ones_like(x), x, y, x * x, y * y, x * y, np.abs(x - y))
    moments = torch.from_numpy(np.stack([term.sum(axis=1) for term in terms], axis=1))
    images = people * _FRAMES
    return SubjectSums(space=VALUES, people=codes(people), images=images, sums={"moments": moments, "worst": moments})
