"""Recipes as files: `configs/recipe/NAME.yaml`, or a file of one's own; stages, and what each starts from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from fer_zoo.core.errors import UserError, nearest, unknown_name
from fer_zoo.engine.config import NAMED, PLAIN, RunSettings
from fer_zoo.engine.config_files import configs_folder, options, read_yaml
from fer_zoo.engine.setting_texts import as_texts

Words = dict[str, str]  # key -> text, as typed
_OWN = ("start", "streams", "either", "iterations")  # what a stage says beside settings of its run
_SETTINGS = (*NAMED, *PLAIN, *(entry.name for entry in fields(RunSettings)), "recipe", "stage", "without")
DATA = ("dataset", "protocol", "fold", "frames")  # what decides who is trained on and who is tested


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One training of a recipe.

    Attributes:
        name: how others refer to it.
        start: the stage whose weights the whole network starts from, "" for none.
        streams: stream of its network -> the stage whose weights it starts from.
        words: settings of its run.
        iterations: optimiser steps; as many whole epochs are trained as have at least so many. 0: trainer.max_epochs.
        either: further settings, of which the first whose data are on this machine are taken; () for none.
    """

    name: str
    start: str
    streams: Mapping[str, str]
    words: Words
    iterations: int
    either: tuple[Words, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """The stages that come before it."""
        return tuple(dict.fromkeys([*([self.start] if self.start else []), *self.streams.values()]))

    @property
    def has_own_data(self) -> bool:
        """Whether it says which data it learns from; else from those that the recipe is used on."""
        return bool(self.either) or "dataset" in self.words


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Stages in an order in which they can be trained.

    Attributes:
        name: of the file.
        typed: what `recipe=` is to say: the name of one that ships, or that of a file of one's own.
        stages: each after all that it needs.
        compare: stages that are scored on the test part, the first against each of the others.
        names: of all stages that the file has, also of those that are left out.
        words: settings of the data that the recipe is used on, or of stages, as a user would type them.
        tested: the stage whose test people no stage may see: the last one that has no data of its own, if there is any.
    """

    name: str
    typed: str
    stages: tuple[Stage, ...]
    compare: tuple[str, ...]
    names: tuple[str, ...]
    words: Words
    tested: Stage | None

    @property
    def scored(self) -> tuple[str, ...]:
        """The stages that are compared, or the last one where none is."""
        return self.compare or (self.stages[-1].name,)

    def until(self, name: str) -> "Recipe":
        """The recipe that ends with a stage: it, and all that it needs.

        Raises:
            UserError: for an unknown stage.
        """
        by_name = {stage.name: stage for stage in self.stages}
        if name not in by_name:
            raise unknown_name("stage", name, tuple(by_name))
        wanted, waiting = set[str](), [name]
        while waiting:
            stage = waiting.pop()
            wanted.add(stage)
            waiting += by_name[stage].needs
        stages = tuple(stage for stage in self.stages if stage.name in wanted)
        return replace(self, stages=stages, compare=tuple(s for s in self.compare if s in wanted))

    def without(self, names: Sequence[str]) -> "Recipe":
        """The recipe without some stages: what would have started from them starts from random weights.

        Raises:
            UserError: for an unknown stage, or if nothing is left.
        """
        known = tuple(stage.name for stage in self.stages)
        for name in names:
            if name not in known:
                raise unknown_name("stage", name, known)
        left = tuple(
            replace(
                stage,
                start="" if stage.start in names else stage.start,
                streams={stream: other for stream, other in stage.streams.items() if other not in names},
            )
            for stage in self.stages
            if stage.name not in names
        )
        if not left:
            raise UserError(f"Without {', '.join(names)} nothing is left of the recipe {self.name}.")
        return replace(self, stages=left, compare=tuple(name for name in self.compare if name not in names))


def read_recipe(name: str, *, above: tuple[Path, ...] = ()) -> Recipe:
    """A recipe by its name, or from a file of one's own.

    Args:
        name: or path; what a file is based on is looked for beside it.
        above: files that are based on this one.

    Raises:
        UserError: for an unknown name (with near misses), or a file that is none: stages without a method, that start
            from unknown stages or from each other in a circle, or that are named like a setting.
    """
    path = Path(name).expanduser()
    if path.suffix not in (".yaml", ".yml"):
        if name not in options("recipe"):
            raise unknown_name("recipe", name, options("recipe"), see="`fer-zoo list recipes`")
        path = configs_folder() / "recipe" / f"{name}.yaml"
    elif above:
        path = above[-1].parent / path
    if path.resolve() in above:
        raise UserError(f"The recipe {path} is based on itself.")
    values = read_yaml(path, what="recipe")
    if "based_on" in values:
        return _variant(path, values, above=(*above, path.resolve()))
    if strays := set(values) - {"stages", "compare"}:
        raise UserError(f"The recipe {path} says {sorted(strays)[0]!r}; a recipe has stages and compare, or based_on.")
    sections = values.get("stages")
    if not isinstance(sections, Mapping) or not sections:
        raise UserError(f"The recipe {path} has no stages.")
    stages = {str(key): _stage(str(key), section, path) for key, section in sections.items()}
    compare = _texts(values.get("compare", []), "compare", path)
    for who, named in [*((s.name, s.needs) for s in stages.values()), ("compare", compare)]:
        for other in named:
            if other not in stages:
                raise UserError(f"The recipe {path}: {who} names {other!r}, which is no stage.{nearest(other, stages)}")
    try:
        names = TopologicalSorter({stage.name: stage.needs for stage in stages.values()}).static_order()
        order = tuple(stages[name] for name in names)
    except CycleError as error:
        circle = " from ".join(error.args[1][::-1])
        raise UserError(f"The recipe {path} has no first stage: {circle} again.") from error
    tested = [stage for stage in order if not stage.has_own_data]
    return Recipe(
        name=path.stem,
        typed=_typed(path),
        stages=order,
        compare=compare,
        names=tuple(stages),
        words={},
        tested=tested[-1] if tested else None,
    )


def _variant(path: Path, values: Mapping[str, Any], *, above: tuple[Path, ...]) -> Recipe:
    """Another recipe with settings of its own: the data that it is used on, and what differs there."""
    if strays := set(values) - {"based_on", "words"}:
        raise UserError(f"The recipe {path} says {sorted(strays)[0]!r}; beside based_on a recipe has words.")
    words = values.get("words", {})
    if not isinstance(words, Mapping) or not isinstance(values["based_on"], str):
        raise UserError(f"The recipe {path} has based_on and words as a name and as a group of settings.")
    other = read_recipe(values["based_on"], above=above)
    return replace(other, name=path.stem, typed=_typed(path), words=overlaid(other.words, _words(words)))


def _typed(path: Path) -> str:
    return path.stem if path.parent == configs_folder() / "recipe" else path.name


def overlaid(below: Words, above: Words) -> Words:
    """Both, the second wins; where it names another method, data set or protocol, settings of the first one's go."""
    renamed = [group for group in NAMED if group in above and above[group] != below.get(group)]
    kept = {key: text for key, text in below.items() if not any(key.startswith(f"{group}.") for group in renamed)}
    return {**kept, **above}


def words_for(stage: Stage, words: Words, stages: Sequence[str]) -> Words:
    """What words mean for a stage: `STAGE.KEY=…` is for one, data are for all that say none of their own.

    A seed of all is added to that of a stage, which has one in order to differ from another stage.

    Args:
        stage: of the recipe.
        words: as typed.
        stages: names of all.

    Raises:
        UserError: for a word that is nearly one for another stage.
    """
    common, own = Words(), Words()
    for key, text in words.items():
        first, dot, rest = key.partition(".")
        if dot and first not in (*stages, *_SETTINGS) and (hint := nearest(first, stages)):
            raise UserError(f"There is no stage {first!r}.{hint} Stages: {', '.join(stages)}.")
        if first == stage.name:
            own[rest] = text
        elif first not in stages and not (stage.has_own_data and first in DATA):
            common[key] = text
    if "seed" in common and "seed" in stage.words:
        seeds = (common["seed"], stage.words["seed"])
        if all(seed.isdecimal() for seed in seeds):
            common["seed"] = str(sum(map(int, seeds)))
    return overlaid(common, own)


def _stage(name: str, section: Any, path: Path) -> Stage:
    where = f"stage {name} of the recipe {path}"
    if name in _SETTINGS or not name.isidentifier():
        raise UserError(f"The recipe {path} has a stage named {name!r}, which is a setting, or no name.")
    if not isinstance(section, Mapping) or "method" not in section:
        raise UserError(f"The {where} does not say its method.")
    streams, either = section.get("streams", {}), section.get("either", [])
    if isinstance(either, list) and not all(isinstance(choice, Mapping) and "dataset" in choice for choice in either):
        raise UserError(f"The {where} has a choice of either that does not say its dataset.")
    if not isinstance(streams, Mapping) or not isinstance(either, list):
        raise UserError(f"The {where} has streams and either as a group and as a list.")
    if streams and section.get("start"):
        raise UserError(f"The {where} says start and streams; its weights start from one of them.")
    iterations = section.get("iterations", 0)
    if type(iterations) is not int or iterations < 0:
        raise UserError(f"The {where} has iterations={iterations!r}; it is a number of optimiser steps.")
    return Stage(
        name=name,
        iterations=iterations,
        start=str(section.get("start", "")),
        streams={str(key): str(value) for key, value in streams.items()},
        words=_words({key: value for key, value in section.items() if key not in _OWN}),
        either=tuple(_words(choice) for choice in either),
    )


def _words(section: Mapping[str, Any], prefix: str = "") -> Words:
    """Nested settings as they would be typed; `name` of a group is the group's own value."""
    words = Words()
    for key, value in section.items():
        place = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            words |= _words(value, place)
        else:
            words[place.removesuffix(".name") if prefix in NAMED else place] = dict(as_texts({"": value}))[""]
    return words


def _texts(value: Any, what: str, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise UserError(f"The recipe {path}: {what} is a list of stages.")
    return tuple(value)
