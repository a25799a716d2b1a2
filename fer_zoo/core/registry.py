"""Registries: methods and data sets are found by walking folders, so that adding one touches no shared file."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from fer_zoo.core.cards import DatasetCard, FaceModelCard, MethodCard
from fer_zoo.core.errors import UserError, unknown_name


@runtime_checkable
class Card(Protocol):
    """What a registry asks of its entries."""

    @property
    def name(self) -> str:
        """The registered name."""
        ...


C = TypeVar("C", bound=Card)


class Registry(Generic[C]):
    """Cards by name, read from modules that are found, not listed.

    Args:
        kind: the word for an entry in messages.
        modules: yields the modules that hold cards.
        group: entry-point group through which other packages add modules of the same form.
        advice: what to say besides, with a leading blank, of a name that is not among them.
    """

    def __init__(
        self,
        kind: str,
        modules: Callable[[], Iterator[ModuleType]],
        group: str,
        *,
        advice: Callable[[str], str] = lambda name: "",
    ) -> None:
        self.kind, self._modules, self._group, self._advice = kind, modules, group, advice

    @cached_property
    def _found(self) -> Mapping[str, tuple[C, ModuleType]]:
        found: dict[str, tuple[C, ModuleType]] = {}
        outside = (point.load() for point in entry_points(group=self._group))
        for module in (*self._modules(), *outside):
            cards = module.CARDS if hasattr(module, "CARDS") else (module.CARD,)
            for card in cards:
                if card.name in found:
                    first = found[card.name][1].__name__
                    raise UserError(f"Two {self.kind}s are named {card.name!r}: in {first} and in {module.__name__}.")
                found[card.name] = (card, module)
        return dict(sorted(found.items()))

    def names(self, pattern: str = "*", *, target: str | None = None) -> list[str]:
        """Names that match a shell pattern, in order; with a target, only entries that know it."""
        cards: dict[str, Any] = {name: card for name, (card, _) in self._found.items()}
        return [
            n for n, card in cards.items() if fnmatchcase(n, pattern) and (target is None or target in card.targets)
        ]

    def __getitem__(self, name: str) -> C:
        """The card of that name.

        Raises:
            UserError: if there is none, with the nearest names.
        """
        if name not in self._found:
            raise UserError(f"{unknown_name(self.kind, name, self.names())}{self._advice(name)}")
        return self._found[name][0]

    def module(self, name: str) -> ModuleType:
        """The module in which a card stands."""
        self[name]
        return self._found[name][1]


def load_object(reference: str) -> Any:
    """What "module:Name" means, imported now."""
    module, _, attribute = reference.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _method_modules() -> Iterator[ModuleType]:
    package = importlib.import_module("fer_zoo.methods")
    for entry in pkgutil.iter_modules(package.__path__):
        if entry.ispkg:
            yield importlib.import_module(f"fer_zoo.methods.{entry.name}.card")


def _dataset_modules() -> Iterator[ModuleType]:
    package = importlib.import_module("fer_zoo.data.datasets")
    for entry in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"fer_zoo.data.datasets.{entry.name}")


def _face_model_modules() -> Iterator[ModuleType]:
    package = importlib.import_module("fer_zoo.faces.models")
    for entry in pkgutil.iter_modules(package.__path__):
        if entry.ispkg:
            yield importlib.import_module(f"fer_zoo.faces.models.{entry.name}.card")


def _if_folder(name: str) -> str:
    """People first try the name of their folder."""
    how = f"`fer-zoo check-data image_folder root={name}`, and dataset=image_folder dataset.root={name} elsewhere"
    return f" {name} is a folder; photographs in class folders are read by {how}." if Path(name).is_dir() else ""


METHODS: Registry[MethodCard] = Registry("method", _method_modules, "fer_zoo.methods")
DATASETS: Registry[DatasetCard] = Registry("data set", _dataset_modules, "fer_zoo.datasets", advice=_if_folder)
FACE_MODELS: Registry[FaceModelCard] = Registry("face model", _face_model_modules, "fer_zoo.face_models")
