"""Labels in short give the same rows of guesses as the labels themselves."""

import json

import numpy as np
import pandas as pd

from fer_zoo.core.label_spaces import label_space
from fer_zoo.evaluation.prediction_table import prediction_table
from fer_zoo.evaluation.reference_rows import reference_rows
from fer_zoo.evaluation.training_labels import expanded, summarised

BASIC, AU = label_space("emotion/basic6"), label_space("au/fera2015")


def people(number: int) -> pd.DataFrame:
    ids = [f"{i:012x}" for i in range(number)]
    return pd.DataFrame(
        {"id": ids, "subject": ids, "clip": "", "source": [("web", "film", "")[i % 3] for i in range(number)]}
    )


def test_counts_by_source() -> None:
    training = pd.DataFrame({"source": ["a", "a", "b", None], "emotion": ["fear", "anger", "fear", None]})
    assert summarised(training, BASIC) == {"counts": {"a": {"fear": 1, "anger": 1}, "b": {"fear": 1}}}


def test_classes_give_the_same_rows() -> None:
    rng = np.random.default_rng(0)
    training = people(200).assign(emotion=[[*BASIC.entries, "neutral", None][i] for i in rng.integers(0, 8, 200)])
    test = people(40).assign(emotion=rng.choice(list(BASIC.entries), 40))
    table = prediction_table(test, BASIC, test["id"].to_list(), rng.dirichlet(np.ones(6), 40))
    again = expanded(json.loads(json.dumps(summarised(training, BASIC))), BASIC)
    assert repr(reference_rows(again, table, BASIC)) == repr(reference_rows(training, table, BASIC))  # NaN is not NaN


def test_values_give_the_same_rows() -> None:
    rng = np.random.default_rng(1)
    values = pd.DataFrame(rng.uniform(0, 5, (60, 5)), columns=list(AU.entries)).assign(AU17=np.nan)
    values.iloc[:7, 0] = np.nan
    training, test = pd.concat([people(60), values], axis=1), pd.concat([people(60), values.iloc[::-1]], axis=1)
    table = prediction_table(test, AU, test["id"].to_list(), rng.uniform(0, 5, (60, 5)))
    again = expanded(json.loads(json.dumps(summarised(training, AU), allow_nan=False)), AU)
    assert expanded(summarised(again, AU), AU).equals(again)
    first, second = ([(r.name, r.note, str(r.values)) for r in reference_rows(t, table, AU)] for t in (again, training))
    assert first == second
