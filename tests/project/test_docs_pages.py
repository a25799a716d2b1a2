"""Pages made from the cards, and the navigation: everything that is registered is on them, under a stable address."""

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from markdown import markdown
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, get_files

from fer_zoo.cli.catalogue import rows_of
from fer_zoo.core.registry import DATASETS, METHODS
from fer_zoo.core.settings import describe_settings
from fer_zoo.engine.config import RunSettings
from fer_zoo.engine.config_files import GROUPS, options
from fer_zoo.engine.trainer_settings import TrainerSettings

PROJECT = Path(__file__).resolve().parents[2]
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cards_hook", PROJECT / "docs_hooks" / "cards.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def config() -> MkDocsConfig:
    """The configuration of the pages without its plug-ins, which are slow and make no page."""
    return load_config(str(PROJECT / "mkdocs.yml"), plugins=[], hooks=[])


@pytest.mark.parametrize(("page", "registry"), [("methods", METHODS), ("datasets", DATASETS)])
def test_every_name_has_its_section(page: str, registry: Any, hook: ModuleType, tmp_path: Path) -> None:
    text = hook.PAGES[f"{page}.md"](tmp_path)
    assert HEADING.findall(text) == registry.names()
    for part, name in zip(text.split("\n## ")[1:], registry.names(), strict=True):
        card = registry[name]
        assert card.summary in part.replace("\\|", "|") or card.summary[1:] in part
        assert f"commercial use | {card.commercial_use}" in part
        assert all(f"| `{setting}` |" in part for setting, *_ in describe_settings(card.settings))
    assert all(trap in text for name in DATASETS.names() for trap in DATASETS[name].traps) or page == "methods"


@pytest.mark.parametrize(("page", "registry"), [("methods", METHODS), ("datasets", DATASETS)])
def test_addresses_are_the_registered_names(page: str, registry: Any, hook: ModuleType, tmp_path: Path) -> None:
    html = markdown(hook.PAGES[f"{page}.md"](tmp_path), extensions=["tables", "toc", "fenced_code"])
    assert re.findall(r'<h2 id="([^"]+)">', html) == registry.names()


def test_a_new_card_appears_with_its_notes(hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = replace(
        DATASETS["table"], name="brand_new", summary="a set that nobody has listed", traps=("Mind the gap.",)
    )
    monkeypatch.setitem(DATASETS._found, "brand_new", (card, DATASETS.module("table")))  # type: ignore[arg-type]  # a dict
    (tmp_path / "brand_new.md").write_text("What has no place on a card.")
    text = hook.datasets_page(tmp_path)
    section = text.partition("## brand_new\n")[2]
    assert section.lstrip().startswith("A set that nobody has listed.")
    assert "- Mind the gap." in section
    assert section.rstrip().endswith("What has no place on a card.")


def test_settings_with_defaults_choices_limits_and_files(hook: ModuleType, tmp_path: Path) -> None:
    text = hook.settings_page(tmp_path)
    assert HEADING.findall(text) == ["run", "data", "trainer", "logger", "protocol"]
    assert all(f"| `{entry.name}` |" in text for cls in (RunSettings, TrainerSettings) for entry in fields(cls))
    assert "| `batch_size` | int | `64` | samples in a batch, of one process (at least 1) |" in text
    assert "(auto \\| cpu \\| gpu)" in text
    for group in set(GROUPS) - {"experiment", "protocol"}:
        assert all(f"`{group}={name}`" in text for name in options(group))
    assert all(f"### {row['name']}" in text for row in rows_of("protocols"))


def test_every_label_space_is_listed(hook: ModuleType, tmp_path: Path) -> None:
    text = hook.label_spaces_page(tmp_path)
    assert all(f"| `{row['name']}` |" in text for row in rows_of("label_spaces"))


def test_tables_are_whole(hook: ModuleType, tmp_path: Path) -> None:
    for page in hook.PAGES.values():
        tables = re.findall(r"(?:^\|.*\n?)+", page(tmp_path), re.MULTILINE)
        assert tables
        for table in tables:
            columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(columns) == 1, table


def test_all_pages_are_in_the_navigation_and_it_leads_nowhere_else(hook: ModuleType, config: MkDocsConfig) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config.plugins, "_current_plugin", "cards", raising=False)
        files = hook.on_files(get_files(config), config)
    pages = {file.src_uri for file in files.documentation_pages() if _is_published(file)}
    assert pages >= hook.PAGES.keys()
    assert set(_leaves(config.nav)) == pages


def test_notes_are_of_cards() -> None:
    names = {path.stem for path in (PROJECT / "docs" / "cards").glob("*.md")}
    assert names and names <= {*METHODS.names(), *DATASETS.names()}


def _is_published(file: File) -> bool:
    return not file.src_uri.startswith("cards/")


def _leaves(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
        return
    for inner in entry.values() if isinstance(entry, dict) else entry:
        yield from _leaves(inner)
