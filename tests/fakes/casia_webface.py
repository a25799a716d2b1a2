"""A miniature of CASIA-WebFace: folders whose numbers have gaps, images of three digits, a person with a single one."""

from pathlib import Path

from fakes.fake import Fake, write_image

# folder -> images
PEOPLE = {"0000045": 4, "0000099": 3, "0000117": 4, "0001000": 1, "0000204": 3}


def write(folder: Path) -> Fake:
    """Fifteen images of five people."""
    root = folder / "casia_webface"
    people = {}
    for place, (person, count) in enumerate(PEOPLE.items()):
        for number in range(1, count + 1):
            people[f"{person}/{number:03d}.jpg"] = person
            write_image(root / person / f"{number:03d}.jpg", 9_000 + 10 * place + number, grey=False)

    def spoil_label() -> str:
        (root / "0000045").rename(root / "0000045x")
        return "0000045x"

    return Fake(
        root=root,
        settings={},
        people=people,
        labels={},
        hidden=(),
        spoil_label=spoil_label,
        target="identity",
    )
