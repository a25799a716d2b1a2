"""Draw faces with exact labels, as many as you ask for, into a folder that trains and evaluates like any data set.

fer-zoo synthesize num_samples=N output=FOLDER [dataset=synthetic_faces] [face_model=procedural] [seed=0] [size=96]
                   [KEY=VALUE …] [processes=N] [sheet=faces|targets|PART]

KEY is a setting of the data set, see `fer-zoo info synthetic_faces`: what faces do (expression=emotions, sliders or
action_units), how far heads turn (pose.yaw), light, crops, things in front, what the camera does.

  fer-zoo synthesize num_samples=5000 output=drawn
  fer-zoo synthesize num_samples=5000 output=sliders expression=sliders sliders.active=1 pose.yaw=30
  fer-zoo synthesize num_samples=64 output=look.jpg expression=action_units
  fer-zoo synthesize num_samples=64 output=light.jpg sheet=light light.colour=.2
  fer-zoo train method=timm_classifier dataset=synthetic_faces dataset.root=drawn

The same command goes on where one was stopped. More samples extend a folder: sample i is the same however many there
are. A folder of other settings is never overwritten. Without a folder, `dataset=synthetic_faces` draws the same faces
while a network trains on them.

output may end in .jpg or .png, too: one picture of at most 400 faces, for a look; with sheet=targets of at most 64, a
row for each with landmarks, mask, position map and shading. With sheet=PART a single part varies, as its settings say,
and all else is the same: identity, skin, pose, camera, light, background, occluders or capture. processes is the number
of cores.
"""

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import say


def run(command: Command) -> int:
    """Draws the faces; says first what is drawn, last where it lies."""
    from dataclasses import fields

    from fer_zoo.core.settings import build_settings
    from fer_zoo.engine.synthesize import SynthesizeSettings, synthesize

    command.allow_flags()
    command.no_files()
    own = {field.name for field in fields(SynthesizeSettings)}
    settings = build_settings(SynthesizeSettings, {key: text for key, text in command.settings if key in own}, where="")
    words = [(key.removeprefix("dataset."), text) for key, text in command.settings if key not in own]
    synthesize(settings, words, echo=say)
    return 0
