"""What a checkpoint remembers of the images it has seen, and the refusal to be scored on them."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fer_zoo.core.cards import DatasetCard
from fer_zoo.core.errors import UserError
from fer_zoo.core.files import file_sha256
from fer_zoo.core.progress import progress
from fer_zoo.core.registry import DATASETS
from fer_zoo.data.index import Index, clip_code
from fer_zoo.data.open import drawn_people
from fer_zoo.data.video_frames import file_of
from fer_zoo.engine.checkpoint import subject_hash
from fer_zoo.engine.run import Echo, Run

_DIGITS = 12


def file_hashes(index: Index, ids: Iterable[str]) -> dict[str, str]:
    """12 hex digits of the content of each file, by id, of a frame its video's; missing or empty ones are left out."""
    names = list(ids)
    files = [file_of(image) for image in index.table["image"].iloc[index.rows_of(names)]]
    once = list(dict.fromkeys(files))  # many frames are of one video
    with ThreadPoolExecutor(max_workers=8) as pool:
        contents = pool.map(_content_hash, [index.root / file for file in once])
        of_file = dict(zip(once, progress(contents, "hashing files", total=len(once), unit="files"), strict=True))
    hashes = {name: of_file[file] for name, file in zip(names, files, strict=True)}
    return {name: content for name, content in hashes.items() if content}


def clip_hashes(index: Index, ids: Iterable[str]) -> list[str]:
    """How a checkpoint remembers the clips of these samples, sorted; images of no clip are left out."""
    clips = index.table["clip"].iloc[index.rows_of(ids)].unique()
    return sorted(subject_hash(clip_code(index.dataset, clip)) for clip in clips if clip)


def trainings(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All trainings that a checkpoint's weights went through, the last first.

    Raises:
        UserError: if the card says something else where they should be.
    """
    found = card.get("training", {})
    last = dict(found) if isinstance(found, Mapping) else {}
    earlier = last.pop("earlier", [])
    if not isinstance(found, Mapping) or not isinstance(earlier, list) or not all(isinstance(e, dict) for e in earlier):
        raise UserError("The card of this checkpoint is damaged: its 'training' is no such thing. Copy it again.")
    return [last, *earlier]


def refuse_training_data(card: Mapping[str, Any], run: Run, *, echo: Echo) -> None:
    """Stop where people or image files of the test part were in one of the checkpoint's trainings.

    Instead of people, clips are compared where the run's protocol keeps clips apart, and files alone where it does so.
    Files are compared by content, so that another reader, other names or other subject codes hide nothing. Copies that
    a data set holds of its own training images under other subjects are told, but a fold stays what it is. Of drawn
    people in data of another name all are compared, whichever part they were in.

    Raises:
        UserError: naming the first of them by their codes or ids.
    """
    echo = _once(echo)
    for number, training in enumerate(trainings(card)):
        found = _seen(training, run, echo)
        if found and number:
            raise UserError(f"{found}, in a training before its last, so a score would mean nothing; {_OTHERS}.")
        if found:
            own = f"evaluate its own fold {training['fold']} of {training['protocol']['name']}, or other data"
            raise UserError(f"{found}, so a score would mean nothing; {own}.")


def refuse_start(card: Mapping[str, Any], runs: Sequence[Run], *, echo: Echo) -> None:
    """Stop before any fold is trained from a checkpoint that has seen people or files of a test part.

    Raises:
        UserError: naming the first fold and the first of them.
    """
    echo = _once(echo)
    for run in runs:
        for training in trainings(card):
            if found := _seen(training, run, echo):
                raise UserError(f"{run.split.name}: {found}, so a score would mean nothing; {_OTHERS}.")


def warn_of_training_data(card: Mapping[str, Any], run: Run, *, echo: Echo) -> None:
    """Say, before a training from a checkpoint, that its test part could not be scored afterwards."""
    echo = _once(echo)
    for training in trainings(card):
        if found := _seen(training, run, echo):
            echo(f"warning: {found}, so `fer-zoo evaluate` will refuse to score this run on its test part")
            return


_OTHERS = "evaluate other people, or start from a checkpoint that has not seen these"


def _card_of(training: Mapping[str, Any]) -> DatasetCard | None:
    name = training.get("dataset", {}).get("name", "")
    return DATASETS[name] if name in DATASETS.names() else None


def share_people(card: DatasetCard, dataset: str) -> bool:
    """Whether two data sets of different names show some of the same people."""
    other = DATASETS[dataset].populations if dataset in DATASETS.names() else ()
    return card.name != dataset and bool(set(card.populations) & set(other))


def _drawn_in_both(training: Mapping[str, Any], run: Run) -> str:
    """Drawn people who were trained on under another data set's name, where they have other codes; "" for nobody."""
    card = _card_of(training)
    if card is None or card.name == run.index.dataset:
        return ""
    return " and ".join(sorted(drawn_people(training["dataset"]) & drawn_people(run.config.dataset)))


def _once(echo: Echo) -> Echo:
    """Tells a line once: of many trainings and folds one says the same as another."""
    said = set[str]()

    def tell(line: str) -> None:
        if line not in said:
            said.add(line)
            echo(line)

    return tell


def _seen(training: Mapping[str, Any], run: Run, echo: Echo) -> str:
    """What of the test part was in a training, "" for nothing: units of the run's protocol, then files."""
    files, card = set(training.get("file_hashes", ())), _card_of(training)
    if card and share_people(card, run.index.dataset):
        echo(
            f"warning: {card.name} and {run.index.dataset} show some of the same people, of whom identical files alone"
            " are found"
        )
    if drawn := _drawn_in_both(training, run):
        name = training["dataset"]["name"]
        return f"{name}, on which this checkpoint was trained, draws the people of the test ({drawn})"
    is_same = run.index.fingerprint() == training.get("fingerprint")
    if units := _units_seen(training, run, by_file=bool(files) and not is_same, echo=echo):
        return units
    if not files and card and card.drawn:
        return ""  # there were none: people are all that could be met again
    if not files:
        units = "clips" if run.unit == "clip" else "subjects"
        echo(f"warning: this checkpoint does not say which files it was trained on, so only {units} were compared")
        return ""
    shared = [name for name, content in file_hashes(run.index, run.split.test).items() if content in files]
    if not shared:
        return ""
    ids = ", ".join(shared[:3]) + (" …" if len(shared) > 3 else "")
    if is_same and (run.unit == "subject" or _is_own_split(training, run)):
        whose = "" if run.unit == "file" else f" of other {run.unit}s"
        echo(f"warning: {len(shared)} test images ({ids}) are copies of training images{whose}")
        return ""
    return f"{len(shared)} of {len(run.split.test)} test images are files that this checkpoint was trained on ({ids})"


def _is_own_split(training: Mapping[str, Any], run: Run) -> bool:
    """Whether the run tests the part that this very training left out."""
    if run.index.fingerprint() != training.get("fingerprint") or run.config.fold != training.get("fold"):
        return False
    told = training.get("protocol", {})
    return bool(told) and told == {key: run.config.protocol.get(key) for key in told}


def _units_seen(training: Mapping[str, Any], run: Run, *, by_file: bool, echo: Echo) -> str:
    """The test units that were in a training on the same data set, as a clause.

    Where the protocol keeps clips or files apart, people may be known; how many is told. A training that remembers none
    of these is compared by people, unless it left out this very part.
    """
    if training.get("dataset", {}).get("name") != run.index.dataset:
        return ""
    remembered = {"clip": "clip_hashes", "file": "file_hashes"}.get(run.unit, "")
    if not training.get(remembered) and not (remembered and _is_own_split(training, run)):
        return _subjects_seen(training, run, by_file=by_file)
    rows = run.index.table.iloc[run.index.rows_of(run.split.test)]
    if run.unit == "clip":
        clips = [clip_code(run.index.dataset, clip) for clip in rows["clip"].unique() if clip]
        seen = set(training.get("clip_hashes", ()))
        if shared := [code for code in clips if subject_hash(code) in seen]:
            first = ", ".join(shared[:3]) + (" …" if len(shared) > 3 else "")
            return f"{len(shared)} of {len(clips)} test clips were in the training of this checkpoint ({first})"
    people = rows["subject"].unique()
    known = sum(subject_hash(code) in set(training["subject_hashes"]) for code in people)
    if known:
        echo(
            f"note: {known} of {len(people)} test subjects were in the training of this checkpoint;"
            f" {run.config.protocol['name']} keeps {run.unit}s apart, not people"
        )
    return ""


def _subjects_seen(training: Mapping[str, Any], run: Run, *, by_file: bool) -> str:
    """The test subjects that were in a training on the same data set, as a clause.

    In a user's own data an image that names no person is its own; its code is made of its place, which means nothing in
    another folder, so that only its content is compared (`by_file`).
    """
    seen = set(training["subject_hashes"])
    rows = run.index.table.iloc[run.index.rows_of(run.split.test)]
    codes = rows["subject"].unique()
    if by_file and DATASETS[run.index.dataset].own_data:
        rows = rows[rows["subject"] != rows["id"]]
    shared = [code for code in rows["subject"].unique() if subject_hash(code) in seen]
    if not shared:
        return ""
    first = ", ".join(shared[:3])
    return f"{len(shared)} of {len(codes)} test subjects were in the training of this checkpoint ({first} …)"


def _content_hash(path: Path) -> str:
    try:
        return file_sha256(path)[:_DIGITS] if path.stat().st_size else ""
    except OSError:  # reported where the image is read
        return ""
