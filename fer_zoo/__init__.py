"""A model zoo for facial expression analysis: `fer_zoo.list_methods()`, `fer_zoo.create_method("timm_classifier")`."""

import importlib
from typing import Any

__version__ = "0.1.0"

# Public name -> module; resolved on first use, so that `import fer_zoo` loads no torch.
_PUBLIC = {
    "list_methods": "fer_zoo.engine.api",
    "create_method": "fer_zoo.engine.api",
    "load_method": "fer_zoo.engine.api",
    "list_datasets": "fer_zoo.engine.api",
    "open_dataset": "fer_zoo.engine.api",
    "draw_pictures": "fer_zoo.engine.api",
    "train": "fer_zoo.engine.api",
    "evaluate": "fer_zoo.engine.api",
    "predict": "fer_zoo.engine.api",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'fer_zoo' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
