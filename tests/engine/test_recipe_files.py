"""Recipes as files: order of stages, whose words are whose, and what a file must not say."""

from pathlib import Path

import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.engine.config import compose
from fer_zoo.engine.config_files import options
from fer_zoo.engine.create import create_method
from fer_zoo.engine.recipe_files import overlaid, read_recipe, words_for

RECIPE = """
stages:
  fused: {streams: {image: image, blendshape: blend}, method: {name: blendshape_fernet}}
  image: {start: people, method: {name: image_fernet, dropout: 0.1}}
  blend: {start: people, method: {name: blendshape_net}, dataset: {name: synthetic_faces, num_samples: 40}}
  people:
    method: {name: fernet_identity}
    either:
      - dataset: {name: facial_expressions}
      - dataset: {name: synthetic_faces, identity: true, num_samples: 30}
    protocol: {name: identity_holdout, test_share: 0.1}
compare: [image, fused]
"""


def written(folder: Path, text: str = RECIPE) -> str:
    path = folder / "mine.yaml"
    path.write_text(text)
    return str(path)


def test_stages_stand_behind_what_they_need(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path))
    names = [stage.name for stage in recipe.stages]
    assert names[0] == "people" and names[-1] == "fused" and set(names[1:3]) == {"image", "blend"}
    assert recipe.compare == ("image", "fused")
    upto = recipe.until("image")
    assert [stage.name for stage in upto.stages] == ["people", "image"] and upto.compare == ("image",)
    assert recipe.scored == recipe.compare
    assert recipe.until("blend").scored == recipe.without(["image", "fused"]).scored == ("blend",)


def test_a_file_that_is_named_as_one_that_ships_is_still_ones_own(tmp_path: Path) -> None:
    (tmp_path / "au_fernet.yaml").write_text(RECIPE)
    (tmp_path / "au_fernet_mmi.yaml").write_text("based_on: au_fernet.yaml")
    shipped, own = read_recipe("au_fernet"), read_recipe(str(tmp_path / "au_fernet.yaml"))
    assert shipped.name == own.name and (shipped.typed, own.typed) == ("au_fernet", "au_fernet.yaml")
    assert read_recipe("au_fernet_mmi").typed == "au_fernet_mmi"
    assert read_recipe(str(tmp_path / "au_fernet_mmi.yaml")).typed == "au_fernet_mmi.yaml"


def test_words_are_of_all_stages_of_one_or_of_the_data_that_the_recipe_is_used_on(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path))
    stages = {stage.name: stage for stage in recipe.stages}
    words = {
        "dataset": "ckplus", "dataset.root": "here", "fold": "2", "seed": "1", "data.batch_size": "8",
        "image.data.batch_size": "4", "blend.dataset.num_samples": "10",
    }  # fmt: skip
    found = {name: words_for(stage, words, list(stages)) for name, stage in stages.items()}
    common = {"seed": "1", "data.batch_size": "8"}
    outer = {"dataset": "ckplus", "dataset.root": "here", "fold": "2"}
    assert found["fused"] == {**common, **outer}
    assert found["image"] == {**common, **outer, "data.batch_size": "4"}
    assert found["blend"] == {**common, "dataset.num_samples": "10"}
    assert found["people"] == common
    assert stages["image"].words == {"method": "image_fernet", "method.dropout": "0.1"}
    assert stages["people"].either[1]["dataset.identity"] == "true"


def test_settings_of_another_data_set_go_with_it() -> None:
    below = {"dataset": "synthetic_faces", "dataset.num_samples": "40", "method": "au_net", "method.dropout": "0"}
    assert overlaid(below, {"dataset": "disfa", "seed": "1"}) == {
        "dataset": "disfa", "method": "au_net", "method.dropout": "0", "seed": "1",
    }  # fmt: skip
    assert overlaid(below, {"dataset": "synthetic_faces"}) == below


def test_a_stage_that_differs_by_its_seed_goes_on_to_do_so(tmp_path: Path) -> None:
    recipe = read_recipe(
        written(tmp_path, RECIPE.replace("  image: {start: people,", "  image: {seed: 100, start: people,"))
    )
    stages = {stage.name: stage for stage in recipe.stages}
    assert words_for(stages["image"], {"seed": "2"}, list(stages)) == {"seed": "102"}
    assert words_for(stages["fused"], {"seed": "2"}, list(stages)) == {"seed": "2"}


def test_a_variant_has_words_of_its_own_which_a_user_overrules(tmp_path: Path) -> None:
    first = written(tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(f"based_on: {first}\nwords: {{dataset: {{name: ckplus}}, method: {{width_mult: 0.5}}, fold: 3}}\n")
    recipe = read_recipe(str(other))
    assert recipe.name == "other" and recipe.stages == read_recipe(first).stages
    assert recipe.words == {"dataset": "ckplus", "method.width_mult": "0.5", "fold": "3"}
    assert overlaid(recipe.words, {"fold": "1"})["fold"] == "1"
    other.write_text(f"based_on: {first}\ncompare: [image]\n")
    with pytest.raises(UserError, match="says 'compare'; beside based_on a recipe has words"):
        read_recipe(str(other))


def test_without_a_stage_others_start_from_random_weights(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path)).without(["people"])
    assert [stage.needs for stage in recipe.stages] == [(), (), ("image", "blend")]
    left = read_recipe(written(tmp_path)).without(["blend"])
    assert left.stages[-1].streams == {"image": "image"}
    with pytest.raises(UserError, match=r"No stage is named 'imag'\. Did you mean 'image'"):
        recipe.without(["imag"])
    with pytest.raises(UserError, match="nothing is left of the recipe mine"):
        recipe.without([stage.name for stage in recipe.stages])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "start: people, method: {name: blend",
            "start: peopel, method: {name: blend",
            "'peopel', which is no stage. Did",
        ),
        ("compare: [image, fused]", "compare: [image, last]", "compare names 'last', which is no stage"),
        ("compare: [image, fused]", "compare: image", "compare is a list of stages"),
        ("compare: [image, fused]", "extra: 1", "says 'extra'; a recipe has stages and compare"),
        (
            "method: {name: fernet_identity}",
            "start: fused\n    method: {name: fernet_identity}",
            "has no first stage: ",
        ),
        ("{streams: {image: image", "{start: image, streams: {image: image", "says start and streams"),
        ("method: {name: fernet_identity}", "seed: 1", "stage people of the recipe .* does not say its method"),
        ("  image: {start: people,", "  seed: {start: people,", "a stage named 'seed', which is a setting"),
        ("  image: {start: people,", "  image: {iterations: many, start: people,", "iterations='many'"),
    ],
)
def test_a_file_that_is_no_recipe_is_told(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in RECIPE
    with pytest.raises(UserError, match=message):
        read_recipe(written(tmp_path, RECIPE.replace(old, new)))


def test_an_unknown_recipe_or_stage_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Did you mean 'blendshape_fernet"):
        read_recipe("blendshape_fernett")
    with pytest.raises(UserError, match=r"No stage is named 'imag'\. Did you mean 'image'"):
        read_recipe(written(tmp_path)).until("imag")
    with pytest.raises(UserError, match="is no recipe file"):
        read_recipe(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize("name", options("recipe"))
def test_every_recipe_that_ships_composes_and_its_weights_fit_one_another(name: str) -> None:
    """All stages on their own settings, and the shapes of what is handed on."""
    recipe = read_recipe(name)
    methods, shapes = dict[str, str](), dict[str, set[tuple[int, ...]]]()
    for stage in recipe.stages:
        said = words_for(stage, {"dataset": "synthetic_emotion_v1", **recipe.words}, [s.name for s in recipe.stages])
        configs = [
            compose(list(overlaid(overlaid(stage.words, choice), said).items()), verb="train")
            for choice in stage.either or ({},)
        ]
        settings = {key: value for key, value in configs[0].method.items() if key != "name"}
        methods[stage.name] = configs[0].method["name"]
        task = create_method(methods[stage.name], **settings)
        assert set(stage.streams) == set(task.streams()), "a stream would start from random weights"
        tensors = task.network.state_dict().items()
        shapes[stage.name] = {tuple(tensor.shape) for key, tensor in tensors if "conv" in key or "fc1" in key}
        for stream, other in stage.streams.items():
            assert methods[other] in task.streams()[stream].methods
        assert all(shapes[other] == shapes[stage.name] for other in stage.needs)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("blendshape_fernet", "au_fernet"),
        ("blendshape_fernet_quick", "au_fernet_quick"),
        ("blendshape_fernet_quick", "twin_fernet_quick"),
    ],
)
def test_stages_that_recipes_share_are_the_same(one: str, other: str) -> None:
    """Or they would be trained twice, and comparisons across recipes would not be of the second stream alone."""
    stages = [{stage.name: stage for stage in read_recipe(name).stages} for name in (one, other)]
    assert all(stages[0][name] == stages[1][name] for name in ("identity", "image"))
