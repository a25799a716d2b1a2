"""From records to a ranking: only what shares a track's hash is compared; everything is computed from stored tables."""

import shlex
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fer_zoo.core.errors import UserError
from fer_zoo.core.files import plain
from fer_zoo.core.label_spaces import LabelSpace
from fer_zoo.engine.track_files import TrackFile, read_track
from fer_zoo.evaluation.common_rows import common_rows
from fer_zoo.evaluation.comparison import Comparison, compare_methods
from fer_zoo.evaluation.matched_sums import mean_sums
from fer_zoo.evaluation.noise import Noise, noise
from fer_zoo.evaluation.prediction_table import has_output
from fer_zoo.evaluation.reference_rows import ReferenceRow, reference_rows
from fer_zoo.evaluation.scores import table_sums
from fer_zoo.evaluation.subject_sums import NO_INTERVALS, Bootstrap, Estimate, SubjectSums
from fer_zoo.evaluation.tracks import Track, differences, left_out
from fer_zoo.evaluation.training_labels import expanded
from fer_zoo.leaderboard.grid import PROBE
from fer_zoo.leaderboard.records import Record, read_records


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One method on a track, all of its seeds together.

    Attributes:
        name: of its entry.
        rank: shared by those that cannot be told apart; None for a sanity row.
        values: metric -> pooled score over all folds, missing outputs as the track has it; the first ranks.
        behind: the leader, in the ranking metric, over the same people.
        holm: corrected p of that difference.
        seeds: how many.
        noise: pooled and per fold, by seed.
        asked, scored: images, and those with an output, of one seed.
        answered, common, all_asked: the ranking metric over images with an output of its own, over those with an
            output of every method, and with images without an output counted as wrong.
        optimism: mean over seeds and folds of what choosing the epoch on the test part would have added.
        cost: parameters, macs, faces_per_second, device.
        commercial_use: of the weights.
        command: that makes it again.
    """

    name: str
    rank: int | None
    values: Mapping[str, Estimate]
    behind: Estimate
    holm: float
    seeds: int
    noise: Noise
    asked: int
    scored: int
    answered: float
    common: float
    all_asked: float
    optimism: float
    cost: Mapping[str, Any]
    commercial_use: str
    command: str


@dataclass(frozen=True, kw_only=True)
class Board:
    """All that is known on a track.

    Attributes:
        track: whose scores are ranked.
        pixels: what the images were like, one entry a variant.
        people: test people.
        common_images: with an output of every method.
        standings: best first.
        sanity: rows that need no method, and the pixel probe.
        failed: entry, seed and reason.
        apart: entry, hash and how its track differs, of records that are never ranked with the others.
        damaged: a sentence each.
    """

    track: Track
    pixels: tuple[str, ...]
    people: int
    common_images: int
    standings: tuple[Standing, ...]
    sanity: tuple[ReferenceRow, ...]
    failed: tuple[Mapping[str, Any], ...]
    apart: tuple[Mapping[str, Any], ...]
    damaged: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        values: dict[str, Any] = plain({**asdict(self), "track": {**self.track.to_dict(), "hash": self.track.hash}})
        return values


def standings_of(folder: Path, name: str) -> Board:
    """The board of a track from its records.

    Args:
        folder: of the records.
        name: of the track, or its file.

    Raises:
        UserError: for an unknown track, or without any record of it.
    """
    file = read_track(name)
    records, damaged = read_records(folder, file.name)
    track = _chosen(records, file, folder, damaged)
    own = [record for record in records if record.track.hash == track.hash]
    groups, tables, broken = _tables(own, track)
    if not tables:
        why = [*damaged, *broken, *(f"{r.entry}, seed {r.seed}: {r.failure}" for r in own if r.failure)]
        raise UserError(f"Not one record of the track {file.name} in {folder} has a score; {why[0]}")
    space = next(iter(tables.values()))[1]
    by_name = {key: of_seeds for key, (of_seeds, _) in tables.items()}
    sums = {key: mean_sums([table_sums(table, space) for table in seeds.values()]) for key, seeds in by_name.items()}
    ranked = {key: value for key, value in sums.items() if key.split(":")[0] != PROBE} or sums
    wrong = track.missing_is_wrong
    compared = compare_methods(ranked, track.rank_metric, missing_is_wrong=wrong)
    shared = common_rows(
        {f"{key}, seed {seed}": table for key in ranked for seed, table in by_name[key].items()}, space
    )
    return Board(
        track=track,
        pixels=tuple(sorted({str(record.facts["pixels"]) for record in own if not record.failure})),
        people=compared.subjects,
        common_images=shared.images,
        standings=tuple(
            _standing(method.name, compared, groups[method.name], by_name[method.name], space, track, shared.tables)
            for method in compared.methods
        ),
        sanity=_sanity(groups, by_name, {k: v for k, v in sums.items() if k not in ranked}, space, track),
        failed=tuple({"entry": r.entry, "seed": r.seed, "reason": r.failure} for r in own if r.failure),
        apart=tuple(_apart(record, track) for record in records if record.track.hash != track.hash),
        damaged=(*damaged, *broken),
    )


def _chosen(records: Sequence[Record], file: TrackFile, folder: Path, damaged: Sequence[str]) -> Track:
    """The track of most of the records that are what the track's file says."""
    fitting = [record.track for record in records if _fits(record.track, file)]
    if not fitting:
        others = f"; {len(records)} of another hash" if records else ""
        unread = f"; left out: {damaged[0]}" if damaged else ""
        raise UserError(
            f"There is no record of the track {file.name} in {folder}{others}{unread}. `fer-zoo leaderboard run` makes"
            " them; records=FOLDER says where they lie."
        )
    hashes = [track.hash for track in fitting]
    return max(fitting, key=lambda track: (hashes.count(track.hash), track.hash))


def _fits(track: Track, file: TrackFile) -> bool:
    own = file.settings
    rules = ("target", "frames", "selection", "missing_outputs", "undetected_faces")
    return (
        own.fingerprint in ("", track.fingerprint)
        and all(getattr(own, rule) == getattr(track, rule) for rule in rules)
        and all(track.protocol.get(key) == value for key, value in own.protocol.items())
        and (not own.metrics or tuple(own.metrics) == track.metrics)
    )


Tables = dict[str, tuple[dict[int, pd.DataFrame], LabelSpace]]


def _tables(records: Sequence[Record], track: Track) -> tuple[dict[str, list[Record]], Tables, list[str]]:
    """Name -> records with a whole table, name -> seed -> rows on the track; a sentence for each that is damaged."""
    groups: dict[str, list[Record]] = {}
    tables: Tables = {}
    broken = []
    names = _names([record for record in records if not record.failure])
    for record, name in names:
        try:
            table, space = record.table()
        except UserError as error:
            broken.append(str(error))
            continue
        of_seeds = tables.setdefault(name, ({}, space))[0]
        if record.seed in of_seeds:
            broken.append(f"{record.folder} is a second record of seed {record.seed} of {name}; delete one of them.")
            continue
        groups.setdefault(name, []).append(record)
        of_seeds[record.seed] = table
    unscored = left_out((table for of_seeds, _ in tables.values() for table in of_seeds.values()), track)
    for of_seeds, _ in tables.values() if unscored else ():
        for seed, table in of_seeds.items():
            of_seeds[seed] = table[~table["id"].isin(unscored)].reset_index(drop=True)
    return groups, tables, broken


def _names(records: Sequence[Record]) -> list[tuple[Record, str]]:
    """Entries, with the settings of all jobs behind them where one entry was run with several."""
    settings = {id(record): _settings_of(record) for record in records}
    several = {r.entry for r in records for o in records if r.entry == o.entry and settings[id(r)] != settings[id(o)]}
    return [
        (record, f"{record.entry} ({settings[id(record)]})" if record.entry in several else record.entry)
        for record in records
    ]


def _settings_of(record: Record) -> str:
    """What the command says of all jobs, but for the places of files."""
    words = shlex.split(str(record.facts["command"]))[3:]
    places = ("track", "methods", "seeds", "dataset.root", "output")
    return " ".join(word for word in words if word.partition("=")[0] not in places)


def _standing(
    name: str,
    compared: Comparison,
    records: Sequence[Record],
    tables: Mapping[int, pd.DataFrame],
    space: LabelSpace,
    track: Track,
    shared: Mapping[str, pd.DataFrame],
) -> Standing:
    ranked = next(method for method in compared.methods if method.name == name)
    sums = mean_sums([table_sums(table, space) for table in tables.values()])
    draws = sums.draw(Bootstrap())
    first = next(iter(tables.values()))
    metric, wrong = track.rank_metric, track.missing_is_wrong
    common = mean_sums([table_sums(shared[f"{name}, seed {seed}"], space) for seed in tables])
    gaps = [fold["on_test"].get("gap") for record in records for fold in record.facts["folds"].values()]
    known = [float(gap) for gap in gaps if gap is not None]
    return Standing(
        name=name,
        rank=ranked.rank,
        values={
            m: draws.estimate(m, missing_is_wrong=wrong and m != "expected_calibration_error") for m in track.metrics
        },
        behind=ranked.behind,
        holm=ranked.holm,
        seeds=len(tables),
        noise=noise(tables, space, metric, missing_is_wrong=wrong),
        asked=len(first),
        scored=int(has_output(first, space).sum()),
        answered=_value(sums, metric, wrong=False),
        common=_value(common, metric, wrong=False),
        all_asked=_value(sums, metric, wrong=True),
        optimism=statistics.fmean(known) if known else float("nan"),
        cost=records[0].facts["cost"],
        commercial_use=str(records[0].facts["commercial_use"]),
        command=str(max(records, key=lambda record: record.seed).facts["command"]),
    )


def _value(sums: SubjectSums, metric: str, *, wrong: bool) -> float:
    return sums.draw(NO_INTERVALS).estimate(metric, missing_is_wrong=wrong).value


def _sanity(
    groups: Mapping[str, Sequence[Record]],
    tables: Mapping[str, Mapping[int, pd.DataFrame]],
    probes: Mapping[str, SubjectSums],
    space: LabelSpace,
    track: Track,
) -> tuple[ReferenceRow, ...]:
    """The guesses that need no photograph, fold by fold, and the linear layer on the pixels."""
    name = next(iter(groups))
    (record, *_), (table, *_) = groups[name], tables[name].values()
    training = {fold: expanded(facts["labels"], space) for fold, facts in record.facts["folds"].items()}
    rows = [
        row
        for row in reference_rows(training, table, space, track.metrics, Bootstrap())
        if row.name != "model_on_these"  # of one method among several
    ]
    for probe, sums in probes.items():
        draws = sums.draw(Bootstrap())
        values = {metric: draws.estimate(metric) for metric in track.metrics}
        note = "one linear layer on the grey pixels, trained as the methods are"
        rows.append(ReferenceRow(name=probe, images=sums.images, values=values, note=note))
    return tuple(rows)


def _apart(record: Record, track: Track) -> dict[str, Any]:
    found = differences(track, record.track)
    return {"entry": record.entry, "seed": record.seed, "hash": record.track.hash, "differs": found}
