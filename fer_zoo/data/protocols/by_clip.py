"""Leave one clip out, as ExpNet was scored on CK+: people may stand on both sides."""

import numpy as np

from fer_zoo.core.errors import UserError
from fer_zoo.data.index import Index
from fer_zoo.data.protocols.labelled import labelled, require_few
from fer_zoo.data.protocols.settings import LeaveOneClipOut
from fer_zoo.data.protocols.splits import Split


def leave_one_clip_out(index: Index, settings: LeaveOneClipOut, target: str) -> list[Split]:
    """Each clip in turn, in the order of their names; an image of no clip is a clip of its own.

    Source: Chang et al., ExpNet, 2018 (CK+, EmotiW-17).

    Raises:
        UserError: if the data have no clips, a single one, or very many.
    """
    is_labelled = index.is_labelled(target)
    if not np.any(index.table["clip"].to_numpy(dtype=object)[is_labelled] != ""):
        raise UserError(
            f"{index.dataset} names no clip of any labelled image, so leave_one_clip_out has nothing to leave out; use"
            " leave_one_subject_out, or say which images are frames of a clip (clip_column)."
        )
    data = labelled(index, target, "clip")
    if len(data.names) < 2:
        raise UserError(f"leave_one_clip_out needs at least 2 clips, and {index.dataset} has 1 with a label.")
    require_few(index, data, "leave_one_clip_out")
    return data.folds([[clip] for clip in data.names], settings.validation_share, settings.seed)
