"""Protocols: index -> splits. Functions of the index alone; no unit of exclusion ever stands in two parts of a split.

A protocol divides the samples that have a label of the target, also one outside its label space: those are left out of
training and scored apart. Samples without a label stand in no part, so adding unlabelled people changes nothing.
"""

from fer_zoo.data.protocols.catalogue import PROTOCOLS, Protocol, kept_settings, make_splits
from fer_zoo.data.protocols.labelled import subject_labels
from fer_zoo.data.protocols.splits import WHOLE, Split, Unit, check_split

__all__ = [
    "PROTOCOLS",
    "WHOLE",
    "Protocol",
    "Split",
    "Unit",
    "check_split",
    "kept_settings",
    "make_splits",
    "subject_labels",
]
