"""Checking a data set: what was found, against what its card expects. Every file is read, decoded and compared."""

import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image, UnidentifiedImageError

from fer_zoo.core.cards import DatasetCard
from fer_zoo.core.errors import UserError
from fer_zoo.core.files import file_sha256
from fer_zoo.core.progress import progress as with_bar
from fer_zoo.data.image_sources import NOT_FOUND, ImageSource, UnreadableImage, image_source
from fer_zoo.data.index import Index
from fer_zoo.data.near_duplicates import NearDuplicateReport, near_duplicate_report, near_duplicates
from fer_zoo.data.protocols import Split, make_splits
from fer_zoo.data.video_frames import VideoFrames, file_of

UNLABELLED = "no label"


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How often two annotators give an image the same label.

    Attributes:
        both, same: images labelled by both, and alike.
        of_second: per label of the second annotator how many images the first labels alike, of how many.
        of_first: the same per label of the first.
    """

    both: int
    same: int
    of_second: Mapping[str, tuple[int, int]]
    of_first: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a check found; samples are named by id, people by nothing.

    Attributes:
        dataset, variant, fingerprint: which data this is.
        commercial_use: what the card says.
        samples, subjects: counts in the index.
        classes: per target the samples of each class (also outside its space), or with a value of each entry.
        outside: classes of `emotion` that are outside the label space, hence neither trained nor scored with it.
        differences: per count that differs from the card (expected, found).
        missing: ids whose file is not there.
        unreadable: id -> why its file cannot be decoded.
        duplicates: groups of ids whose files are identical.
        near_duplicates: what is nearly the same, and which splits part it.
        contradictory: ids dropped because their labels contradict each other.
        label_by_source: source -> class -> samples.
        agreement: of two annotators, where there are two.
        formats, colours: files per codec (by content) and per colour mode.
        sizes: smallest, median and largest of the images' longer sides, in pixels.
        notes: (kind, sentence) of the reader.
    """

    dataset: str
    variant: str
    fingerprint: str
    commercial_use: str
    samples: int
    subjects: int
    classes: Mapping[str, Mapping[str, int]]
    outside: tuple[str, ...]
    differences: Mapping[str, tuple[int, int]]
    missing: tuple[str, ...]
    unreadable: Mapping[str, str]
    duplicates: tuple[tuple[str, ...], ...]
    near_duplicates: NearDuplicateReport
    contradictory: tuple[str, ...]
    label_by_source: Mapping[str, Mapping[str, int]]
    agreement: Agreement | None
    formats: Mapping[str, int]
    colours: Mapping[str, int]
    sizes: tuple[int, int, int] | None
    notes: tuple[tuple[str, str], ...]

    @property
    def is_clean(self) -> bool:
        """No file is missing or unreadable, and every count is as expected."""
        return not (self.missing or self.unreadable or self.differences)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def to_text(self) -> str:
        """The report for a terminal."""
        return "\n".join([*_text_of_facts(self), *_text_of_labels(self), *_text_of_agreement(self)])


def check_dataset(
    index: Index,
    card: DatasetCard,
    protocol: Mapping[str, Any] | None = None,
    *,
    must_split: bool = True,
    progress: bool = True,
) -> Report:
    """Reads every file of an index and compares what is there with the card.

    Args:
        index: the data set as read.
        card: what a complete copy holds.
        protocol: in whose splits near-duplicates are looked for, its `name` and settings; by default the card's.
        must_split: refuse a protocol that makes no splits of the data; else the report says so.
        progress: show a bar on a terminal.

    Raises:
        UserError: if the protocol that is given makes no splits of the data, and must.
    """
    splits, problem = _splits(index, protocol or {"name": card.protocol})
    if protocol and problem and must_split:
        raise UserError(problem)
    files = _read_files(index, progress=progress)
    missing = tuple(entry for entry, file in files.items() if file.problem == "missing")
    unreadable = {entry: file.problem for entry, file in files.items() if file.problem not in ("", "missing")}
    by_content: dict[str, list[str]] = {}
    for entry, file in files.items():
        if file.content:
            by_content.setdefault(file.content, []).append(entry)
    sides = sorted(file.longer_side for file in files.values() if not file.problem)
    classes = {target: _class_counts(index, target) for target in index.label_spaces}
    space = index.label_spaces.get("emotion")
    return Report(
        dataset=index.dataset,
        variant=index.variant,
        fingerprint=index.fingerprint(),
        commercial_use=card.commercial_use,
        samples=len(index),
        subjects=index.table["subject"].nunique(),
        classes=classes,
        outside=tuple(c for c in classes.get("emotion", {}) if space and c not in (*space.entries, UNLABELLED)),
        differences=_differences(index, card, classes),
        missing=missing,
        unreadable=unreadable,
        duplicates=tuple(tuple(group) for group in by_content.values() if len(group) > 1),
        near_duplicates=near_duplicate_report(
            near_duplicates(index, show=progress),
            splits,
            protocol=protocol["name"] if protocol else card.protocol,
            problem=problem,
        ),
        contradictory=index.contradictory,
        label_by_source=_label_by_source(index.table),
        agreement=_agreement(index.table),
        formats=_counted(file.codec for file in files.values() if file.codec),
        colours=_counted(file.colour for file in files.values() if file.colour),
        sizes=(sides[0], sides[len(sides) // 2], sides[-1]) if sides else None,
        notes=tuple((note.kind, note.sentence) for note in index.notes),
    )


def _splits(index: Index, protocol: Mapping[str, Any]) -> tuple[list[Split], str]:
    """The splits of a protocol, or why there are none."""
    settings = {key: value for key, value in protocol.items() if key != "name"}
    try:
        return make_splits(index, protocol["name"], settings, next(iter(index.label_spaces), "emotion")), ""
    except UserError as error:
        return [], str(error)


@dataclass(frozen=True)
class _File:
    problem: str = ""
    content: str = ""
    codec: str = ""
    colour: str = ""
    longer_side: int = 0


def _read_files(index: Index, *, progress: bool) -> dict[str, _File]:
    """Per id what its file is, none where images are drawn. Decoding releases the interpreter, so threads suffice."""
    if index.images is not None and not isinstance(index.images, VideoFrames):
        return {}
    source = image_source(index)
    contents = _contents(index) if isinstance(index.images, VideoFrames) else {}
    names = list(index.table["image"])

    def read(row: int) -> _File:
        return _read_frame(source, row, contents[names[row]]) if contents else _read_file(index.root / names[row])

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        rows = pool.map(read, range(len(names)), chunksize=16)
        files = list(with_bar(rows, "reading", total=len(names), unit="files", show=progress))
    return dict(zip(index.ids, files, strict=True))


def _contents(index: Index) -> dict[str, str]:
    """Per name of a frame the content of its video and its number: equal in copies of a video."""
    videos = sorted({file_of(name) for name in index.table["image"]})
    sums = {video: file_sha256(path) if (path := index.root / video).is_file() else "" for video in videos}
    return {name: sums[file_of(name)] + name.removeprefix(file_of(name)) for name in index.table["image"]}


def _read_frame(source: ImageSource, row: int, content: str) -> _File:
    try:
        pixels = source.read(row)
    except UnreadableImage as error:
        return _File("missing") if error.reason == NOT_FOUND else _File(error.reason, content)
    return _File("", content, "frames of videos", "RGB", max(pixels.shape[:2]))


def _read_file(path: Path) -> _File:
    if not path.is_file():
        return _File("missing")
    try:
        data = path.read_bytes()
    except OSError as error:
        return _File(error.strerror or "cannot be read")
    if not data:
        return _File("empty file")
    content = sha256(data).hexdigest()
    try:
        with Image.open(BytesIO(data)) as image:
            image.load()
            return _File("", content, image.format or "", image.mode, max(image.size))
    except UnidentifiedImageError:
        return _File("no image", content)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return _File((str(error).splitlines() or [type(error).__name__])[0], content)


def _class_counts(index: Index, target: str) -> dict[str, int]:
    space, table = index.space(target), index.table
    if space.is_points:
        return {space.target: int(index.is_labelled(target).sum())}
    if space.kind == "values":
        return {entry: int(table[entry].notna().sum()) for entry in space.entries}
    counts = {str(name): int(n) for name, n in table[target].value_counts().items()}
    unlabelled = {UNLABELLED: int(table[target].isna().sum())} if table[target].isna().any() else {}
    outside = {name: n for name, n in sorted(counts.items()) if name not in space.entries}
    return {**{entry: counts.get(entry, 0) for entry in space.entries}, **outside, **unlabelled}


def _differences(
    index: Index, card: DatasetCard, classes: Mapping[str, Mapping[str, int]]
) -> dict[str, tuple[int, int]]:
    found = {
        **index.found,
        "samples": len(index),
        "subjects": index.table["subject"].nunique(),
        **{f"{target}={name}": count for target, counts in classes.items() for name, count in counts.items()},
    }
    expected = card.expected if index.expected is None else index.expected
    return {name: (count, found.get(name, 0)) for name, count in expected.items() if found.get(name, 0) != count}


def _label_by_source(table: pd.DataFrame) -> dict[str, dict[str, int]]:
    if "emotion" not in table:
        return {}
    labels, sources = table["emotion"].fillna(UNLABELLED), table["source"].replace("", "unknown")
    counts = pd.crosstab(sources, labels)
    return {str(source): {str(k): int(n) for k, n in row.items()} for source, row in counts.iterrows()}


def _agreement(table: pd.DataFrame) -> Agreement | None:
    if "second_emotion" not in table:
        return None
    both = table[table["emotion"].notna() & table["second_emotion"].notna()]
    is_same = both["emotion"] == both["second_emotion"]

    def per_label(column: str) -> dict[str, tuple[int, int]]:
        groups = is_same.groupby(both[column])
        return {str(label): (int(group.sum()), len(group)) for label, group in groups}

    return Agreement(
        both=len(both), same=int(is_same.sum()), of_second=per_label("second_emotion"), of_first=per_label("emotion")
    )


def _counted(values: Any) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _text_of_facts(report: Report) -> list[str]:
    lines = [
        f"{report.dataset}: {report.samples:,} samples of {report.subjects:,} subjects"
        f" ({report.variant or 'one variant'}), fingerprint {report.fingerprint}",
        f"commercial use: {report.commercial_use}",
        "files: " + (", ".join(f"{codec} {n:,}" for codec, n in report.formats.items()) or _no_files(report)),
    ]
    if report.colours:
        lines.append("colour: " + ", ".join(f"{mode} {n:,}" for mode, n in report.colours.items()))
    if report.sizes:
        lines.append(f"longer side: {report.sizes[0]} to {report.sizes[2]} px, median {report.sizes[1]}")
    lines += [f"note: {sentence}" for _, sentence in report.notes]
    lines += [
        f"differs: {name} is {found:,}, expected {count:,}" for name, (count, found) in report.differences.items()
    ]
    lines.append(f"missing files: {_listed(report.missing)}")
    lines.append(f"unreadable files: {_listed(tuple(f'{k} ({why})' for k, why in report.unreadable.items()))}")
    lines.append(f"identical files: {_listed(tuple(' = '.join(group) for group in report.duplicates))}")
    lines += report.near_duplicates.to_lines()
    lines.append(f"contradictory labels: {_listed(report.contradictory)}")
    return lines


def _no_files(report: Report) -> str:
    is_whole = not (report.missing or report.unreadable)
    return "none, the images are drawn or frames of videos" if is_whole else "none could be read"


def _listed(names: tuple[str, ...]) -> str:
    return f"{len(names)}" + (f": {', '.join(names[:8])}" + (" …" if len(names) > 8 else "") if names else "")


def _text_of_labels(report: Report) -> list[str]:
    lines: list[str] = []
    for target, counts in report.classes.items():
        sources = list(report.label_by_source) if target == "emotion" and len(report.label_by_source) > 1 else []
        width = max(map(len, counts))
        lines += ["", f"{target:<{width}}  samples" + "".join(f"  {source:>8}" for source in sources)]
        for name, count in counts.items():
            cells = "".join(f"  {report.label_by_source[source].get(name, 0):>8,}" for source in sources)
            apart = "  (outside the label space)" if target == "emotion" and name in report.outside else ""
            lines.append(f"{name:<{width}}  {count:>7,}{cells}{apart}")
    return lines


def _text_of_agreement(report: Report) -> list[str]:
    agreement = report.agreement
    if agreement is None or not agreement.both:
        return []
    share = f"{agreement.same / agreement.both:.0%}"
    lines = ["", f"two annotators agree on {agreement.same} of {agreement.both} images ({share})"]
    for label, (same, count) in agreement.of_second.items():
        lines.append(f"  {label:<10} {same:>4} of {count:>4} that the second annotator calls so")
    return lines
