"""A recipe's hand-overs with fresh weights: what does not fit is told before the first stage is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from fer_zoo.core.errors import UserError
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.engine.config import network_of
from fer_zoo.engine.recipe_files import Recipe, Stage, Words
from fer_zoo.engine.run import Run
from fer_zoo.engine.streams import take_stream
from fer_zoo.engine.transfer import take_weights
from fer_zoo.tasks.face_task import FaceTask


def rehearsed(stage: Stage, run: Run, said: Words, earlier: Mapping[str, FaceTask]) -> FaceTask:
    """The network of a stage, which has taken fresh weights from those of earlier ones as it will take trained ones.

    Args:
        stage: of a recipe.
        run: before it is known what its weights start from.
        said: its settings as typed; what they leave open of the network is that of the first stage it starts from.
        earlier: stages before it, with their networks.

    Raises:
        UserError: for a stream that there is not, a method that does not belong there, another name or shape of a
            tensor, or labels that the data lack.
    """
    method = dict(run.config.method)
    if stage.needs:
        source = earlier[stage.needs[0]]
        network = network_of({"method": source.method_name, "settings": asdict(source.settings)}, method["name"])
        method |= {key: value for key, value in network.items() if f"method.{key}" not in said}
    task = replace(run, config=replace(run.config, method=method)).new_task()
    if stage.start:
        take_weights(task, earlier[stage.start], keep_labels=run.config.keep_labels)
    for stream, other in stage.streams.items():
        take_stream(task, stream, earlier[other])
    return task


def compared_spaces(recipe: Recipe, runs: Mapping[str, Run]) -> dict[str, LabelSpace]:
    """What each compared stage predicts.

    Raises:
        UserError: if they tell other classes apart.
    """
    spaces = {stage: runs[stage].index.space(runs[stage].target) for stage in recipe.scored}
    first: Sequence[str] = next(iter(spaces.values())).entries
    for other, space in spaces.items():
        if space.entries != first:
            raise UserError(
                f"The stages {next(iter(spaces))} and {other} of the recipe {recipe.name} are compared, but predict"
                f" {', '.join(first)}, and {', '.join(space.entries)}; give both the same data."
            )
    return spaces
