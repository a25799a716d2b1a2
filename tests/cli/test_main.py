import os
import subprocess
import sys

import pytest

from fer_zoo import __version__
from fer_zoo.cli import main as main_module
from fer_zoo.cli.arguments import VERBS, Command
from fer_zoo.cli.main import main, verb_help
from fer_zoo.core.errors import UserError


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-m", "fer_zoo", *words], capture_output=True, text=True, env=environment, timeout=120
    )


def verb_that(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Makes every verb raise."""

    class Verb:
        @staticmethod
        def run(command: Command) -> int:
            raise error

    monkeypatch.setattr(main_module, "verb_module", lambda verb: Verb)


def test_a_command_as_a_process() -> None:
    done = run("list", "datasets")
    assert (done.returncode, done.stderr) == (0, "")
    assert "facial_expressions" in done.stdout


def test_a_mistake_is_one_line_on_stderr_and_exit_code_2() -> None:
    done = run("info", "pixel_prob")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "fer-zoo: Nothing is named 'pixel_prob'. Did you mean 'pixel_probe'? `fer-zoo list` shows what there is.\n"
    )


def test_debug_keeps_the_traceback_and_the_exit_code() -> None:
    done = run("list", "--debug", "commercial=maybe")
    assert done.returncode == 2
    assert done.stderr.startswith("Traceback") and "commercial is 'maybe'; it must be yes, ask or no." in done.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_zoo", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 141


def test_a_terminal_without_the_sign_shows_it_escaped() -> None:
    done = run("list", "schön", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 2
    assert r"sch\xf6n" in done.stderr


@pytest.mark.parametrize("words", [["list"], ["info", "timm_classifier"], ["info", "facial_expressions"], ["--help"]])
def test_light_verbs_import_nothing_heavy(words: list[str]) -> None:
    heavy = {"torch", "pytorch_lightning", "timm", "torchmetrics", "matplotlib", "albumentations", "hydra"}
    heavy |= {"scipy.special", "scipy.stats", "scipy.spatial", "sklearn"}
    code = f"import sys; from fer_zoo.cli.main import main; main({words}); sys.exit(str({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60).stderr == b"set()\n"


def test_the_package_alone_imports_no_other() -> None:
    code = "import sys, fer_zoo; print({'numpy', 'pandas', 'torch', 'fer_zoo.engine'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code]) == b"set()\n"


def test_ctrl_c_says_that_what_is_done_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verb_that(monkeypatch, KeyboardInterrupt())
    assert main(["list"]) == 130
    assert "what is done stays" in capsys.readouterr().err


def test_a_sentence_of_many_lines_becomes_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verb_that(monkeypatch, UserError("first\n  second"))
    assert main(["list"]) == 2
    assert capsys.readouterr().err == "fer-zoo: first\\n second\n"


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    verb_that(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["list"])


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_overview_names_every_verb_and_flag(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert [verb for verb in VERBS if f"\n  {verb} " not in shown] == []
    assert "--show-paths" in shown


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_has_its_form_and_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help", "nonsense"]) == 0
    assert capsys.readouterr().out.strip() == verb_help(verb)
    assert verb_help(verb).count(f"fer-zoo {verb}") >= 2
    assert max(map(len, verb_help(verb).splitlines())) <= 120


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fer-zoo {__version__}\n"
