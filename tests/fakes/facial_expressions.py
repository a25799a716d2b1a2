"""A miniature of muxspace/facial_expressions: mixed case, double rows, a contradiction, a WebP named .jpg, CR lines."""

from pathlib import Path

from fakes.fake import Fake, write_image

# image, label as written, annotator
ROWS = (
    ("Aaa_Bbb_0001.jpg", "happiness", "dwdii"),
    ("Aaa_Bbb_0002.jpg", "neutral", "dwdii"),
    ("Aaa_Bbb_0003.jpg", "neutral", "302"),
    ("Ccc_Ddd-eee_0001.jpg", "surprise", "dwdii"),
    ("Ccc_Ddd-eee_0002.jpg", "happiness", "dwdii"),
    ("Fff_0001.jpg", "fear", "dwdii"),
    ("Ggg_Hhh_Iii_0001.jpg", "anger", "302"),
    ("Jjj_Kkk_0001.jpg", "contempt", "302"),
    ("Lll_Mmm_0001.jpg", "neutral", "JN721"),
    ("Nnnnnn_1.jpg", "DISGUST", "jhamski"),
    ("Nnnnnn_12.jpg", "SADNESS", "jhamski"),
    ("Oooooo_30.jpg", "HAPPINESS", "jhamski"),
    ("Oooooo_101.jpg", "DISGUST", "jhamski"),
    ("facial-expressions_0000001k.jpg", "anger", "628"),
)
AGREEING_DOUBLE = ("Aaa_Bbb_0003.jpg", "neutral", "302")
CONTRADICTION = (("Oooooo_7.jpg", "SURPRISE", "jhamski"), ("Oooooo_7.jpg", "SADNESS", "jhamski"))
UNLABELLED = ("Ppp_Qqq_0001.jpg", "Ppp_Qqq_0002.jpg")
SECOND = (
    ("Aaa_Bbb_0001.jpg", "happiness"),  # agrees
    ("Aaa_Bbb_0002.jpg", "sad"),
    ("Ccc_Ddd-eee_0001.jpg", "surprise"),  # agrees
    ("Lll_Mmm_0001.jpg", "anger"),
    ("Rrr_Sss_0001.jpg", "fear"),  # of an image that is in neither place
)
HIDDEN = ("Aaa", "Bbb", "Ccc", "Ddd", "Fff", "Ggg", "Hhh", "Jjj", "Lll", "Mmm", "Nnnnnn", "Oooooo", "Ppp", "Rrr")


def write(folder: Path) -> Fake:
    """Fourteen samples that count, one contradiction, two images without a label."""
    root = folder / "facial_expressions"
    (root / "data").mkdir(parents=True)
    rows = [*ROWS[:4], *CONTRADICTION[:1], *ROWS[4:], AGREEING_DOUBLE, *CONTRADICTION[1:]]
    legend = root / "data" / "legend.csv"
    lines = [f"{annotator},{image},{label}" for image, label, annotator in rows]
    legend.write_bytes(("user.id,image,emotion\n" + "\n".join(lines) + "\n").encode())
    second = "\r".join(f"906,{image},{label}" for image, label in SECOND)
    (root / "data" / "500_picts_satz.csv").write_bytes(second.encode())
    for number, image in enumerate(sorted({image for image, *_ in rows} | set(UNLABELLED))):
        is_film = image.startswith(("Nnnnnn", "Oooooo", "facial"))
        codec = "WEBP" if image.startswith("facial") else "JPEG"
        write_image(root / "images" / image, number, grey=not is_film, codec=codec)
    write_image(root / "test" / "XX.AN1.1.jpg", 99)  # must not be read

    def spoil_label() -> str:
        legend.write_text(legend.read_text().replace("302,Ggg_Hhh_Iii_0001.jpg,anger", "302,Ggg_Hhh_Iii_0001.jpg,sad"))
        return "sad"  # a word of the second file only

    people = {
        f"images/{image}": image if image.startswith("facial") else image.rpartition("_")[0] for image, *_ in ROWS
    }
    return Fake(
        root=root,
        settings={},
        people=people,
        labels={f"images/{image}": label.lower() for image, label, _ in ROWS},
        notes={"merged": 1, "contradictory": 1, "unlabelled": 2},
        hidden=HIDDEN,
        spoil_label=spoil_label,
    )
