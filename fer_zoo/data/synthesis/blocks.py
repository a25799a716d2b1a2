"""Drawn faces by the numbers of their samples, in blocks that the renderer fills: pictures and masks.

Samples that are asked for together are drawn together, whatever their numbers; a sample's bytes depend on no other one
in its block. A GPU may round otherwise than the processor.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8

from fer_zoo.data.synthesis.settings import SynthesisSettings
from fer_zoo.faces.effects import to_bytes
from fer_zoo.faces.face_model import FaceModel
from fer_zoo.faces.open import open_face_model
from fer_zoo.faces.photographs import photographed
from fer_zoo.faces.priors.alone import draw_alone
from fer_zoo.faces.priors.face_prior import DrawnFaces, draw_faces
from fer_zoo.faces.renderer import BLOCK, Renderer


class Photograph(NamedTuple):
    """The picture of a sample, red, green, blue, and the part that each of its pixels shows."""

    image: UInt8[np.ndarray, "h w 3"]
    mask: UInt8[np.ndarray, "h w"]


@lru_cache(maxsize=4)
def face_model_of(name: str, device: str = "cpu") -> FaceModel:
    """A face model on a device, built once a process."""
    return open_face_model(name) if device == "cpu" else face_model_of(name).to(device)


@lru_cache(maxsize=4)
def renderer_of(name: str, size: int, device: str = "cpu") -> Renderer:
    """Its renderer."""
    return Renderer(face_model_of(name, device), size=size)


def image_name(key: str, number: int) -> str:
    """The path of a sample's image in a folder that keeps it, from which its id is made; `key` is of the settings."""
    return f"{key}/{number:07d}.png"


def number_of(name: str) -> int:
    """The number of the sample whose image is called so."""
    return int(Path(name).stem)


def drawn_blocks(settings: SynthesisSettings, numbers: np.ndarray, device: str) -> Iterator[tuple[DrawnFaces, int]]:
    """Samples of one face model before they are drawn, in blocks filled up with the last one, and how many count.

    All blocks are of one size, on which last digits would depend.
    """
    model = face_model_of(settings.face_model)
    for filled, count in _filled(numbers):
        drawn = draw_faces(model, settings, seed=settings.seed, numbers=filled, size=settings.size)
        yield drawn.to(device), count


def _filled(numbers: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    for start in range(0, len(numbers), BLOCK):
        block = numbers[start : start + BLOCK]
        yield np.pad(block, (0, BLOCK - len(block)), mode="edge"), len(block)


def photographs_of(settings: SynthesisSettings, numbers: np.ndarray, device: str = "cpu") -> list[Photograph]:
    """The pictures of samples with their masks; their bytes depend on no other sample."""
    found = dict[int, Photograph]()
    for own, places in settings.by_head(numbers):
        taken = _taken(renderer_of(own.face_model, own.size, device), drawn_blocks(own, numbers[places], device))
        found.update(zip(places.tolist(), taken, strict=True))
    return [found[place] for place in range(len(numbers))]


def pictures_of(settings: SynthesisSettings, numbers: np.ndarray) -> UInt8[np.ndarray, "b h w 3"]:
    """The pictures alone."""
    return np.stack([photograph.image for photograph in photographs_of(settings, numbers)])


def part_alone(settings: SynthesisSettings, part: str, numbers: np.ndarray) -> UInt8[np.ndarray, "b h w 3"]:
    """Pictures of one face model in which one part alone varies, see `faces.priors.alone`."""
    model, size = face_model_of(settings.face_model), settings.size
    blocks = (
        (draw_alone(model, settings, part, seed=settings.seed, numbers=filled, size=size), count)
        for filled, count in _filled(numbers)
    )
    return np.stack([photograph.image for photograph in _taken(renderer_of(settings.face_model, size), blocks)])


def _taken(renderer: Renderer, blocks: Iterable[tuple[DrawnFaces, int]]) -> list[Photograph]:
    def taken(block: tuple[DrawnFaces, int]) -> list[Photograph]:
        drawn, count = block
        with torch.no_grad():
            seen = photographed(renderer, drawn)
        return list(map(Photograph, to_bytes(seen.image)[:count], seen.mask[:count].cpu().numpy()))

    with exact_products(), blocks_at_once() as pool:
        return list(chain.from_iterable(pool.map(taken, blocks)))


@contextmanager
def blocks_at_once() -> Iterator[ThreadPoolExecutor]:
    """As many threads as PyTorch has, and one for each step in them: most steps are too short to be divided.

    Two threads that share the steps take a third more of both cores, and wait for each other where others need these.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)


@contextmanager
def exact_products() -> Iterator[None]:
    """Products on a GPU in all digits of a float, whatever a training makes of its own."""
    products = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(products)
