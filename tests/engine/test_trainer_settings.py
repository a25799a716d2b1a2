import pytest

from fer_zoo.core.errors import UserError
from fer_zoo.core.settings import build_settings
from fer_zoo.engine.trainer_settings import LoggerSettings, TrainerSettings


@pytest.mark.parametrize("devices", ["auto", "1", "16"])
def test_devices_are_a_number_or_auto(devices: str) -> None:
    assert build_settings(TrainerSettings, {"devices": devices}, where="trainer").devices == devices


@pytest.mark.parametrize("devices", ["0", "-1", "x", "", "1.5", "²"])
def test_other_devices_are_refused(devices: str) -> None:
    with pytest.raises(
        UserError, match=r"trainer\.devices is .*; it must be a number of devices or processes, or auto"
    ):
        build_settings(TrainerSettings, {"devices": devices}, where="trainer")


def test_a_log_is_written_unless_switched_off() -> None:
    assert (LoggerSettings().csv, LoggerSettings().tensorboard) == (True, False)


def test_a_wandb_project_without_wandb_is_told() -> None:
    for values in ({"project": "faces"}, {"entity": "lab", "tensorboard": True}):
        with pytest.raises(UserError, match=r"are of wandb; add logger=wandb or logger\.wandb=true\.$"):
            build_settings(LoggerSettings, values, where="logger")
    with pytest.raises(UserError, match=r"logger\.project is empty"):
        build_settings(LoggerSettings, {"project": " ", "wandb": True}, where="logger")
    assert build_settings(LoggerSettings, {"project": "faces", "wandb": True}, where="logger").project == "faces"
