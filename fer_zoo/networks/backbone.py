"""Any timm backbone as a feature extractor, with weights from timm's hub or from a file of the user's."""

from pathlib import Path

import timm
import torch
from jaxtyping import Float
from safetensors import SafetensorError
from timm.models import group_parameters
from torch import Tensor, nn

from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.networks.state_dicts import read_state_dict


class Backbone(nn.Module):
    """A timm model without its classifier: images in, pooled features out.

    Args:
        name: any name of `timm.list_models()`.
        in_channels: 1 for grey images, 3 for colour; pretrained first layers are adapted.
        image_size: (height, width); transformers with position embeddings are built for it.
        pretrained: load timm's default weights of that name.

    Raises:
        UserError: for an unknown name, or when pretrained weights are neither in the cache nor reachable.
    """

    def __init__(self, name: str, *, in_channels: int, image_size: tuple[int, int], pretrained: bool = False) -> None:
        super().__init__()
        if not timm.is_model(name):
            raise unknown_name("timm backbone", name, timm.list_models())
        fixed = {"img_size": image_size} if timm.get_pretrained_cfg(name).fixed_input_size else {}
        file = pretrained_file(name) if pretrained else None
        overlay = {"pretrained_cfg_overlay": {"file": str(file)}} if file else {}
        try:
            self.model = timm.create_model(
                name, pretrained=pretrained, num_classes=0, in_chans=in_channels, **fixed, **overlay
            )
        except SafetensorError as error:
            raise UserError(f"{file} is no whole safetensors file ({error}); delete it and fetch it again.") from error
        self.name, self._still = name, tuple[str, ...]()
        self.num_features: int = getattr(self.model, "head_hidden_size", self.model.num_features)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b f"]:
        """Pooled features."""
        return self.model(image)

    def stages(self) -> dict[str, int]:
        """Name of each parameter -> the stage it belongs to, 0 next to the image, as timm groups them.

        Position embeddings and tokens belong to stage 0; a last norm may be a stage of its own.

        Raises:
            UserError: if timm has no grouping of this backbone.
        """
        try:
            groups = group_parameters(self.model, self.model.group_matcher(coarse=True), reverse=True)
        except (AttributeError, AssertionError, NotImplementedError, TypeError) as error:
            raise UserError(
                f"timm does not say what the stages of {self.name} are; leave out method.frozen_stages and"
                " method.layer_rate_decay, or choose another method.backbone."
            ) from error
        return {f"model.{name}": stage for name, stage in groups.items()}

    def freeze_stages(self, number: int) -> None:
        """Keep the first stages as they are: nothing in them learns, and they stay in evaluation mode.

        Raises:
            UserError: if there are fewer, or none at all.
        """
        if not number:
            return
        stages = self.stages()
        count = max(stages.values()) + 1
        if number > count:
            raise UserError(
                f"method.frozen_stages is {number}, but {self.name} has {count} stages; set at most {count}."
            )
        for name, parameter in self.named_parameters():
            if stages[name] < number:
                parameter.requires_grad_(False)
        self._still = tuple(name for name, module in self.named_modules() if name and _is_frozen(module))
        self.train(self.training)

    def train(self, mode: bool = True) -> "Backbone":
        """Switch between training and evaluation; frozen stages stay in evaluation mode."""
        super().train(mode)
        for name in self._still:
            self.get_submodule(name).eval()
        return self

    def load_file(self, path: Path) -> list[str]:
        """Take the weights of a file (safetensors, or a state dict) whose names are those of the timm model.

        Names may carry a prefix ("module.", "backbone.", "model."); a classifier is left behind, a three-channel first
        layer is adapted to grey.

        Returns:
            The names in the file that were not used.

        Raises:
            UserError: if a tensor of the backbone is missing in the file or has another shape.
        """
        wanted = self.model.state_dict()
        found = _without_prefix(read_state_dict(path), set(wanted))
        missing = sorted(set(wanted) - set(found))
        if missing:
            raise UserError(
                f"{path} lacks {len(missing)} of {len(wanted)} tensors of this backbone, the first is {missing[0]!r};"
                " is it the same backbone?"
            )
        first = self.model.pretrained_cfg.get("first_conv")
        for layer in [first] if isinstance(first, str) else first or []:
            _adapt_channels(found, f"{layer}.weight", wanted)
        for name, tensor in wanted.items():
            if found[name].shape != tensor.shape:
                shapes = f"{tuple(found[name].shape)} in {path}, {tuple(tensor.shape)} in the backbone"
                raise UserError(f"The tensor {name!r} has another shape: {shapes}.")
        self.model.load_state_dict({name: found[name] for name in wanted})
        return sorted(set(found) - set(wanted))


def _is_frozen(module: nn.Module) -> bool:
    """Whether a module has parameters, none of which learn."""
    learns = [parameter.requires_grad for parameter in module.parameters()]
    return bool(learns) and not any(learns)


def pretrained_file(name: str) -> Path:
    """Where timm's default weights of a backbone lie in the hub's cache, after fetching them if need be.

    Raises:
        UserError: at once if the model has no weights, or if they are not cached and the hub cannot be reached.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository = timm.get_pretrained_cfg(name).hf_hub_id
    if not repository:
        raise UserError(f"timm has no pretrained weights for {name!r}; set method.backbone_pretrained=false.")
    cached = try_to_load_from_cache(repository, "model.safetensors")
    if isinstance(cached, str):
        return Path(cached)
    try:
        _require_hub()
        return Path(hf_hub_download(repository, "model.safetensors"))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:  # ValueError: no address
        raise UserError(
            f"The pretrained weights of {name!r} are not in the cache and the hub does not answer"
            f" ({type(error).__name__}); go online once, give a file with method.backbone_weights=PATH,"
            " or set method.backbone_pretrained=false."
        ) from error


def _require_hub() -> None:
    """Fail within seconds where the hub is out of reach; its own client retries for most of a minute."""
    import os
    from urllib.request import Request, urlopen

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise OSError("HF_HUB_OFFLINE is set")
    endpoint = os.environ.get("HF_ENDPOINT", constants.ENDPOINT)
    with urlopen(Request(endpoint, method="HEAD"), timeout=3):
        pass


def _without_prefix(tensors: dict[str, Tensor], wanted: set[str]) -> dict[str, Tensor]:
    """The tensors under the prefix that makes most names fit."""
    prefixes = ["", *(f"{p}." for p in ("module", "model", "backbone", "network.backbone.model", "backbone.model"))]

    def stripped(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}

    return max(map(stripped, prefixes), key=lambda named: len(wanted & set(named)))


def _adapt_channels(found: dict[str, Tensor], name: str, wanted: dict[str, Tensor]) -> None:
    """Sum a colour kernel to a grey one, as timm does for its own weights."""
    kernel, target = found[name], wanted[name]
    if kernel.ndim == 4 and kernel.shape[1] == 3 and target.shape[1] == 1:
        found[name] = kernel.sum(dim=1, keepdim=True)
    elif kernel.ndim == 4 and kernel.shape[1] == 1 and target.shape[1] == 3:
        found[name] = torch.cat([kernel / 3] * 3, dim=1)
