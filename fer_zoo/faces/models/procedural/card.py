"""The card of the head that is made by code alone."""

from fer_zoo.core.cards import FaceModelCard

CARD = FaceModelCard(
    name="procedural",
    summary="A head made by code alone: always there, fast, every part of it known.",
    build="fer_zoo.faces.models.procedural.build:build",
    traps=("Its people are schematic: what a network learns from them alone does not carry over to photographs.",),
)
