"""The whole of `predict`: files in, a table and pictures out, taken up again where it broke off."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import fer_zoo
from fer_zoo.core.errors import UserError
from fer_zoo.core.files import file_sha256
from fer_zoo.core.progress import progress
from fer_zoo.data.landmark_files import faces_sha256
from fer_zoo.data.tracking import Box
from fer_zoo.data.video import UnreadableVideo, Video, is_video
from fer_zoo.engine.checkpoint import CARD, WEIGHTS, checkpoint_folder
from fer_zoo.engine.marked_pictures import write_pictures
from fer_zoo.engine.named_weights import about_default
from fer_zoo.engine.predict import BOX_COLUMNS, Predictor, Resume
from fer_zoo.engine.predict_settings import PredictSettings, open_predictor, shown_model, with_default
from fer_zoo.engine.row_writer import RowWriter, check_output
from fer_zoo.evaluation.predicted_classes import warning_of

Row = Mapping[str, Any]
Echo = Callable[[str], None]

_PRINTED = Path("predictions")  # the pictures' folder is called after it where no table is written
_MOST_TOLD = 5  # videos that are named one by one


def predict_files(
    files: Sequence[Path], settings: PredictSettings, *, pictures: bool, left_out: int = 0, echo: Echo
) -> tuple[list[Row], list[str]]:
    """Write the rows of photographs and videos, or give them back where no output is named; and the columns.

    Args:
        files: photographs and videos.
        settings: with a checkpoint.
        pictures: also mark the faces in a copy of each file.
        left_out: how many other files the folders hold, to be told.
        echo: told what is used, what was found, and where things lie.

    Raises:
        UserError: for settings that do not fit together, a checkpoint that is none, or an output that is taken.
    """
    output = Path(settings.output) if settings.output else None
    if output:
        check_output(output)
    named = with_default(settings, "emotion")
    if named is not settings:
        settings = named
        echo(about_default(settings.checkpoint))
    folder = (output or _PRINTED).with_name(f"{(output or _PRINTED).stem}_pictures") if pictures else None
    if folder and folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is to be the folder of the pictures and is a file; choose another output.")
    predictor = open_predictor(settings)
    model = shown_model(settings, predictor.task.spaces) if folder else None
    videos = {file: _opened(file) for file in files if is_video(file)}
    for line in _beginning(predictor, settings, files, videos):
        echo(line)
    if left_out:
        echo(f"left out: {left_out} in the folders (hidden, or no photograph or video by their suffix)")
    found, columns, spaces = Findings(predictor, videos), predictor.columns(), predictor.task.spaces
    if output is None:
        rows = [row for some in _followed(predictor, files, videos, None, settings) for row in found.counted(some)]
        if folder:
            write_pictures(rows, files, folder, spaces, model=model)
        rows = [{name: row.get(name) for name in columns} for row in rows]
    else:
        rows = []
        with RowWriter(output, columns, _made_of(files, settings)) as writer:
            rest, resume = _rest(files, writer, settings.every, found, echo)
            for some in _followed(predictor, rest, videos, resume, settings):
                writer.write(found.counted(some))
            if folder:
                write_pictures(writer.rows(), files, folder, spaces, model=model)
    ends = {str(file): found.ends[_written(file)] for file in videos}
    unmet = predictor.given.unreached(ends, settings.every) if predictor.given else []
    for line in [*found.lines(), *unmet, *(f"written: {place}" for place in (output, folder) if place)]:
        echo(line)
    return rows, list(columns)


class Findings:
    """Counts of rows, problems and predicted classes, and what is said of them at the end.

    Args:
        predictor: whose rows they are.
        videos: which of the files are no photographs.

    Attributes:
        ends: video -> the last frame that was looked at, -1 where there was none.
    """

    def __init__(self, predictor: Predictor, videos: Iterable[Path]) -> None:
        self.ends = dict.fromkeys(map(_written, videos), -1)
        self._classes = {
            target: dict.fromkeys(space.entries, 0)
            for target, space in predictor.task.spaces.items()
            if space.kind == "classes"
        }
        self._problems: Counter[str] = Counter()
        self._broken: list[str] = []
        self._pictures: Counter[str] = Counter()
        self._start, self._seconds = time.perf_counter(), 0.0

    def counted(self, rows: Sequence[Row], *, is_new: bool = True) -> Sequence[Row]:
        """The rows of one photograph or frame, once they are counted."""
        for row in rows:
            file = _written(row["file"])
            breaks_off = not row["face_found"] and row["problem"].startswith("unreadable after frame")
            what = "faces" if row["face_found"] else "videos that break off" if breaks_off else row["problem"]
            self._problems[what] += 1
            if file in self.ends and row.get("frame") is not None:
                self.ends[file] = row["frame"]
            elif file in self.ends:
                self._broken.append(f"{file} is {row['problem']}")
            for target, counts in self._classes.items():
                if row.get(target) is not None:
                    counts[row[target]] += 1
        if is_new and rows:
            is_frame = rows[0].get("frame") is not None
            if is_frame or _written(rows[0]["file"]) not in self.ends:
                self._pictures["frames" if is_frame else "photographs"] += 1
            self._seconds = time.perf_counter() - self._start
        return rows

    def lines(self) -> list[str]:
        """What was found, how fast, what every class was predicted for, and what should be looked at."""
        rate = [f"{count / self._seconds:.1f} {what} a second" for what, count in self._pictures.items()]
        lines = ["; ".join([*(f"{what}: {count:,}" for what, count in self._problems.items()), *rate])]
        for target, counts in self._classes.items():
            shown = ", ".join(f"{entry} {count:,}" for entry, count in counts.items() if count)
            if shown:
                lines.append(f"predicted {target}: {shown}")
        warnings = [warning for counts in self._classes.values() if (warning := warning_of(counts))]
        broken = self._broken[:_MOST_TOLD]
        if len(self._broken) > _MOST_TOLD:
            more = len(self._broken) - _MOST_TOLD
            broken.append(f"{more} more videos cannot be read to their end; the column problem says why")
        return [*lines, *(f"warning: {text}" for text in [*warnings, *broken])]


def _opened(file: Path) -> Video | None:
    """None for a video that does not open; its row will say why."""
    try:
        return Video(file)
    except UnreadableVideo:
        return None


def _beginning(
    predictor: Predictor, settings: PredictSettings, files: Sequence[Path], videos: Mapping[Path, Video | None]
) -> Iterator[str]:
    """What is used, and what is noteworthy about the files."""
    how = f"boxes: {settings.boxes}" if settings.boxes else f"detector: {predictor.detector_name}"
    how += f"; landmarks: {settings.landmarks}" if settings.landmarks else ""
    words = [f"device: {predictor.device}", how, f"photographs: {len(files) - len(videos):,}"]
    if videos:
        words += [f"videos: {len(videos):,}"] + [f"one frame in {settings.every}"] * (settings.every > 1)
    yield "; ".join(words + ["calibrated"] * settings.calibrated)
    if predictor.given is not None:
        photographs = [str(file) for file in files if file not in videos]
        yield from predictor.given.check(photographs, [str(file) for file in videos])
    turned = [
        f"{file} by {video.rotation}°{' and mirrored' * video.is_mirrored}"
        for file, video in videos.items()
        if video is not None and (video.rotation or video.is_mirrored)
    ]
    if turned:
        more = f" and {len(turned) - _MOST_TOLD} more" if len(turned) > _MOST_TOLD else ""
        yield f"turned upright, counter-clockwise, as the file says: {', '.join(turned[:_MOST_TOLD])}{more}"


def _followed(
    predictor: Predictor,
    files: Sequence[Path],
    videos: Mapping[Path, Video | None],
    resume: Resume | None,
    settings: PredictSettings,
) -> Iterator[list[dict[str, Any]]]:
    """The rows of each photograph and frame, with a bar."""
    total: int | None = len([file for file in files if file not in videos])
    for number, video in enumerate(videos[file] for file in files if file in videos):
        frames = None if video is None else video.num_frames
        done = resume.frame if resume and number == 0 else 0
        total = None if frames is None or total is None else total + max(0, frames - done) // settings.every
    with closing(predictor.rows(files, resume)) as rows:
        unit = "frames" if videos else "photographs"
        yield from progress((own for _, own in rows), "looking at faces", total=total, unit=unit)


def _rest(
    files: Sequence[Path], writer: RowWriter, every: int, found: Findings, echo: Echo
) -> tuple[Sequence[Path], Resume | None]:
    """The files that are not done, and where the first of them goes on."""
    if writer.last is None:
        return files, None
    tracks: dict[int, tuple[int, int, Box]] = {}
    for row in writer.rows():
        found.counted([row], is_new=False)
        if row["file"] == writer.last["file"] and row.get("track") is not None:
            values = [row[name] for name in BOX_COLUMNS]
            box = (0.0, 0.0, 1.0, 1.0) if None in values else (values[0], values[1], values[2], values[3])
            tracks[row["track"]] = (row["frame"], row["track"], box)
    names = [_written(file) for file in files]
    position, frame = names.index(writer.last["file"]), writer.last["frame"]
    if frame is None:
        echo(f"going on after {files[position]}")
        return files[position + 1 :], None
    echo(f"going on after frame {frame} of {files[position]}")
    return files[position:], Resume(frame + every, sorted(tracks.values()))


def _made_of(files: Iterable[Path], settings: PredictSettings) -> dict[str, Any]:
    """What must be the same for a table to be gone on with."""
    return {
        "files": [_written(file) for file in files],
        "sizes of the files": [file.stat().st_size if file.is_file() else None for file in files],
        "checkpoint": _content(settings.checkpoint),
        "landmarks": _content(settings.landmarks) if settings.landmarks else "",
        "detector": settings.detector,
        "boxes": faces_sha256(Path(settings.boxes)) if settings.boxes else "",
        "every": settings.every,
        "track": settings.track,
        "calibrated": settings.calibrated,
        "fer_zoo": fer_zoo.__version__,
    }


def _content(checkpoint: str) -> str:
    """The checksum of a checkpoint's weights and card."""
    folder = checkpoint_folder(checkpoint)
    both = "".join(file_sha256(folder / name) for name in (WEIGHTS, CARD))
    return sha256(both.encode()).hexdigest()


def _written(file: Path | str) -> str:
    """A file's name as a table holds it: bytes that are no UTF-8 are spelled out."""
    return str(file).encode("utf-8", "backslashreplace").decode()
