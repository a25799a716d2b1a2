"""What a network costs: weights, multiplications for a face, faces a second on this machine."""

import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from fer_zoo.engine.trainer import describe_device, device_kind, precision
from fer_zoo.engine.trainer_settings import TrainerSettings
from fer_zoo.tasks.face_task import FaceTask

BATCH, WARM_UP, REPEATS = 32, 2, 9


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of the network alone: no detection, no decoding.

    Attributes:
        parameters: weights, learned or not.
        macs: multiply-adds of linear and convolutional layers for one face.
        faces_per_second: of batches of 32 faces, the median of nine.
        device: on what that was measured, and in which precision.
    """

    parameters: int
    macs: int
    faces_per_second: float
    device: str


def measure_cost(task: FaceTask, settings: TrainerSettings) -> Cost:
    """The cost of a method's network at the size and in the precision in which it works."""
    kind, spec = device_kind(settings), task.input_spec
    network = task.network.to(torch.device(kind if kind == "cpu" else "cuda")).eval()
    network.to(memory_format=torch.channels_last)  # as in training and prediction
    device = next(network.parameters()).device
    faces = torch.zeros(BATCH, spec.channels, spec.height, spec.width, device=device)
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            network(faces[:1])
        half = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision(settings))
        with torch.autocast(device.type, dtype=half, enabled=half is not None):
            seconds = [_seconds(network, faces) for _ in range(WARM_UP + REPEATS)][WARM_UP:]
    return Cost(
        parameters=sum(weights.numel() for weights in network.parameters()),
        macs=counter.get_total_flops() // 2,  # it counts a multiply-add as two
        faces_per_second=BATCH / statistics.median(seconds),
        device=describe_device(settings).removeprefix("device: "),
    )


def _seconds(network: torch.nn.Module, faces: Tensor) -> float:
    start = time.perf_counter()
    network(faces)
    if faces.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
