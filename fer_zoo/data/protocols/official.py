"""The parts that a data set's owners made."""

from fer_zoo.core.errors import UserError
from fer_zoo.data.index import SPLIT_PARTS, Index
from fer_zoo.data.protocols.draws import drawn
from fer_zoo.data.protocols.settings import OfficialSplit
from fer_zoo.data.protocols.splits import Split, check_split


def official_split(index: Index, settings: OfficialSplit, target: str) -> list[Split]:
    """The owners' parts, validation drawn from training where they made none.

    Raises:
        UserError: if there is no official split, it lacks a part, or a person stands in two.
    """
    table = index.table[index.is_labelled(target)]
    counts = table["split"].value_counts().to_dict() if "split" in table else {}
    if not any(counts.get(part) for part in SPLIT_PARTS):
        raise UserError(
            f"{index.dataset} has no official split; use one of the protocols subject_kfold, stratified_subject_kfold,"
            " subject_holdout or leave_one_subject_out."
        )
    if not counts.get(settings.test_part) or not counts.get("train"):
        found = ", ".join(f"{part} {counts[part]}" for part in SPLIT_PARTS if counts.get(part))
        raise UserError(
            f"The official split of {index.dataset} holds only {found}: it needs train and {settings.test_part};"
            " protocol.test_part=validation scores the validation part."
        )
    ids = {part: tuple(sorted(table["id"][table["split"] == part])) for part in SPLIT_PARTS}
    test = ids[settings.test_part]
    if settings.test_part == "test" and ids["validation"]:
        return [Split("official", ids["train"], ids["validation"], test)]
    check_split(index, Split("official", ids["train"], (), test))  # with all its people, before some validate
    in_training = table[table["split"] == "train"]
    validating = drawn(sorted(set(in_training["subject"])), settings.validation_share, settings.seed, "validation")
    is_validation = in_training["subject"].isin(validating)
    train, validation = (tuple(sorted(in_training["id"][rows])) for rows in (~is_validation, is_validation))
    return [Split("official", train, validation, test)]
