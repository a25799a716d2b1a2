"""Draw a face from named sliders and a pose.

fer-zoo render [face_model=procedural] [WORD=VALUE …] [seed=N] [size=256] [output=face.png]
               [sheet=actions|sliders|emotions|identities|poses] [root=FOLDER] [num_identity=50]

WORD says something of the face: an action, a slider or a plain word like smile or blink (0 to 1), emotion=NAME, a mode
of identity (standard deviations), a style (hair=long), yaw, pitch, roll (degrees), skin and make_up (0 to 1),
hair_colour, iris. `fer-zoo info procedural` lists them. A later word replaces an earlier one; left and right are the
subject's own.

  fer-zoo render smile=.8 yaw=20
  fer-zoo render emotion=surprise hair=long brows=thin age=-1 skin=.6 output=surprise.png
  fer-zoo render seed=7 output=turntable.gif
  fer-zoo render sheet=emotions output=emotions.jpg
  fer-zoo render face_model=ict seed=3 mouthSmileLeft=1 jawOpen=.3

output ends in .png or .jpg, or in .gif for a head that turns; a picture of that name is replaced. seed=N is a random
person, the same each time. root is the folder of the model's files, where it has any; num_identity how many identity
modes ict has, 1 to 100.
"""

from fer_zoo.cli.arguments import Command
from fer_zoo.cli.output import say


def run(command: Command) -> int:
    """Draws the picture."""
    from dataclasses import fields

    from fer_zoo.core.settings import build_settings
    from fer_zoo.engine.render import RenderSettings, render

    command.allow_flags()
    command.no_files()
    own = {field.name for field in fields(RenderSettings)}
    settings = build_settings(RenderSettings, {key: text for key, text in command.settings if key in own}, where="")
    render(settings, [(key, text) for key, text in command.settings if key not in own], echo=say)
    return 0
