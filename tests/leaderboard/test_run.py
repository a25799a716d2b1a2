"""Jobs of a leaderboard: planned, done once, told when they fail, never lost between processes."""

import multiprocessing
import shlex
from pathlib import Path

import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_json
from fer_zoo.engine.jobs import run_job
from fer_zoo.leaderboard import jobs
from fer_zoo.leaderboard.grid import PROBE
from fer_zoo.leaderboard.records import read_records
from fer_zoo.leaderboard.run import print_jobs, run_leaderboard

from .conftest import NETWORK, Place

pytestmark = pytest.mark.usefixtures("blank_pictures")


def test_grid_is_entries_by_seeds_by_folds_and_the_probe(done: Place) -> None:
    plan = done.plan(seeds="2")
    found = [(cell.entry, cell.seed, cell.run.config.fold) for cell in plan.grid.cells]
    network = [(NETWORK, seed, fold) for seed in (0, 1) for fold in (0, 1)]
    assert found == [*network, (PROBE, 0, 0), (PROBE, 0, 1)]
    assert len({cell.run.id for cell in plan.grid.cells}) == len(found)
    assert all(cell.state == "done" for cell in plan.grid.cells)


def test_nothing_is_done_twice(done: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "train_fold", None)  # would fail if anything were trained again
    before = {path: path.stat().st_mtime_ns for path in done.records.rglob("*")}
    done.run(seeds="2")
    assert {path: path.stat().st_mtime_ns for path in done.records.rglob("*")} == before


def test_printed_jobs_make_the_same_runs(done: Place) -> None:
    plan = done.plan(seeds="2")
    lines = print_jobs(plan)
    assert len(lines) == len(plan.cells) == 6
    for line, cell in zip(lines, plan.cells, strict=True):
        words = shlex.split(line)
        assert words[:3] == ["fer-zoo", "leaderboard", "run"]
        own = dict(word.split("=", 1) for word in words[3:])
        again = done.plan(own.pop("methods"), **{k.replace(".", "__"): v for k, v in own.items() if k != "track"})
        assert [chosen.run.id for chosen in again.cells if chosen.entry == cell.entry] == [cell.run.id]
        assert again.is_narrow


def test_a_failed_job_is_a_record_with_its_reason_and_the_others_go_on(place: Place) -> None:
    broken = "timm_classifier:backbone=inception_v3:image_size=32"
    lines = place.run(f"{broken},{NETWORK}")
    assert any(line.startswith(f"failed: {broken}, seed 0, fold1") for line in lines)
    records, damaged = read_records(place.records, "patterns")
    reasons = {record.entry: record.failure for record in records}
    assert "cannot take images of 32 x 32" in reasons[broken]
    assert reasons[NETWORK] == reasons[PROBE] == "" and damaged == []


@pytest.mark.parametrize(
    ("methods", "own", "said"),
    [
        ("timm_clasifier", {}, "Did you mean 'timm_classifier'"),
        (f"{NETWORK},{NETWORK}", {}, "names an entry twice"),
        ("timm_classifier:backbone", {}, "NAME:KEY=VALUE"),
        (NETWORK, {"protocol__folds": "5"}, "protocol.folds is decided by the track"),
        (NETWORK, {"trainer__selection": "test_peek"}, "trainer.selection is decided by the track"),
        (NETWORK, {"dataset__label_space": "emotion/raf"}, "dataset.label_space is decided by the track"),
        ("timm_regressor", {}, "learns 'au'"),
        (NETWORK, {"fold": "7"}, "no job of fold=7"),
    ],
)
def test_mistakes_are_one_sentence(done: Place, methods: str, own: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        print_jobs(done.plan(methods, **own))
    assert "\n" not in str(caught.value)


def _work(place: Place) -> None:
    run_leaderboard(place.plan(PROBE, seeds="2"), echo=lambda line: None)


def test_two_processes_at_once_lose_nothing_and_repeat_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have all records at their end; every job was done by one of them."""
    count = place.folder / "count"
    original = run_job

    def counted(job: object, **others: object) -> object:
        def work(folder: Path) -> object:
            with count.open("a") as stream:
                stream.write(f"{folder}\n")
            return job.work(folder)  # type: ignore[attr-defined]  # a job

        return original(type(job)(folder=job.folder, label=job.label, work=work), **others)  # type: ignore[attr-defined, call-arg, arg-type]  # a job

    monkeypatch.setattr(jobs, "run_job", counted)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_work, args=(place,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    done = count.read_text().splitlines()
    assert len(done) == len(set(done)) == 4  # two seeds by two folds
    records, damaged = read_records(place.records, "patterns")
    assert [record.seed for record in records] == [0, 1] and damaged == []


def test_processes_of_their_own(place: Place) -> None:
    lines = place.run(PROBE, seeds="1", processes="2")
    assert sorted(line.split(": ")[1] for line in lines if line.startswith("job ")) == [
        f"{PROBE}, seed 0, fold1",
        f"{PROBE}, seed 0, fold2",
    ]
    assert all(": done after " in line for line in lines if line.startswith("job "))
    (record,), _ = read_records(place.records, "patterns")
    assert not record.failure and read_json(record.folder / "record.json")["seed"] == 0
