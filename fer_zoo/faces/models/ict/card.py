"""What the head `ict` is."""

from fer_zoo.core.cards import FaceModelCard, Paper, Terms

CARD = FaceModelCard(
    name="ict",
    summary="ICT-FaceKit's light model: scanned heads of real proportions, 100 identity modes, all 51 actions",
    build="fer_zoo.faces.models.ict.build:build",
    terms=Terms("MIT", "yes"),
    paper=Paper(
        title="Learning Formation of Physically-Based Face Attributes",
        venue="CVPR",
        year=2020,
        link="https://arxiv.org/abs/2004.03458",
    ),
    ask="https://github.com/ICT-VGL/ICT-FaceKit",
    downloads={
        "ict_facekit.zip": ("https://github.com/ICT-VGL/ICT-FaceKit/archive/refs/heads/master.zip", ""),
    },
    traps=(
        "mouthClose is the counter-shape of jawOpen: alone it pushes the lower lip through the upper one.",
        "It has no colours: skin, lips, brows, eyes and hair are painted by rule.",
        "All identity modes at two standard deviations make caricatures; N(0, 1) clipped to ±2 looks like people.",
        "Its shapes of gaze move the lids alone: the eyeballs are turned by the zoo.",
    ),
)
