"""Per-identity hold-out: everybody is trained on and tested, on other clips or files. For identity targets only."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.data.index import Index
from fer_zoo.data.protocols.draws import draw
from fer_zoo.data.protocols.settings import IdentityHoldout
from fer_zoo.data.protocols.splits import Split, unit_keys

_IDENTITY = "identity"


def identity_holdout(index: Index, settings: IdentityHoldout, target: str) -> list[Split]:
    """Of each identity a drawn share of its clips, or of its files where they are of no clip, is tested.

    At least one of each identity is tested and at least one stays in training; an identity with a single one is only
    trained on.

    Raises:
        UserError: for another target, or if no identity has enough clips or files.
    """
    if target != _IDENTITY:
        raise UserError(
            f"identity_holdout tests people it has trained on, so it is for target 'identity' only, and this is"
            f" {target!r}; use subject_kfold or subject_holdout."
        )
    is_labelled = index.is_labelled(target)
    table = pd.DataFrame(
        {"id": index.table["id"], "identity": index.table[target], "group": unit_keys(index, "clip")}
    )[is_labelled]  # fmt: skip
    groups = table[["identity", "group"]].drop_duplicates()
    groups["draw"] = [draw(f"{one}/{group}", settings.seed, "test") for one, group in groups.to_numpy()]
    groups = groups.sort_values("draw")
    of_identity = groups.groupby("identity", sort=False)["group"]
    rank, size = of_identity.cumcount().to_numpy(), of_identity.transform("size").to_numpy()
    tested = _share(size, settings.test_share)
    validating = _share(size - tested, settings.validation_share)
    groups["part"] = np.select([rank < tested, rank < tested + validating], [2, 1], 0)
    _require(index, groups["part"].to_numpy(), settings)
    part = table.merge(groups, on=["identity", "group"], how="left")["part"].to_numpy()
    ids = table["id"].to_numpy(dtype=object)
    return [Split("holdout", *(tuple(sorted(ids[part == number])) for number in (0, 1, 2)))]


def _share(sizes: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.int64]:
    """How many of each identity are drawn: at least one where anything is asked for, and one is left."""
    wanted = np.maximum(np.floor(share * sizes + 0.5), float(share > 0))
    return np.minimum(wanted, np.maximum(sizes - 1, 0)).astype(np.int64)


def _require(index: Index, parts: npt.NDArray[np.int64], settings: IdentityHoldout) -> None:
    for part, least, is_asked in ((2, 2, True), (1, 3, settings.validation_share > 0)):
        if is_asked and not np.any(parts == part):
            hint = "" if part == 2 else ", or protocol.validation_share=0"
            raise UserError(
                f"identity_holdout needs an identity with at least {least} clips or files, and {index.dataset} has"
                f" none; use data with more of each person{hint}."
            )
