"""Metrics: each once, as additive sums and as a value of the sums.

`SumsMetric` lives in `fer_zoo.metrics.torch_metrics`, so that scoring a table loads no torchmetrics.
"""

from fer_zoo.metrics.calibration import CalibrationSums
from fer_zoo.metrics.catalogue import (
    METRICS,
    Family,
    FamilyName,
    Metric,
    family_for,
    grouped_sums_of,
    mean_over_names,
    metric,
    metric_names,
    names_entered,
    sums_of,
    value_family,
)
from fer_zoo.metrics.confusion import ConfusionSums, CountSums, class_counts
from fer_zoo.metrics.distances import DistanceSums, interocular_distance
from fer_zoo.metrics.moments import MomentSums, label_constant, prediction_constant

__all__ = [
    "METRICS",
    "CalibrationSums",
    "ConfusionSums",
    "CountSums",
    "DistanceSums",
    "Family",
    "FamilyName",
    "Metric",
    "MomentSums",
    "class_counts",
    "family_for",
    "grouped_sums_of",
    "interocular_distance",
    "label_constant",
    "mean_over_names",
    "metric",
    "metric_names",
    "names_entered",
    "prediction_constant",
    "sums_of",
    "value_family",
]
