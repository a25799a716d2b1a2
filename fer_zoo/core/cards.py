"""Cards: what a method or a data set says about itself, as plain data that imports nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Commercial = Literal["yes", "no", "ask"]


@dataclass(frozen=True)
class Terms:
    """The licence of one thing (code, weights, a training set) and whether it allows commercial use."""

    licence: str
    commercial: Commercial


def strictest(terms: Iterable[Terms]) -> Commercial:
    """The answer for a whole chain: "no" beats "ask" beats "yes".

    Example:
        >>> strictest([Terms("Apache-2.0", "yes"), Terms("research only", "no")])
        'no'
    """
    answers = [term.commercial for term in terms]
    return "no" if "no" in answers else "ask" if "ask" in answers else "yes"


@dataclass(frozen=True)
class Paper:
    """Where a method or a data set was published."""

    title: str
    venue: str
    year: int
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class MethodCard:
    """What a method is, before anything of it is imported.

    Attributes:
        name: the registered name, snake_case.
        summary: one line.
        paper: the source; None for the zoo's own baselines.
        targets: what it can predict.
        label_spaces: per target the space used when nobody names another.
        implementation: "module:Class" of the FaceTask, imported on first use.
        settings: its dataclass of settings; every default stands there and nowhere else.
        num_parameters: trainable scalars with default settings and label spaces; a test counts them.
        code, weights: licences; `weights` speaks of what the card offers for download, if anything.
        pretraining: per training set of those weights its terms.
        trains: False for a method that only fits or wraps, whose training verbs are refused.
        smallest: settings of the variant that the tests build.
        joined: setting -> target that it makes the method learn besides, where it is more than 0; samples with a label
            of that one alone are then trained on, too.
        departures: where it differs from the paper, one sentence each.
    """

    name: str
    summary: str
    paper: Paper | None
    targets: tuple[str, ...]
    label_spaces: Mapping[str, str]
    implementation: str
    settings: type[Any]
    num_parameters: int
    code: Terms = Terms("Apache-2.0", "yes")
    weights: Terms | None = None
    pretraining: Mapping[str, Terms] = field(default_factory=dict)
    trains: bool = True
    smallest: Mapping[str, Any] = field(default_factory=dict)
    joined: Mapping[str, str] = field(default_factory=dict)
    departures: tuple[str, ...] = ()

    @property
    def commercial_use(self) -> Commercial:
        """The strictest answer of code, weights and training sets."""
        return strictest([self.code, *([self.weights] if self.weights else []), *self.pretraining.values()])


@dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """What a data set is, before a file of it is opened.

    Attributes:
        name: the registered name, snake_case; also its folder below a root.
        summary: one line.
        targets: per target the label space its reader uses by default.
        settings: the dataclass of settings that `read` takes.
        terms: licence of images and labels.
        ask: who grants access, or where it is downloaded.
        paper: the source; None if there is none.
        is_cropped: True where the images are face crops already, so that their whole area is used.
        expected: what a complete copy holds, e.g. {"images": 13718, "emotion=fear": 21}; differences are told.
        official_split: True where the reader fills the `split` column.
        protocol: name of the literature's protocol in `configs/protocol`, and the recommended default.
        traps: what misleads its readers, one sentence each.
        downloads: file name -> (address, sha256); empty where it must be asked for.
        own_data: True for the generic readers of a user's own files, which have no fixed root.
        drawn: True where code makes the images, so that no file is needed; a root is a folder that keeps them.
        examples: per target the settings that an example of a command needs; a reader of own files cannot do without.
        populations: groups whom its people are of, if others show these under codes of their own.
    """

    name: str
    summary: str
    targets: Mapping[str, str]
    settings: type[Any]
    terms: Terms
    ask: str
    paper: Paper | None = None
    is_cropped: bool = False
    expected: Mapping[str, int] = field(default_factory=dict)
    official_split: bool = False
    protocol: str = "stratified_subject_kfold"
    traps: tuple[str, ...] = ()
    downloads: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    own_data: bool = False
    drawn: bool = False
    examples: Mapping[str, str] = field(default_factory=dict)
    populations: tuple[str, ...] = ()

    @property
    def commercial_use(self) -> Commercial:
        """Whether the terms allow commercial use."""
        return self.terms.commercial


@dataclass(frozen=True, kw_only=True)
class FaceModelCard:
    """What a parametric face is, before it is built.

    Attributes:
        name: the registered name, snake_case.
        summary: one line.
        build: "module:function" that makes the `FaceModel`, imported on first use; it takes the folder of the model's
            files, or nothing where it needs none, and then its settings by name.
        terms: licence of the model's files.
        paper: the source; None for the zoo's own.
        ask: where its files are downloaded; empty where it needs none.
        downloads: file name -> (address, sha256).
        traps: what misleads its users, one sentence each.
    """

    name: str
    summary: str
    build: str
    terms: Terms = Terms("Apache-2.0", "yes")
    paper: Paper | None = None
    ask: str = ""
    downloads: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    traps: tuple[str, ...] = ()

    @property
    def commercial_use(self) -> Commercial:
        """Whether the terms allow commercial use."""
        return self.terms.commercial
