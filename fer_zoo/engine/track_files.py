"""Tracks as files: `configs/track/NAME.yaml`, or a file of one's own; what they say as settings of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fer_zoo.core.errors import UserError, unknown_name
from fer_zoo.core.sample import TARGETS
from fer_zoo.core.settings import build_settings, setting
from fer_zoo.data.protocols import PROTOCOLS
from fer_zoo.engine.config_files import configs_folder, options, read_yaml
from fer_zoo.engine.run import Echo, Run
from fer_zoo.engine.setting_texts import as_texts
from fer_zoo.evaluation.scores import checked_metrics
from fer_zoo.evaluation.tracks import MISSING_OUTPUTS, SELECTIONS, UNDETECTED_FACES, Track

# What belongs to the track: nobody sets it beside one.
FIXED = ("dataset", "protocol", "frames", "data.detector", "trainer.selection", "trainer.follow_test")
FREE = ("dataset.root",)  # where a copy lies is nobody's business


@dataclass(kw_only=True)
class TrackSettings:
    """What a track's file says."""

    dataset: dict[str, Any] = field(default_factory=dict)
    protocol: dict[str, Any] = field(default_factory=dict)
    target: str = setting("emotion", "what is predicted", choices=tuple(TARGETS))
    fingerprint: str = setting("", "of the complete data set; empty takes the data as they are found")
    frames: str = setting("all", "which frames of a clip are used")
    metrics: list[str] = setting([], "what is shown, the first one ranks; empty: all that fit")
    selection: str = setting("val", "whose weights are kept", choices=SELECTIONS)
    missing_outputs: str = setting("wrong", "images without an output, in the ranking", choices=MISSING_OUTPUTS)
    undetected_faces: str = setting(
        "missing", "images in which no face is found: without an output, or no part", choices=UNDETECTED_FACES
    )


@dataclass(frozen=True)
class TrackFile:
    """A track before it has met its data."""

    name: str
    settings: TrackSettings

    @property
    def trains(self) -> bool:
        """Whether there is a part to train on."""
        protocol = PROTOCOLS.get(self.settings.protocol["name"])
        return protocol is None or protocol.trains  # a name that is none is told where it is used

    def words(self) -> list[tuple[str, str]]:
        """The settings of a run on the track, as a user would type them."""
        own = self.settings
        named = {"dataset": own.dataset["name"], "protocol": own.protocol["name"]}
        parts = {
            f"{group}.{key}": value
            for group, values in (("dataset", own.dataset), ("protocol", own.protocol))
            for key, value in values.items()
            if key != "name"
        }
        rules = {"frames": own.frames, "trainer.selection": own.selection, "trainer.follow_test": True}
        return as_texts({**named, **parts, **rules})

    def refuse_other_selection(self, card: Mapping[str, Any]) -> None:
        """Refuses weights that were chosen by another rule.

        Raises:
            UserError: naming both rules.
        """
        chosen = card["training"]["trainer"].get("selection", "val")
        if chosen != self.settings.selection:
            raise UserError(
                f"The weights of this checkpoint were chosen by {chosen!r}, those of the track {self.name} are by"
                f" {self.settings.selection!r}; train it again by that rule, or evaluate it without track=."
            )

    def resolve(self, run: Run, *, echo: Echo) -> Track:
        """The track on the data of a run, told where they are not those that its file names.

        Raises:
            UserError: for a method of another target, or a metric that does not fit the label space.
        """
        if run.target != self.settings.target:
            raise UserError(
                f"The track {self.name} is about {self.settings.target!r}, and {run.config.method['name']} learns"
                f" {run.target!r} as it is set; choose another method, or set its method.target."
            )
        space, found = run.index.space(run.target), run.index.fingerprint()
        metrics = checked_metrics(space, self.settings.metrics or None)
        if not metrics:
            raise UserError(f"The track {self.name} ranks by no number; name another metric than confusion_matrix.")
        if self.settings.fingerprint not in ("", found):
            echo(
                f"note: the data have the fingerprint {found}, those of the track {self.name}"
                f" {self.settings.fingerprint}; scores on them are listed apart"
            )
        return Track(
            name=self.name,
            fingerprint=found,
            target=run.target,
            label_space=space.name,
            entries=tuple(space.entries),
            protocol=dict(run.config.protocol),
            frames=self.settings.frames,
            metrics=metrics,
            selection=self.settings.selection,
            missing_outputs=self.settings.missing_outputs,
            undetected_faces=self.settings.undetected_faces,
        )


def read_track(name: str) -> TrackFile:
    """A track by its name, or from a file of one's own.

    Raises:
        UserError: for an unknown name (with near misses), or a file that is none or says what no track has.
    """
    path = Path(name).expanduser()
    if path.suffix not in (".yaml", ".yml"):
        if name not in options("track"):
            raise unknown_name("track", name, options("track"), see="`fer-zoo list tracks`")
        path = configs_folder() / "track" / f"{name}.yaml"
    own = build_settings(TrackSettings, read_yaml(path, what="track"), where="track")
    for group in ("dataset", "protocol"):
        if not isinstance(getattr(own, group).get("name"), str):
            raise UserError(f"The track {path} does not say {group}.name.")
    return TrackFile(path.stem, own)


def refuse_fixed(settings: Sequence[tuple[str, str]], name: str) -> None:
    """Refuses settings that the track decides.

    Raises:
        UserError: naming the first.
    """
    for key, _ in settings:
        if key not in FREE and any(key == fixed or key.startswith(f"{fixed}.") for fixed in FIXED):
            raise UserError(
                f"{key} is decided by the track {name}; leave it out, or write a track of your own, track=PATH.yaml."
            )
