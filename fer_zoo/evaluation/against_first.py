"""What others gain over the first of several ways: on the same images, over the same draws of people."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

from fer_zoo.evaluation.comparison import difference, holm
from fer_zoo.evaluation.matched_sums import check_same_images
from fer_zoo.evaluation.permutation import permutation_tests
from fer_zoo.evaluation.report_text import ReportTable, probability, with_interval
from fer_zoo.evaluation.subject_sums import Bootstrap, Estimate, SubjectSums


@dataclass(frozen=True, kw_only=True)
class Gain:
    """One way in one metric.

    Attributes:
        name: of the way.
        metric: name of it.
        score: its own.
        gain: its score minus that of the first; 0 without interval for the first itself.
        p: of the gain, paired by people and corrected for the number of ways (Holm); NaN for the first.
    """

    name: str
    metric: str
    score: Estimate
    gain: Estimate
    p: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "metric": self.metric,
            "value": self.score.value,
            "interval": [self.score.interval.low, self.score.interval.high],
            "gain": self.gain.value,
            "gain_interval": [self.gain.interval.low, self.gain.interval.high],
            "p": self.p,
        }


def gains(sums: Mapping[str, SubjectSums], metrics: tuple[str, ...], bootstrap: Bootstrap | None = None) -> list[Gain]:
    """Each way against the first, metric by metric.

    Args:
        sums: name -> sums per person, on the same images; of several seeds `mean_sums`.
        metrics: names of them.
        bootstrap: how intervals are drawn; by default as in reports.

    Raises:
        UserError: if the images differ, or a metric does not fit.
    """
    check_same_images(sums)
    draws = {name: own.draw(bootstrap or Bootstrap()) for name, own in sums.items()}
    first, *others = sums
    found = []
    for metric in metrics:
        tests = permutation_tests([(sums[name], sums[first]) for name in others], metric)
        corrected = dict(zip(others, holm([test.p for test in tests]).tolist(), strict=True))
        found += [
            Gain(
                name=name,
                metric=metric,
                score=draws[name].estimate(metric),
                gain=Estimate(0.0) if name == first else difference(draws[name], draws[first], metric),
                p=corrected.get(name, float("nan")),
            )
            for name in sums
        ]
    return found


def gain_table(found: list[Gain], title: str) -> ReportTable:
    """A row a way, for each metric its score, its gain and p."""
    metrics = list(dict.fromkeys(gain.metric for gain in found))
    header = [""]
    for metric in metrics:
        header += [metric.replace("_", " "), "gain", "p"]
    rows = []
    for name in dict.fromkeys(gain.name for gain in found):
        row = [name]
        for one in (gain for gain in found if gain.name == name):
            gained = ("–", "–") if isnan(one.p) else (with_interval(one.gain), probability(one.p))
            row += [with_interval(one.score), *gained]
        rows.append(row)
    return ReportTable(title=title, header=header, rows=rows)
