"""Every command and every line of Python in README, CONTRIBUTING and the pages is run, in a folder as a user has it.

Commands run in this process, small: `SHRUNK` says what is changed. `RUN` stands for the run folder that the same page
made before. What is not run here stands in `PROVED_ELSEWHERE`; any other line fails. Commands that start processes of
their own (torchrun, sbatch) are run by test_docs_processes.py.
"""

import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fakes import pages, small_weights, user_folder

from fer_zoo.cli.arguments import parse
from fer_zoo.cli.main import main
from fer_zoo.core.registry import DATASETS, METHODS
from fer_zoo.engine.config_files import compose_files, options
from fer_zoo.engine.named_weights import shipped_weights

PAGES = [page for page in pages.page_names() if any(block.kind for block in pages.blocks(page))]
# What `train`, `crossvalidate` and `demo` are given instead of what a page says, or besides; and the card's `smallest`.
SHRUNK = {"trainer": "cpu", "trainer.max_epochs": "1", "data.batch_size": "8", "data.workers": "0"}
FOLDS = {"protocol.folds": "2"}  # of crossvalidate
DRAWN = {"num_samples": "64", "size": "32", "processes": "1"}  # of drawn faces; eight people
# Command -> where it is proved; it sets up an environment, or needs what only another test has.
PROVED_ELSEWHERE = {
    "make demo": "the target runs `fer-zoo demo`, which is run here",
    "make test": "the target that runs this test",
    "python3 -m venv .venv": "the Makefile's `install`, which every other target needs",
    ". .venv/bin/activate": "a script of Python's venv",
    "pip install -c constraints.txt -e .": "the Makefile's `install`",
    ".venv/bin/python -m pytest -k tiny_fernet": "test_contributing.py",
    "fer-zoo info tiny_fernet": "test_contributing.py",
    "fer-zoo train experiment=tiny_fernet_facial_expressions": "test_contributing.py",
    ".venv/bin/python -m pytest -k tiny_faces tests/data": "test_contributing.py",
}
LEADERBOARD = "tests/leaderboard, on a track of pictures that a network learns in seconds"
PROVED_ELSEWHERE |= {
    "fer-zoo leaderboard run track=facial_expressions methods=timm_classifier:backbone=resnet10t:image_size=48,"
    "timm_classifier:backbone=lcnet_050 seeds=3": LEADERBOARD,
    "fer-zoo leaderboard run track=facial_expressions methods=timm_classifier seeds=3": LEADERBOARD,
    "fer-zoo leaderboard show track=facial_expressions": LEADERBOARD,
}
TEST_GRIDS = "tests/engine/test_test_grids.py, on the first faces of each grid"
PROVED_ELSEWHERE |= {
    f"fer-zoo evaluate {checkpoint} track=synthetic_{grid}": TEST_GRIDS
    for checkpoint in ("runs/timm_classifier_synthetic_emotion_v1/RUN", "emotion_fernet_small")
    for grid in ("pose_light", "intensity", "width", "occluders")
}
PROVED_ELSEWHERE |= {
    "fer-zoo train method=timm_classifier method.target=identity dataset=facial_expressions dataset.identity_images=10"
    " protocol=identity_holdout": "tests/engine/test_identity.py, on people with enough images",
}
FILES_OF_ICT = "tests/faces/test_ict.py and tests/cli, where the files of the model are at hand"
PROVED_ELSEWHERE |= {
    "fer-zoo download facial_expressions": "tests/cli/test_download.py, from a server of its own",
    "fer-zoo download ict_facekit": "tests/cli/test_download.py, from a server of its own",
    "fer-zoo render face_model=ict emotion=happiness seed=3": FILES_OF_ICT,
    "fer-zoo render face_model=ict sheet=emotions output=docs/figures/ict_emotions.jpg": FILES_OF_ICT,
    "fer-zoo render face_model=ict sheet=identities output=docs/figures/ict_identities.jpg": FILES_OF_ICT,
    "fer-zoo synthesize face_model=ict num_samples=64 size=80 output=docs/figures/synthetic_ict.jpg": FILES_OF_ICT,
    "fer-zoo train experiment=landmark_heatmaps_synthetic_faces": FILES_OF_ICT,
    "fer-zoo evaluate landmarks_small dataset=synthetic_faces dataset.seed=91 dataset.num_samples=1000"
    " dataset.samples_per_person=5 dataset.expression=emotions dataset.grid.yaw=0,15,30,45,60": FILES_OF_ICT,
    "fer-zoo evaluate blendshapes_small dataset=synthetic_faces dataset.face_model=ict dataset.expression=sliders"
    " dataset.seed=91 dataset.num_samples=1000 output=blendshapes_of_ict": FILES_OF_ICT,
    "python -c from PIL import Image; Image.open('blendshapes_of_ict/best_and_worst.png').convert('RGB')"
    ".save('docs/figures/blendshapes_best_and_worst.jpg', quality=80)": FILES_OF_ICT,
    "fer-zoo train recipe=blendshape_fernet_small": FILES_OF_ICT,
    "python benchmarks/blendshape_fernet.py synthetic_emotion 100": "results/blendshape_fernet, which it wrote",
    "python benchmarks/domain_gap.py": "results/domain_gap.csv, which it wrote in an hour of training",
    "fer-zoo render face_model=ict sheet=actions output=docs/figures/ict_actions.jpg": FILES_OF_ICT,
}
PROVED_ELSEWHERE |= {
    f"fer-zoo evaluate {which} dataset.seed=91 dataset.num_samples=800 dataset.clips.frames=8"
    " dataset.samples_per_person=2": f"tests/evaluation/test_frame_steps.py; {FILES_OF_ICT}"
    for which in (
        "landmarks_small dataset=synthetic_faces",
        "blendshapes_small dataset=synthetic_faces dataset.face_model=ict dataset.expression=sliders",
        "emotion_fernet_small dataset=synthetic_faces",
    )
}
RECIPES = "tests/engine/test_recipes.py and test_recipe_files.py, on a few drawn faces"
PROVED_ELSEWHERE |= {
    f"fer-zoo {command}": RECIPES
    for command in (
        "train recipe=blendshape_fernet_quick dataset=synthetic_emotion_v1",
        "train recipe=blendshape_fernet_quick dataset=facial_expressions image.data.sampling=class_balanced"
        " fused.data.sampling=class_balanced",
        "crossvalidate recipe=blendshape_fernet_quick dataset=synthetic_emotion_v1 protocol.folds=3",
        "crossvalidate recipe=blendshape_fernet_ckplus",
        "train recipe=blendshape_fernet_quick dataset=synthetic_faces dataset.clips.frames=6 dataset.clips.falls=0"
        " dataset.num_samples=8000 dataset.seed=11 frames=last_3 protocol=stratified_subject_kfold protocol.folds=3",
    )
}
A_STAGE = "runs/recipe_blendshape_fernet_small/RUN stage=fused name=NAME summary=seven emotions"
MADE_IN_TESTS = "tests/weights, with small networks in a folder of their own"
POINTS = "runs/landmark_heatmaps_synthetic_faces/RUN name=NAME summary=68 points, learned from drawn faces default=true"
PROVED_ELSEWHERE |= {
    f"python -m fer_zoo.weights.pack {POINTS}": MADE_IN_TESTS,
    f"python -m fer_zoo.weights.pack {A_STAGE}": MADE_IN_TESTS,
    "python -m fer_zoo.weights.score NAME": MADE_IN_TESTS,
    "python -m fer_zoo.weights.score NAME track=facial_expressions": MADE_IN_TESTS,
}
PAINTED = "README.md"  # the page whose pictures are painted, small; those of the others come from the same commands
STARTS_PROCESSES = ("torchrun", "sbatch")  # run by test_docs_processes.py
RUN = re.compile(r"runs/(\w+)/(?:RUN|0123456789ab)")
IS_A_FILE = re.compile(r"# (fer_zoo|tests)/\S+\n")  # of the steps in CONTRIBUTING, followed by test_contributing.py


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return user_folder.write(tmp_path_factory.mktemp("docs") / "home")


@pytest.fixture
def folder(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A folder of a page's own whose files are those of `home`; runs are shared, so that none is repeated."""
    (home / "runs").mkdir(exist_ok=True)
    for entry in home.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FER_ZOO_DATA", raising=False)
    if not shipped_weights():  # random ones in their place
        monkeypatch.setattr("fer_zoo.engine.named_weights.FOLDER", tmp_path.with_suffix(".weights"))
        for target in ("emotion", "landmarks"):
            task = small_weights.network(target)
            small_weights.ship(f"small_{target}", task, tmp_path.with_suffix(".runs"), default=True)
    monkeypatch.setattr("fer_zoo.evaluation.pictures.DPI", 30)
    if PAINTED not in request.node.name:
        request.getfixturevalue("blank_pictures")
    return tmp_path


class Reader:
    """Somebody who types what a page says."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys, self.runs = capsys, dict[str, str]()

    def type(self, words: list[str]) -> None:
        """Runs a command of fer-zoo and remembers the run that it made."""
        argv = self.with_runs(_shrunk(words)[1:])
        code = main(argv)
        shown = self.capsys.readouterr()
        # the miniature of a public data set is no complete copy, which check-data says by 1
        incomplete = argv[0] == "check-data" and argv[1] in DATASETS.names() and not DATASETS[argv[1]].own_data
        assert code == 0 or (code == 1 and incomplete), f"{shlex.join(argv)}\n{shown.out}\n{shown.err}"
        for path in re.findall(r"(?:run folder: |checkpoint=)(runs/\S+)", shown.out):
            self.runs[Path(path).parent.name] = path
            _give_temperature(Path(path) / "model" / "card.json")

    def with_runs(self, words: list[str]) -> list[str]:
        """The words with the folders of runs in them; one that the page has not made is made first."""
        for experiment in [name for word in words for name in RUN.findall(word)]:
            if experiment not in self.runs:
                self.type(["fer-zoo", *_maker(experiment)])
        return [RUN.sub(lambda found: self.runs[found[1]], word) for word in words]


@pytest.mark.parametrize("page", PAGES)
def test_each_block_does_what_it_says(page: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reader, names = Reader(capsys), dict[str, object]()
    for block in pages.blocks(page):
        if block.kind == "python" and not IS_A_FILE.match(block.text):
            exec(reader.with_runs([block.text])[0], names)  # the pages are ours
        elif block.kind == "bash" and not block.is_script:
            for words in block.commands():
                if words[0] == "fer-zoo" and shlex.join(words) not in PROVED_ELSEWHERE:
                    reader.type(words)
                else:
                    known = words[0] in STARTS_PROCESSES or " ".join(words) in PROVED_ELSEWHERE
                    assert known, f"{page}: nothing proves `{shlex.join(words)}`"


def test_no_block_is_of_an_unknown_kind() -> None:
    kinds = {block.kind for page in pages.page_names() for block in pages.blocks(page)}
    assert kinds <= {"", "bash", "python", "yaml"}
    for page in pages.page_names():
        for block in pages.blocks(page):
            starts = [line.split()[0] for line in block.text.splitlines() if line.strip()]
            assert block.kind or not {"fer-zoo", "make", "pip", "torchrun"} & set(starts), f"{page}: {block.text}"


def test_what_is_proved_elsewhere_is_still_shown() -> None:
    shown = {" ".join(words) for _, words in _commands()}
    assert set(PROVED_ELSEWHERE) <= shown


def test_the_pages_show_every_verb() -> None:
    verbs = {parse(words[1:]).verb for _, words in _commands() if words[0] == "fer-zoo"}
    assert verbs >= {"list", "info", "check-data", "train", "crossvalidate", "evaluate", "predict", "demo"}


def _commands() -> Iterator[tuple[str, list[str]]]:
    for page in pages.page_names():
        for block in pages.blocks(page):
            if block.kind == "bash" and not block.is_script:
                for words in block.commands():
                    yield page, words


def _shrunk(words: list[str]) -> list[str]:
    """The command with a small network, one short epoch and the processor."""
    settings = dict(word.split("=", 1) for word in words if "=" in word and not word.startswith("-"))
    verb = words[1]
    if verb == "check-data" and "--pictures" in words:
        return [*(word for word in words if not word.startswith("samples=")), "samples=1"]
    if verb == "synthesize":
        few = {key: value for key, value in DRAWN.items() if key != "size" or "dataset" not in settings}  # frozen sets
        return [*words[:2], *(f"{key}={value}" for key, value in {**settings, **few}.items())]
    if "--help" in words or "resume" in settings or verb not in ("train", "crossvalidate", "demo", "evaluate"):
        return words
    changed: Mapping[str, str] = SHRUNK
    if verb == "evaluate":
        changed = {key: value for key, value in SHRUNK.items() if key.startswith("data.")}
    elif verb != "demo" and "checkpoint" not in settings:  # which bring small networks with them
        experiment = settings.get("experiment", "")
        method = settings.get("method") or compose_files({"experiment": experiment})["method"]["name"]
        smallest = {f"method.{key}": str(value) for key, value in METHODS[method].smallest.items()}
        changed = {**SHRUNK, **smallest}
    if "dataset.num_samples" in settings:
        changed = {**changed, "dataset.num_samples": DRAWN["num_samples"]}
    if "logger" in settings:  # which is no part of a run's id: a run of its own, or nothing would be trained
        changed = {**changed, "seed": str(len(settings["logger"]))}
    if verb == "crossvalidate" and "protocol" not in settings:
        changed = {**changed, **FOLDS}
    kept = [word for word in words if word.partition("=")[0] not in changed]
    return [*kept, *(f"{key}={value}" for key, value in changed.items())]


def _give_temperature(path: Path) -> None:
    """A checkpoint of so few images has none, which `calibrated=true` refuses."""
    card = json.loads(path.read_text(encoding="utf-8"))
    if "emotion" in card["label_spaces"] and not card.get("temperature"):
        path.write_text(json.dumps({**card, "temperature": {"emotion": 1.2}}), encoding="utf-8")


def _maker(experiment: str) -> list[str]:
    """The command that makes a run of that name."""
    if experiment == "demo":
        return ["demo"]
    if experiment in options("experiment"):
        return ["train", f"experiment={experiment}"]
    names = [(m, d) for m in METHODS.names() for d in DATASETS.names() if experiment == f"{m}_{d}"]
    assert names, f"no command makes runs/{experiment}"
    (method, dataset), *_ = names
    words = DATASETS[dataset].examples.get(METHODS[method].targets[0], "").split()
    return ["train", f"method={method}", f"dataset={dataset}", *words]


def test_the_folder_of_a_page_is_left_as_it_was(home: Path) -> None:
    """Commands write into the page's own folder and into runs, never beside the user's photographs."""
    before = user_folder.write(home.parent / "again")
    names = {path.relative_to(before) for path in before.rglob("*")}
    left = {path.relative_to(home) for path in home.rglob("*")}
    assert {path for path in left - names if path.parts[0] != "runs"} == set()
    shutil.rmtree(before)
