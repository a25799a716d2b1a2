"""A board as text for a terminal, as Markdown for a page or a paper, as CSV for a program."""

import io
import math
from collections.abc import Mapping

import pandas as pd

from fer_zoo.evaluation.report_text import ReportTable, probability, short, with_interval
from fer_zoo.evaluation.report_text import as_markdown as tables_as_markdown
from fer_zoo.evaluation.report_text import as_text as tables_as_text
from fer_zoo.evaluation.subject_sums import Estimate
from fer_zoo.leaderboard.grid import PROBE
from fer_zoo.leaderboard.standings import Board, Standing
from fer_zoo.metrics import metric as metric_named


def as_text(board: Board, width: int = 120) -> str:
    """For a terminal that is `width` characters wide."""
    return tables_as_text(_tables(board), _sentences(board), width)


def as_markdown(board: Board) -> str:
    """For a page; the commands stand below the tables."""
    commands = "\n".join(f"- {row.name}: `{row.command}`" for row in board.standings)
    return f"{tables_as_markdown(_tables(board), _sentences(board))}\n**The same again**\n\n{commands}\n"


def as_csv(board: Board) -> str:
    """A row a method and sanity row, a column a figure."""
    rows = [_flat(row) for row in board.standings]
    rows += [{"name": row.name, **_flat_values(row.values)} for row in board.sanity]
    rows += [{"name": row["entry"], "seeds": row["seed"], "failure": row["reason"]} for row in board.failed]
    text = io.StringIO()
    pd.DataFrame(rows).to_csv(text, index=False)
    return text.getvalue()


def _tables(board: Board) -> list[ReportTable]:
    tables = [_ranking(board), _trust(board), _cost(board)]
    if board.failed:
        rows = [[str(f["entry"]), str(f["seed"]), str(f["reason"])] for f in board.failed]
        tables.append(ReportTable(title="Failed", header=["method", "seed", "reason"], rows=rows))
    if board.apart:
        rows = [[str(a["entry"]), str(a["seed"]), str(a["hash"]), _difference(a["differs"])] for a in board.apart]
        header = ["method", "seed", "track", "how it differs"]
        tables.append(ReportTable(title="On another track, not ranked", header=header, rows=rows))
    return tables


def _ranking(board: Board) -> ReportTable:
    metrics = board.track.metrics
    header = ["method", "rank", *(name.replace("_", " ") for name in metrics), "behind the leader", "p"]
    rows = [
        [
            row.name,
            str(row.rank or "–"),
            *(with_interval(row.values[name]) for name in metrics),
            with_interval(row.behind) if row.behind.value else "–",
            probability(row.holm),
        ]
        for row in board.standings
    ]
    rows += [[row.name, "–", *(with_interval(row.values[m]) for m in metrics), "–", "–"] for row in board.sanity]
    return ReportTable(title="", header=header, rows=rows)


def _trust(board: Board) -> ReportTable:
    header = ["method", "seeds", "sd over seeds", "sd over folds", "mean of folds", "optimism", "scored", "of"]
    header += ["own images", "common images", "missing wrong"]
    rows = [
        [
            row.name,
            str(row.seeds),
            *map(_number, (row.noise.sd_over_seeds, row.noise.sd_over_folds, row.noise.fold_mean, row.optimism)),
            f"{row.scored:,}",
            f"{row.asked:,}",
            *map(_number, (row.answered, row.common, row.all_asked)),
        ]
        for row in board.standings
    ]
    title = f"How far to trust it ({board.track.rank_metric.replace('_', ' ')})"
    return ReportTable(title=title, header=header, rows=rows)


def _cost(board: Board) -> ReportTable:
    header = ["method", "parameters", "MACs", "faces/s", "commercial use"]
    rows = [
        [
            row.name,
            f"{row.cost['parameters']:,}",
            f"{row.cost['macs'] / 1e6:,.1f} M",
            f"{row.cost['faces_per_second']:,.0f}",
            row.commercial_use,
        ]
        for row in board.standings
    ]
    return ReportTable(title="Cost", header=header, rows=rows)


def _sentences(board: Board) -> list[str]:
    track = board.track
    protocol = ", ".join(f"{key}={value}" for key, value in track.protocol.items() if key != "name")
    devices = sorted({str(row.cost["device"]) for row in board.standings})
    rules = f"weights by {track.selection}, missing outputs {track.missing_outputs}"
    return [
        f"Track {track.name}, hash {track.hash}: index {track.fingerprint}, {track.label_space},"
        f" {track.protocol['name']} ({protocol}), frames {track.frames}, {rules}, undetected faces"
        f" {track.undetected_faces}. Images: {'; '.join(board.pixels)}.",
        f"Scores are pooled over the folds and averaged over the seeds, with 95 % intervals over {board.people:,}"
        " people. Methods that share a rank cannot be told apart from its leader (permutation test over people, Holm,"
        " 5 %).",
        "optimism: what the epoch that is best on the test part would have added. own images: those with an output;"
        f" common images: the {board.common_images:,} with an output of every method and seed.",
        f"faces/s on {'; '.join(devices)}: the network alone, batches of 32.",
        *_below_probe(board),
        *(f"{row.name}: {row.note}." for row in board.sanity),
        *(f"Left out: {sentence}" for sentence in board.damaged),
    ]


def _below_probe(board: Board) -> list[str]:
    metric = board.track.rank_metric
    sign = 1 if metric_named(metric).higher_is_better else -1
    probes = [sign * row.values[metric].value for row in board.sanity if row.name.split(":")[0] == PROBE]
    below = [row.name for row in board.standings if probes and sign * row.values[metric].value < max(probes)]
    return [f"Worse than a linear layer on the pixels: {', '.join(below)}."] if below else []


def _difference(found: dict[str, tuple[object, object]]) -> str:
    return "; ".join(f"{key} {theirs} instead of {ours}" for key, (ours, theirs) in found.items())


def _flat(row: Standing) -> dict[str, object]:
    own = {name: getattr(row, name) for name in ("name", "rank", "seeds", "asked", "scored", "holm", "optimism")}
    more = {name: getattr(row, name) for name in ("answered", "common", "all_asked", "commercial_use", "command")}
    spread = {name: getattr(row.noise, name) for name in ("sd_over_seeds", "sd_over_folds", "pooled_mean", "fold_mean")}
    return {**own, **_flat_values(row.values), **spread, **more, **row.cost}


def _flat_values(values: Mapping[str, Estimate]) -> dict[str, float]:
    flat: dict[str, float] = {}
    for name, estimate in values.items():
        flat |= {name: estimate.value, f"{name}_low": estimate.interval.low, f"{name}_high": estimate.interval.high}
    return flat


def _number(value: float) -> str:
    return short(value, 3) if math.isfinite(value) else "–"
