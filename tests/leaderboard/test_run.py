"""Jobs of a leaderboard: planned, done once, told when they fail, never lost between processes."""

import multiprocessing
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import read_json
from fer_zoo.engine.jobs import run_job
from fer_zoo.engine.run import Run
from fer_zoo.leaderboard import jobs
from fer_zoo.leaderboard.grid import PROBE
from fer_zoo.leaderboard.records import read_records
from fer_zoo.leaderboard.run import print_jobs, run_leaderboard
from fer_zoo.leaderboard.standings import standings_of

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
        assert [chosen.run.id for chosen in again.cells] == [cell.run.id]
        assert again.is_narrow


def test_a_failed_job_is_a_record_with_its_reason_and_the_others_go_on(place: Place) -> None:
    broken = "timm_classifier:backbone=inception_v3:image_size=32"
    lines = place.run(f"{broken},{NETWORK}")
    assert any(line.startswith(f"failed: {broken}, seed 0, fold1") for line in lines)
    records, damaged = read_records(place.records, "patterns")
    reasons = {record.entry: record.failure for record in records}
    assert "cannot take images of 32 x 32" in reasons[broken]
    assert reasons[NETWORK] == reasons[PROBE] == "" and damaged == []


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_crash_is_a_row_and_is_tried_once(
    place: Place, monkeypatch: pytest.MonkeyPatch, processes: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What no method foresees, as a full GPU, stops one job only; the parent does not do it again."""
    tries = place.folder / "tries"

    def crash(run: Run, *, echo: object) -> None:
        with tries.open("a") as stream:
            stream.write(f"{run.id}\n")
        raise RuntimeError("CUDA out of memory")

    def in_this_process(command: Sequence[str], **others: object) -> subprocess.CompletedProcess[str]:
        own = dict(word.split("=", 1) for word in command[5:])
        again = place.plan(own.pop("methods"), **{k.replace(".", "__"): v for k, v in own.items() if k != "track"})
        run_leaderboard(again, echo=lambda line: None)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(jobs, "train_fold", crash)
    monkeypatch.setattr(jobs.subprocess, "run", in_this_process)
    place.run(processes=processes)
    assert len(tries.read_text().splitlines()) == 4  # the folds of the network and of the probe
    records, _ = read_records(place.records, "patterns")
    assert {record.failure for record in records} == {"fold1: RuntimeError: CUDA out of memory"}
    with pytest.raises(UserError, match=r"has a score; .*CUDA out of memory"):
        standings_of(place.records, str(place.track))


def test_a_checkpoint_that_has_seen_test_people_starts_no_board(done: Place, tmp_path: Path) -> None:
    (cell, *_) = done.plan(seeds="2").cells
    track = yaml.safe_load(done.track.read_text())
    track["protocol"]["folds"] = 4
    (tmp_path / "four.yaml").write_text(yaml.safe_dump(track))
    with pytest.raises(UserError, match="test subjects were in the training of this checkpoint"):
        Place(done.folder, tmp_path / "four.yaml").plan(checkpoint=str(cell.run.folder))


def test_values_of_an_entry_may_hold_colons(done: Place) -> None:
    cell = done.plan("timm_classifier:backbone=hf_hub:timm/none:image_size=32").cells[0]
    assert (cell.run.config.method["backbone"], cell.run.config.method["image_size"]) == ("hf_hub:timm/none", 32)


def test_a_track_without_a_number_to_rank_by_is_refused(done: Place, tmp_path: Path) -> None:
    track = yaml.safe_load(done.track.read_text())
    (tmp_path / "matrix.yaml").write_text(yaml.safe_dump({**track, "metrics": ["confusion_matrix"]}))
    with pytest.raises(UserError, match="ranks by no number"):
        Place(done.folder, tmp_path / "matrix.yaml").plan()


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
