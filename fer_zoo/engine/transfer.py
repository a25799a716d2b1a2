"""The weights of one task given to another: all but the heads, and of the heads what the label spaces share by name."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace, listed
from fer_zoo.core.method_settings import network_settings
from fer_zoo.tasks.face_task import FaceTask


@dataclass(frozen=True, kw_only=True)
class HeadTransfer:
    """What became of the head of one target.

    Attributes:
        target: what it predicts.
        shared, checkpoint_only, data_only: entries of both label spaces, by name; of the checkpoint's, of the data's.
        kept: entries whose weights were taken.
    """

    target: str
    shared: tuple[str, ...]
    checkpoint_only: tuple[str, ...]
    data_only: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        """Whether the head is the checkpoint's as a whole."""
        return bool(self.kept) and not self.checkpoint_only and not self.data_only

    def sentences(self) -> list[str]:
        """What to tell the user."""
        if self.is_kept:
            return [f"head of {self.target} kept: the data have the checkpoint's entries ({listed(self.kept)})"]
        if not self.shared and not self.data_only:
            return [f"head of {self.target} ({len(self.checkpoint_only)} entries) left behind: it is not trained here"]
        if not self.shared and not self.checkpoint_only:
            return [f"head of {self.target} is new, with fresh weights for {len(self.data_only)} entries"]
        lines = [f"head of {self.target} replaced, {len(self.data_only) + len(self.shared)} entries:"]
        weights = "the checkpoint's weights" if self.kept else "fresh weights (keep_labels=true keeps the checkpoint's)"
        for entries, what in (
            (self.shared, f"in both, with {weights}"),
            (self.data_only, "in the data alone, with fresh weights"),
            (self.checkpoint_only, "in the checkpoint alone, from now on not predicted"),
        ):
            lines += [f"  {what}: {listed(entries)}"] if entries else []
        return lines


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What was taken: number of tensors and of the learning numbers in them, whole heads included; and each head."""

    tensors: int
    parameters: int
    heads: tuple[HeadTransfer, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as card.json holds them."""
        return asdict(self)


def take_weights(task: FaceTask, source: FaceTask, *, keep_labels: bool) -> Transfer:
    """Give a task the weights of another, and say what was taken.

    A head stays as it is where both label spaces have the same entries (in whatever order: rows meet by name), else it
    keeps its fresh weights, but for the rows of shared entries if `keep_labels` is set.

    Raises:
        UserError: if anything else differs in name or shape, or labels are to be kept and none are shared.
    """
    own, given = task.network.state_dict(), source.network.state_dict()
    heads, given_heads = task.heads(), source.heads()
    trunk = outside(own, heads.values())
    taken = outside(given, given_heads.values())
    require_fit(taken, trunk, task, source)
    reports = []
    for target in dict.fromkeys([*heads, *given_heads]):
        report = _compared(target, task.spaces.get(target), source.spaces.get(target), keep_labels=keep_labels)
        reports.append(report)
        if report.kept:
            had = _renamed(given, given_heads[target], heads[target])
            taken |= _rows(_renamed(own, heads[target], heads[target]), had, task, source, report)
    if keep_labels and not any(report.kept for report in reports):
        raise UserError(
            "keep_labels=true, but the checkpoint and the data share no entry by name"
            f" ({_entries(source)} and {_entries(task)}); leave keep_labels out."
        )
    task.network.load_state_dict({**own, **taken})
    partly = [f"{heads[r.target]}." for r in reports if r.kept and not r.is_kept]
    whole = [name for name in taken if not name.startswith(tuple(partly))]
    learning = {name: parameter.numel() for name, parameter in task.network.named_parameters()}
    return Transfer(tensors=len(whole), parameters=sum(learning.get(name, 0) for name in whole), heads=tuple(reports))


def _compared(target: str, own: LabelSpace | None, given: LabelSpace | None, *, keep_labels: bool) -> HeadTransfer:
    wanted, had = own.entries if own else (), given.entries if given else ()
    in_wanted, in_had = set(wanted), set(had)
    shared = tuple(entry for entry in wanted if entry in in_had)
    is_equal = len(shared) == len(wanted) == len(had)
    return HeadTransfer(
        target=target,
        shared=shared,
        checkpoint_only=tuple(entry for entry in had if entry not in in_wanted),
        data_only=tuple(entry for entry in wanted if entry not in in_had),
        kept=shared if is_equal or keep_labels else (),
    )


def _rows(
    own: Mapping[str, Tensor], given: Mapping[str, Tensor], task: FaceTask, source: FaceTask, report: HeadTransfer
) -> dict[str, Tensor]:
    """The tensors of a new head with the rows of the kept entries from the old one."""
    first = {name: tensor[:1] for name, tensor in own.items()}
    require_fit({name: tensor[:1] for name, tensor in given.items()}, first, task, source)
    to = torch.tensor([task.spaces[report.target].index(entry) for entry in report.kept])
    since = torch.tensor([source.spaces[report.target].index(entry) for entry in report.kept])
    return {name: tensor.clone().index_copy_(0, to, given[name][since]) for name, tensor in own.items()}


def require_fit(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], task: FaceTask, source: FaceTask) -> None:
    """Refuses tensors that are not those that are wanted, by name and shape.

    Raises:
        UserError: naming the first, and the settings in which both networks differ.
    """
    for name in dict.fromkeys([*wanted, *given]):
        if name in wanted and name in given and wanted[name].shape == given[name].shape:
            continue
        has, wants = (_shape(tensors.get(name)) for tensors in (given, wanted))
        raise UserError(
            f"The checkpoint does not fit this network: tensor {name!r} {has} in the checkpoint and {wants} here;"
            f" {_advice(task, source)}."
        )


def _shape(tensor: Tensor | None) -> str:
    return "is not there" if tensor is None else f"is {' x '.join(map(str, tensor.shape)) or 'one number'}"


def _advice(task: FaceTask, source: FaceTask) -> str:
    """The settings in which the network differs from the checkpoint's."""
    changed = changed_settings(task, source)
    if changed:
        return "set " + ", ".join(f"method.{key}={had}" for key, (had, _) in changed.items()) + " as its card has it"
    if task.method_name != source.method_name:
        return f"set method={source.method_name}, which made it"
    return "it comes from another version of this network"


def changed_settings(task: FaceTask, source: FaceTask) -> dict[str, tuple[Any, Any]]:
    """What network and input differ in: setting -> (of the checkpoint, here); the target is no such thing."""
    here = asdict(task.settings)
    had = source.card["settings"] if source.card else asdict(source.settings)
    names = [name for name in network_settings(type(task.settings)) if name != "target" and name in had]
    return {name: (had[name], here[name]) for name in names if had[name] != here[name]}


def outside(tensors: Mapping[str, Tensor], modules: Iterable[str]) -> dict[str, Tensor]:
    """The tensors that are of none of these modules."""
    inside = tuple(f"{module}." for module in modules)
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(inside)}


def _renamed(tensors: Mapping[str, Tensor], module: str, name: str) -> dict[str, Tensor]:
    """The tensors of a module, as if it had another name."""
    prefix = f"{module}."
    inside = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
    return {f"{name}.{rest}": tensor for rest, tensor in inside.items()}


def _entries(task: FaceTask) -> str:
    return "; ".join(", ".join(space.entries[:8]) for space in task.spaces.values())
