"""The configuration of a run: one object from files and from a user's words, every value checked.

Order, later wins: the dataclasses' defaults, the card of a checkpoint to start from (method, network and input alone),
the files of `fer_zoo/configs`, the experiment's file, the user's words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fer_zoo.core.errors import UserError, nearest, unknown_name
from fer_zoo.core.files import write_text
from fer_zoo.core.method_settings import STARTING_WEIGHTS, network_settings
from fer_zoo.core.registry import DATASETS, METHODS, load_object
from fer_zoo.core.settings import build_settings, setting
from fer_zoo.data.frames import check_frames
from fer_zoo.engine.config_files import compose_files, options, protocol_file, require_plain
from fer_zoo.engine.setting_texts import as_tree, settings_from_texts, typed
from fer_zoo.engine.starts import check_facts, first_start, start_paths
from fer_zoo.engine.trainer_settings import LoggerSettings, TrainerSettings

# Written method=NAME, its settings method.KEY=VALUE; what stands beside those settings in its section.
NAMED: Mapping[str, tuple[str, ...]] = {"method": ("name",), "dataset": ("name", "root"), "protocol": ("name",)}
PLAIN = ("data", "trainer", "logger")
CONFIG = "config.yaml"
FILES = ("trainer", "logger", "experiment")  # written trainer=NAME, where NAME is a file


@dataclass(kw_only=True)
class RunSettings:
    """What belongs to a run and to no part of it."""

    seed: int = setting(0, "all that is drawn depends on it", at_least=0)
    fold: int = setting(0, "which split of the protocol is used", at_least=0)
    frames: str = setting(
        "all",
        "which frames of each clip are used: all, or first, middle, peak, last_N (the last N), end_N (the N-th from the"
        " end), joined by +; chosen before anything is divided, photographs of no clip stay",
    )
    experiment: str = setting("", "the experiment's file, and the folder of its runs")
    output: str = setting("runs", "the folder below which runs are written")
    checkpoint: str = setting(
        "", "start from these weights: a run folder, a checkpoint or a name, whose method is the default"
    )
    streams: list[str] = setting(
        [], "start parts of a network from checkpoints of their own: streams=image=PATH,blendshape=PATH"
    )
    keep_labels: bool = setting(
        False, "entries that the checkpoint's head has too, by name, keep their weights in a new head"
    )


@dataclass(kw_only=True)
class RunConfig(RunSettings):
    """Everything a run depends on.

    Attributes:
        method, protocol: `name` and all settings, defaults included.
        dataset: the same and `root`, None for the places where data sets are looked for.
        data: DataSettings, imported late because they stand beside torch.
        trainer, logger: how it is driven.
        start_hashes: contents of what it starts from when the run was set up, as `starts` names them.
        apart: dataset, protocol, fold, frames and target of a split whose test people this run must never see; {} for
            none.
    """

    method: dict[str, Any]
    dataset: dict[str, Any]
    protocol: dict[str, Any]
    data: Any
    trainer: TrainerSettings = field(default_factory=TrainerSettings)
    logger: LoggerSettings = field(default_factory=LoggerSettings)
    start_hashes: dict[str, str] = field(default_factory=dict)
    apart: dict[str, Any] = field(default_factory=dict)

    @property
    def starts(self) -> dict[str, str]:
        """The checkpoints that its weights start from: of the whole network, or stream by stream."""
        return start_paths(self.checkpoint, self.streams)

    def to_dict(self) -> dict[str, Any]:
        """Plain nested values, for hashing and for config.yaml."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RunConfig":
        """The configuration that `to_dict` wrote.

        Raises:
            UserError: for a name, type or value that this version does not know.
        """
        return _build(values)


def compose(settings: Sequence[tuple[str, str]], *, verb: str) -> RunConfig:
    """The configuration of a verb from `key=value` pairs, as typed.

    With a checkpoint, its method and what that method's network is and sees are the defaults.

    Args:
        settings: key and text; `method=NAME`, `method.KEY=…`, `trainer=FILE`, `trainer.KEY=…`, `seed=1` and so on.
        verb: "train", "crossvalidate" …, for messages and for what it does not take.

    Raises:
        UserError: for an unknown name anywhere (with near misses), a wrong type, or a value outside its limits.
    """
    words = as_tree([(f"{key}.name" if key in {*NAMED, *FILES} else key, text) for key, text in settings])
    _check_top(words, verb)
    choices = {group: words[group].pop("name") for group in FILES if "name" in words.get(group, {})}
    if words.pop("experiment", None):
        raise UserError("experiment is one value and has no parts: experiment=NAME.")
    values = compose_files(choices)
    if "experiment" in choices:
        values["experiment"] = choices["experiment"]
    start, decides = first_start({**values, **typed(RunSettings, _only(words, ("checkpoint", "streams")), where="")})
    _settle_names(values, words, verb, _card_of(start) if start else None, decides=decides)
    for group in (*NAMED, *PLAIN):
        if group in words:
            given = {key: text for key, text in words[group].items() if key not in NAMED.get(group, ())}
            kind = _settings_class(group, values)
            values[group] = _merged(values.get(group, {}), typed(kind, given, where=group))
    own = typed(RunSettings, {key: words[key] for key in words if key not in (*NAMED, *PLAIN)}, where="")
    return _with_starts(_build(_merged(values, own)))


def write_config(folder: Path, config: RunConfig) -> None:
    """Write a run's config.yaml."""
    from omegaconf import OmegaConf

    write_text(folder / CONFIG, OmegaConf.to_yaml(OmegaConf.create(config.to_dict())))


# What OmegaConf raises of a text that holds no names; "0" fails an assertion of it.
_ODD_TEXTS = (ValueError, TypeError, RecursionError, AssertionError)


def read_config(folder: Path) -> RunConfig:
    """The configuration of a run folder.

    Raises:
        UserError: if the folder holds no whole config.yaml, or one of another version.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    path = folder / CONFIG
    if not path.is_file():
        raise UserError(f"{folder} is no run folder: it holds no {CONFIG}.")
    try:
        text = path.read_text(encoding="utf-8")
        require_plain(text)
        values: Any = OmegaConf.to_container(OmegaConf.create(text))
    except (yaml.YAMLError, OmegaConfBaseException, OSError, *_ODD_TEXTS) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(f"{path} is no whole configuration ({reason}).") from error
    if not isinstance(values, dict):
        raise UserError(f"{path} is no whole configuration: names with values were expected.")
    return RunConfig.from_dict(values)


def _check_top(words: dict[str, Any], verb: str) -> None:
    """Refuses keys that no run has; brings the named groups into one form."""
    plain = [entry.name for entry in fields(RunSettings)]
    for key, value in words.items():
        if key not in (*NAMED, *PLAIN, *plain):
            raise _unknown_top(key, plain)
        if key == "data" and not isinstance(value, Mapping):
            raise UserError(
                "data is a group of settings; set its parts, e.g. data.batch_size=32. For data: dataset=NAME."
            )
    for key in {"checkpoint", "streams", "keep_labels"} & set(words):
        if verb not in ("train", "crossvalidate"):
            raise UserError(f"`fer-zoo {verb}` trains nothing of one's own and takes no {key}; use `fer-zoo train`.")
    if words.get("checkpoint") == "":
        raise UserError("checkpoint is empty; give a run folder or a checkpoint, or leave it out.")
    if verb == "crossvalidate" and "fold" in words:
        raise UserError("`fer-zoo crossvalidate` runs every fold; leave fold out, or use `fer-zoo train` for one.")
    for group in {*NAMED, *FILES} & set(words):
        for key in NAMED.get(group, ("name",)):
            if isinstance(words[group].get(key), Mapping):
                raise UserError(f"{group}.{key} is one value and has no parts.")


def _unknown_top(key: str, plain: list[str]) -> UserError:
    known = (*NAMED, *PLAIN, *plain)
    homes = [f"{group}.{key}" for group in PLAIN if key in {entry.name for entry in fields(_settings_class(group, {}))}]
    protocols = load_object("fer_zoo.data.protocols:PROTOCOLS").values()
    classes = {
        "method": [METHODS[name].settings for name in METHODS.names()],
        "dataset": [DATASETS[name].settings for name in DATASETS.names()],
        "protocol": [protocol.settings for protocol in protocols],
    }
    for group, kinds in classes.items():
        if key in {*NAMED[group], *(entry.name for cls in kinds for entry in fields(cls))} - {"name"}:
            homes.append(f"{group}.{key}")
    hint = f" Did you mean {' or '.join(homes)}?" if homes else nearest(key, known)
    return UserError(f"There is no setting {key!r}.{hint} Known: {', '.join(known)}.")


def _card_of(checkpoint: str) -> dict[str, Any]:
    from fer_zoo.engine.checkpoint import read_card

    return read_card(checkpoint)


def _only(words: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: words[name] for name in names if isinstance(words.get(name), str)}


def _with_starts(config: RunConfig) -> RunConfig:
    """The configuration with the contents of what it starts from; refuses what contradicts that."""
    if config.keep_labels and not config.checkpoint:
        raise UserError("keep_labels=true keeps entries of a checkpoint's head and needs checkpoint=PATH.")
    if not config.starts:
        return config
    for key in STARTING_WEIGHTS:
        if config.method.get(key):
            raise UserError(f"checkpoint and method.{key} both say what the weights start from; keep one of them.")
    from fer_zoo.engine.checkpoint import checkpoint_hashes

    return replace(config, start_hashes=checkpoint_hashes(config.starts))


def _settle_names(
    values: dict[str, Any], words: dict[str, Any], verb: str, start: Mapping[str, Any] | None, *, decides: bool
) -> None:
    """Decides method, data set and protocol; what a file said about another one than the user's is dropped.

    What the network of a checkpoint to start from is and sees stands below what others say, and so does its method
    where that is the one to train.
    """
    for group in ("method", "dataset"):
        _choose(values, group, words.get(group, {}).get("name"))
        if group == "method" and start is not None and decides:
            values["method"] = {"name": start["method"], **values.get("method", {})}
        if group == "method" and start is not None and "name" in values.get("method", {}):
            values["method"] = {**network_of(start, values["method"]["name"]), **values["method"]}
        if "name" not in values.get(group, {}):
            raise UserError(f"`fer-zoo {verb}` needs {group}=NAME, see `fer-zoo list {group}s`.")
    card = METHODS[values["method"]["name"]]
    if verb in ("train", "crossvalidate") and not card.trains:
        raise UserError(f"Method {card.name!r} is not trained; use it with `fer-zoo predict`.")
    if "root" in words.get("dataset", {}):
        values["dataset"]["root"] = words["dataset"]["root"]
    named = words.get("protocol", {}).get("name")
    default = DATASETS[values["dataset"]["name"]].protocol
    chosen = named or values.get("protocol", {}).get("name") or default
    _check_protocol(chosen)
    if named is not None and named != values.get("protocol", {}).get("name"):
        values["protocol"] = {}
    values["protocol"] = _merged(protocol_file(chosen), values.get("protocol", {}))


def protocol_from_words(settings: Sequence[tuple[str, str]], default: str) -> dict[str, Any]:
    """The name and the settings of a protocol from `protocol=NAME` and `protocol.KEY=…`, as typed.

    Args:
        settings: key and text.
        default: the protocol where none is named.

    Raises:
        UserError: for an unknown protocol or setting, or a value of the wrong type.
    """
    words = as_tree([(f"{key}.name" if key == "protocol" else key, text) for key, text in settings])
    given = words.get("protocol", {})
    name = given.pop("name", default)
    _check_protocol(name)
    section = protocol_file(name)
    kind = _settings_class("protocol", {"protocol": section})
    section |= settings_from_texts(kind, list(given.items()), where="protocol")
    return section


def network_of(start: Mapping[str, Any], method: str) -> dict[str, Any]:
    """What a checkpoint's card says of the network and its input, in so far as a method has such settings."""
    names = set(network_settings(METHODS[method].settings))
    if method != start["method"]:
        names.discard("target")
    return {key: value for key, value in start["settings"].items() if key in names}


def _choose(values: dict[str, Any], group: str, name: str | None) -> None:
    section = values.get(group, {})
    if isinstance(section, str):  # a file may say `method: timm_classifier`, too
        section = {"name": section}
    values[group] = section if name in (None, section.get("name")) else {"name": name}
    if not values[group]:
        del values[group]


def _check_protocol(name: str) -> None:
    from fer_zoo.data.protocols import PROTOCOLS

    known = {*options("protocol"), *PROTOCOLS}
    if name not in known:
        raise unknown_name("protocol", name, known)


def _settings_class(group: str, values: Mapping[str, Any]) -> type[Any]:
    """The dataclass of a group, for the method, data set or protocol that is chosen."""
    if group == "method":
        return METHODS[values[group]["name"]].settings
    if group == "dataset":
        return DATASETS[values[group]["name"]].settings
    if group == "protocol":
        name = values[group]["name"]
        _check_protocol(name)
        return load_object("fer_zoo.data.protocols:PROTOCOLS")[name].settings
    if group == "data":
        return load_object("fer_zoo.data.datamodule:DataSettings")
    return TrainerSettings if group == "trainer" else LoggerSettings


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both, nested; the second wins."""
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        merged[key] = _merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return merged


def _build(values: Mapping[str, Any]) -> RunConfig:
    """The checked object; what is slow to import comes last, so that a mistake elsewhere is told at once."""
    groups = (*NAMED, *PLAIN)
    values = dict(values)
    hashes, apart = values.pop("start_hashes", {}), values.pop("apart", {})
    check_facts(hashes, apart)
    _require_sections(values)
    known = [*groups, *(entry.name for entry in fields(RunSettings))]
    for key in values:
        if key not in known:
            raise _unknown_top(key, known[len(groups) :])
    own = build_settings(RunSettings, {k: v for k, v in values.items() if k not in groups}, where="")
    check_frames(own.frames)
    parts: dict[str, Any] = {group: _named(group, values) for group in NAMED}
    for group in reversed(PLAIN):
        parts[group] = build_settings(_settings_class(group, values), values.get(group, {}), where=group)
    return RunConfig(**asdict(own), **parts, start_hashes=hashes, apart=apart)


def _require_sections(values: Mapping[str, Any]) -> None:
    """Each group is a section of names, and those that are named have a name."""
    for key in values:
        if not isinstance(key, str):
            raise UserError(f"A setting has a name, found {key!r} in its place.")
    for group in (*NAMED, *PLAIN):
        section = values.get(group, {})
        if not isinstance(section, Mapping) or not all(isinstance(key, str) for key in section):
            raise UserError(f"{group} is a group of settings with names, found {section!r}.")
        if group in NAMED and not isinstance(section.get("name"), str):
            raise UserError(f"{group}.name is missing, or no name.")
    if not isinstance(values["dataset"].get("root"), str | None):
        raise UserError(f"dataset.root must be a folder, got {values['dataset']['root']!r}.")


def _named(group: str, values: Mapping[str, Any]) -> dict[str, Any]:
    section = values[group]
    rest = {key: value for key, value in section.items() if key not in NAMED[group]}
    head = {key: section.get(key) for key in NAMED[group]}
    return head | asdict(build_settings(_settings_class(group, values), rest, where=group))
