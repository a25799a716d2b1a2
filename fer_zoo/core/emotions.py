"""Emotion classes in the order and with the codes of every data set, as its owners' files write them."""

from fer_zoo.core.label_spaces import LabelSpace

_HAPPY = {"happy": "happiness"}
_SAD = {"sad": "sadness"}
_ANGRY = {"angry": "anger"}
_NATIVE_WORDS = {**_HAPPY, **_SAD, **_ANGRY, "surprised": "surprise", "fearful": "fear", "disgusted": "disgust"}


def _space(
    variant: str, entries: str, codes: dict[str, str] | None = None, first_code: int | None = None
) -> LabelSpace:
    """A space from blank-separated entries; with a first code, entry i is also written as the number first_code + i."""
    names = tuple(entries.split())
    numbers = {} if first_code is None else {str(first_code + i): name for i, name in enumerate(names)}
    words = {word: name for word, name in (codes or {}).items() if name in names}
    return LabelSpace(name=f"emotion/{variant}", target="emotion", entries=names, codes={**numbers, **words})


EMOTION_SPACES: tuple[LabelSpace, ...] = (
    # Canonical, alphabetical: for folders and tables of one's own.
    _space("basic6", "anger disgust fear happiness sadness surprise", _NATIVE_WORDS),
    _space("basic7", "anger disgust fear happiness neutral sadness surprise", _NATIVE_WORDS),
    _space("basic8", "anger contempt disgust fear happiness neutral sadness surprise", _NATIVE_WORDS),
    # CK+: 0 neutral is never stored in the files; the 7-class variants differ in contempt and neutral.
    _space("ckplus8", "neutral anger contempt disgust fear happiness sadness surprise", _HAPPY, first_code=0),
    _space("ckplus7", "anger contempt disgust fear happiness sadness surprise", _HAPPY, first_code=1),
    _space(
        "ckplus7_neutral",
        "neutral anger disgust fear happiness sadness surprise",
        {
            "0": "neutral",
            "1": "anger",
            "3": "disgust",
            "4": "fear",
            "5": "happiness",
            "6": "sadness",
            "7": "surprise",
            **_HAPPY,
        },
    ),
    _space("oulu_casia", "anger disgust fear happiness sadness surprise"),
    _space("mmi", "anger disgust fear happiness sadness surprise", first_code=1),
    _space("raf", "surprise fear disgust happiness sadness anger neutral", first_code=1),
    _space(
        "fer2013", "anger disgust fear happiness sadness surprise neutral", {**_ANGRY, **_HAPPY, **_SAD}, first_code=0
    ),
    _space("ferplus", "neutral happiness surprise sadness anger disgust fear contempt", first_code=0),
    _space("affectnet7", "neutral happiness sadness surprise fear disgust anger", {**_HAPPY, **_SAD}, first_code=0),
    _space(
        "affectnet8", "neutral happiness sadness surprise fear disgust anger contempt", {**_HAPPY, **_SAD}, first_code=0
    ),
    _space("afew", "anger disgust fear happiness neutral sadness surprise", {**_ANGRY, **_HAPPY, **_SAD}),
    _space(
        "jaffe",
        "anger disgust fear happiness neutral sadness surprise",
        {
            "AN": "anger",
            "DI": "disgust",
            "FE": "fear",
            "HA": "happiness",
            "NE": "neutral",
            "SA": "sadness",
            "SU": "surprise",
        },
    ),
    # facial_expressions: eight words in mixed case; fear (21) and contempt (9) are too few to be trained or scored.
    _space("facial_expressions8", "anger contempt disgust fear happiness neutral sadness surprise", _SAD),
    _space("facial_expressions6", "anger disgust happiness neutral sadness surprise", _SAD),
)
