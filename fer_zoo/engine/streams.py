"""Parts of a network, its streams, that start from checkpoints of their own."""

from torch import Tensor

from fer_zoo.core.errors import UserError, nearest
from fer_zoo.engine.transfer import HeadTransfer, Transfer, outside, require_fit
from fer_zoo.tasks.face_task import FaceTask


def take_stream(task: FaceTask, name: str, source: FaceTask) -> Transfer:
    """Give a stream of a task the weights of a checkpoint, whose heads are left behind; what was taken.

    Raises:
        UserError: if the task has no such stream, the checkpoint is of a method that does not belong there, or any
            tensor differs in name or shape.
    """
    streams = task.streams()
    if name not in streams:
        known = ", ".join(streams) or "none"
        raise UserError(f"{task.method_name} has no stream {name!r}.{nearest(name, streams)} It has: {known}.")
    stream = streams[name]
    if source.method_name not in stream.methods:
        raise UserError(
            f"The stream {name!r} of {task.method_name} starts from {' or '.join(stream.methods)}, and this checkpoint"
            f" is of {source.method_name}; give another one."
        )
    prefix = f"{stream.module}."
    own = {key: tensor for key, tensor in task.network.state_dict().items() if key.startswith(prefix)}
    given = {prefix + _inside(key): tensor for key, tensor in _beside_heads(source).items()}
    require_fit(given, own, task, source)
    task.network.load_state_dict(given, strict=False)
    learning = {key: parameter.numel() for key, parameter in task.network.named_parameters()}
    heads = tuple(
        HeadTransfer(target=target, shared=(), checkpoint_only=space.entries, data_only=(), kept=())
        for target, space in source.spaces.items()
    )
    return Transfer(tensors=len(given), parameters=sum(learning.get(key, 0) for key in given), heads=heads)


def _beside_heads(source: FaceTask) -> dict[str, Tensor]:
    return outside(source.network.state_dict(), source.heads().values())


def _inside(key: str) -> str:
    """The name of a tensor within the one module that lies beside the heads."""
    return key.partition(".")[2]
