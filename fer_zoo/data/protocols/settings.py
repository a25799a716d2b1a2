"""The settings of the protocols; all have the same three of their training part."""

from dataclasses import dataclass

from fer_zoo.core.settings import setting

VALIDATION_DOC = "share of the training {} that becomes the validation part"


@dataclass(kw_only=True)
class ProtocolSettings:
    """What every protocol lets a user choose about its training part."""

    validation_share: float = setting(0.1, VALIDATION_DOC.format("subjects"), at_least=0.0, at_most=0.5)
    seed: int = setting(0, "draws whoever is drawn", at_least=0)
    train_samples: int = setting(
        0,
        "training part cut to at most so many samples, drawn by hash of (seed, id) so that classes keep their shares;"
        " 0 keeps all",
        at_least=0,
    )


@dataclass(kw_only=True)
class OfficialSplit(ProtocolSettings):
    """The parts that the data set's owners made."""

    test_part: str = setting(
        "test", "which part is scored; with validation, another validation part is taken from training",
        choices=("test", "validation"),
    )  # fmt: skip
    validation_share: float = setting(
        0.1, VALIDATION_DOC.format("subjects") + ", where the owners made none", at_least=0.0, at_most=0.5
    )


@dataclass(kw_only=True)
class SubjectKFold(ProtocolSettings):
    """Subjects in the owners' order, else by code; fold k takes every n-th from the k-th on."""

    folds: int = setting(10, "number of folds", at_least=2)


@dataclass(kw_only=True)
class StratifiedSubjectKFold(ProtocolSettings):
    """Subjects spread so that every class is as even over the folds as whole people allow."""

    folds: int = setting(5, "number of folds", at_least=2)


@dataclass(kw_only=True)
class SubjectHoldout(ProtocolSettings):
    """A drawn share of the subjects is the test part."""

    test_share: float = setting(0.2, "share of the subjects that becomes the test part", at_least=0.01, at_most=0.9)


@dataclass(kw_only=True)
class LeaveOneSubjectOut(ProtocolSettings):
    """A fold a subject, in the order of their codes."""


@dataclass(kw_only=True)
class SubjectLists(ProtocolSettings):
    """A fold a list: the people named in it are tested, all others train."""

    lists: list[str] = setting(
        [], "people to test, a list a fold, their codes or names with blanks between: lists='SN001 SN002,SN003 SN004'"
    )


@dataclass(kw_only=True)
class OnlyTest(ProtocolSettings):
    """Everything is tested; there is no training part, so that its settings change nothing."""


@dataclass(kw_only=True)
class LeaveOneClipOut(ProtocolSettings):
    """A fold a clip, in the order of their names; an image of no clip is a clip of its own."""

    validation_share: float = setting(0.1, VALIDATION_DOC.format("clips"), at_least=0.0, at_most=0.5)


@dataclass(kw_only=True)
class IdentityHoldout(ProtocolSettings):
    """Of each identity a drawn share of its clips, or of its files where there are no clips, is the test part."""

    test_share: float = setting(
        0.2, "share of each identity's clips or files that becomes the test part", at_least=0.01, at_most=0.9
    )
    validation_share: float = setting(
        0.1, VALIDATION_DOC.format("clips or files of each identity"), at_least=0.0, at_most=0.5
    )
