"""Long videos: flat memory, as many rows as frames times faces, the container's frame numbers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
from fakes.videos import faces_on_ground, write

from fer_zoo.engine.checkpoint import save_method
from fer_zoo.engine.create import create_method
from fer_zoo.engine.predict_files import predict_files
from fer_zoo.engine.predict_settings import PredictSettings

RATE = 25
PLACES = ((10, 20), (90, 30))
# What predict does, in a process of its own, and how much memory that took at most.
CODE = """
import json, resource, sys, time
from pathlib import Path
from fer_zoo.engine.predict_files import predict_files
from fer_zoo.engine.predict_settings import PredictSettings
checkpoint, clip, output = sys.argv[1:]
settings = PredictSettings(checkpoint=checkpoint, output=output, track=True, device="cpu")
start = time.perf_counter()
predict_files([Path(clip)], settings, pictures=True, echo=lambda line: None)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": time.perf_counter() - start, "peak": peak}))
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    task = create_method("timm_classifier", backbone="resnet10t", image_size=32, seed=1)
    save_method(folder, task, training={"subject_hashes": [], "licences": {}}, validation={})
    return folder


def moving(number: int) -> Iterator[np.ndarray]:
    return iter(faces_on_ground(number, PLACES, side=64, height=120, width=180))


def clip_of(folder: Path, seconds: int) -> Path:
    return write(folder / "clip.mp4", moving(RATE * seconds), rate=RATE, gop=50, encoder={"preset": "ultrafast"})


def check(table: pd.DataFrame, clip: Path) -> None:
    """Rows, numbers and times against the container's own packets."""
    with av.open(str(clip)) as container:
        times = sorted(packet.pts for packet in container.demux(video=0) if packet.pts is not None)
        base = container.streams.video[0].time_base
    assert base is not None
    assert table["face_found"].all()
    assert len(table) == len(times) * len(PLACES)
    assert (table.groupby("frame").size() == len(PLACES)).all()
    assert table["frame"].drop_duplicates().tolist() == list(range(len(times)))
    expected = [float((time - times[0]) * base) for time in times]
    np.testing.assert_allclose(table["seconds"].drop_duplicates(), expected, atol=1e-5)
    assert (table["track"] == table["face"]).all()


def test_there_is_a_row_for_every_face_and_frame(checkpoint: Path, tmp_path: Path) -> None:
    clip = clip_of(tmp_path, 5)
    settings = PredictSettings(
        checkpoint=str(checkpoint), output=str(tmp_path / "faces.parquet"), track=True, device="cpu"
    )
    predict_files([clip], settings, pictures=False, echo=lambda line: None)
    check(pd.read_parquet(tmp_path / "faces.parquet"), clip)


def measured(checkpoint: Path, folder: Path, minutes: int) -> dict[str, float]:
    """Predicts a clip of that many minutes in a process of its own; megabytes and seconds."""
    folder.mkdir()
    clip = clip_of(folder, 60 * minutes)
    words = [sys.executable, "-c", CODE, str(checkpoint), str(clip), str(folder / "faces.csv")]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    check(pd.read_csv(folder / "faces.csv"), clip)
    with av.open(str(folder / "faces_pictures" / "00000_clip.mp4")) as container:
        assert container.streams.video[0].frames == 60 * minutes * RATE
    return json.loads(told)


@pytest.mark.slow
def test_ten_minutes_need_no_more_memory_than_one(checkpoint: Path, tmp_path: Path) -> None:
    """`make verify` keeps what is printed."""
    found = {minutes: measured(checkpoint, tmp_path / str(minutes), minutes) for minutes in (1, 10)}
    for minutes, told in found.items():
        rate = 60 * minutes * RATE / told["seconds"]
        print(
            f"\npredict with tracks and an annotated clip on {minutes} minutes of video ({60 * minutes * RATE:,} frames"
            f" of 180x120, two faces): {told['peak']:.0f} MB at most, {rate:.0f} frames a second"
        )
    assert found[10]["peak"] < found[1]["peak"] + 40
