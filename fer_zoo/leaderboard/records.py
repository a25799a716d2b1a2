"""Records: what an entry with one seed reached on a track; a folder each, so that writers never meet."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import file_sha256, read_json, write_json
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.data.pixel_variant import pixel_variant
from fer_zoo.engine.checkpoint import load_method, read_card
from fer_zoo.engine.cost import measure_cost
from fer_zoo.engine.jobs import FAILURE, job_id
from fer_zoo.engine.results import PREDICTIONS, read_table
from fer_zoo.engine.run import Run
from fer_zoo.evaluation.prediction_table import best_entries, output_columns, read_predictions, write_predictions
from fer_zoo.evaluation.tracks import Track
from fer_zoo.evaluation.training_labels import summarised
from fer_zoo.leaderboard.grid import Cell
from fer_zoo.leaderboard.record_shape import missing_entry

SCHEMA, RECORD = 1, "record.json"
DECIMALS = 3  # of stored outputs


@dataclass(frozen=True, kw_only=True)
class Record:
    """What stands in a record's folder.

    Attributes:
        folder: of it.
        track: on which.
        facts: entry, seed, command, settings, folds, cost, device, versions, terms; or the reason of a failure.
    """

    folder: Path
    track: Track
    facts: Mapping[str, Any]

    @property
    def entry(self) -> str:
        """As the user wrote it."""
        return str(self.facts["entry"])

    @property
    def seed(self) -> int:
        """Of everything drawn."""
        return int(self.facts["seed"])

    @property
    def failure(self) -> str:
        """Why there is no score; "" where there is one."""
        return str(self.facts.get("failure", ""))

    def table(self) -> tuple[pd.DataFrame, LabelSpace]:
        """The prediction table of all folds.

        Raises:
            UserError: if it is damaged, or not the one that the record was written with.
        """
        path = self.folder / PREDICTIONS
        if not path.is_file() or file_sha256(path) != self.facts["predictions_sha256"]:
            raise UserError(f"{path} is not the table that its {RECORD} was written with; make the record again.")
        table, meta = read_predictions(path)
        return table, meta.space


def write_record(folder: Path, track: Track, cells: Sequence[Cell], command: str) -> Path:
    """Write the record of an entry's folds with one seed; its folder. Written twice, it is the same.

    Outputs are rounded to 3 decimals, and the answers follow the rounded ones, so that the table holds all that its
    scores are made of.

    Args:
        folder: of all records.
        track: on the data of the cells.
        cells: all folds of the entry and seed, done or failed.
        command: that makes it again.
    """
    runs, first = [cell.run for cell in cells], cells[0]
    place = _place(folder, track, cells)
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "track": {**track.to_dict(), "hash": track.hash},
        "entry": first.entry,
        "seed": first.seed,
        "command": command,
    }
    failed = next((cell for cell in cells if cell.state != "done"), None)
    if failed is not None:
        write_json(place / RECORD, {**facts, "failure": _reason(failed)})
        return place
    space = first.run.new_task().spaces[track.target]
    table = rounded(pd.concat([read_table(run.folder / "test") for run in runs], ignore_index=True), space)
    write_predictions(place / PREDICTIONS, table, space, {"track": track.hash, "entry": first.entry})
    write_json(
        place / RECORD,
        {
            **facts,
            "predictions_sha256": file_sha256(place / PREDICTIONS),
            "pixels": pixel_variant(first.run.index),
            "method": first.run.config.method,
            "folds": {run.split.name: _fold_facts(run, track) for run in runs},
            "cost": asdict(measure_cost(load_method(runs[0].folder), first.run.config.trainer)),
            **_card_facts(runs),
        },
    )
    return place


def is_current(folder: Path, track: Track, cells: Sequence[Cell]) -> bool:
    """Whether the record of these cells stands, is whole, and has a score."""
    try:
        record = _read(_place(folder, track, cells) / RECORD)
        return not record.failure and bool(len(record.table()[0]))
    except UserError:  # damaged or not there: it is written
        return False


def read_records(folder: Path, track: str) -> tuple[list[Record], list[str]]:
    """The records of a track in the order of their folders, and a sentence for each that is damaged and left out."""
    records, damaged = list[Record](), list[str]()
    for path in sorted((folder / track).glob(f"*/{RECORD}")):
        try:
            records.append(_read(path))
        except UserError as error:
            damaged.append(str(error))
    return records, damaged


def rounded(table: pd.DataFrame, space: LabelSpace) -> pd.DataFrame:
    """The table with outputs of 3 decimals, and answers that follow them."""
    columns = output_columns(space)
    outputs = np.round(table[columns].to_numpy(dtype=np.float64), DECIMALS)
    changed = table.copy()
    changed[columns] = outputs.astype(np.float32)
    if space.kind == "classes":
        changed[space.target] = best_entries(outputs, space)
    return changed


def _fold_facts(run: Run, track: Track) -> dict[str, Any]:
    result = read_json(run.folder / "result.json")
    training = run.index.table.iloc[run.index.rows_of(run.split.train)]
    return {
        "run": run.id,
        "epoch": result["validation"]["epoch"],
        "epochs": result["epochs"],
        "on_test": result["on_test"],
        "training_images": len(run.split.train),
        "labels": summarised(training, run.index.space(track.target)),
    }


def _card_facts(runs: Sequence[Run]) -> dict[str, Any]:
    card = read_card(runs[0].folder)
    earlier = card["training"].get("earlier", [])
    return {
        "versions": card["versions"],
        "commit": card["commit"],
        "commercial_use": card["commercial_use"],
        "pretraining": [*card.get("pretraining", {}), *(training["dataset"]["name"] for training in earlier)],
    }


def _reason(cell: Cell) -> str:
    for folder in (cell.run.folder / "test", cell.run.folder):
        if (folder / FAILURE).is_file():
            return f"{cell.run.split.name}: {read_json(folder / FAILURE)['reason']}"
    return f"{cell.run.split.name}: {cell.state}"


def _read(path: Path) -> Record:
    facts = read_json(path)
    if name := missing_entry(facts):
        raise UserError(f"{path} is no record: it lacks {name!r}, or holds something else under that name.")
    if facts["schema"] != SCHEMA:
        raise UserError(f"{path} has record schema {facts['schema']}; this version of fer_zoo reads {SCHEMA}.")
    told = dict(facts["track"])
    stored = told.pop("hash", "")
    try:
        track = Track.from_dict(told)
    except (KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged: its track is no such thing.") from error
    if track.hash != stored:
        raise UserError(f"{path} is damaged: its track has the hash {track.hash}, and {stored!r} stands there.")
    return Record(folder=path.parent, track=track, facts=facts)


def _place(folder: Path, track: Track, cells: Sequence[Cell]) -> Path:
    """The folder of the record of these cells, whoever writes it."""
    runs = job_id({"runs": [cell.run.id for cell in cells]})
    return folder / track.name / f"{_slug(cells[0].entry)}-seed{cells[0].seed}-{runs}"


def _slug(entry: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", entry)[:80]
