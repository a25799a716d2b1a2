"""MkDocs hook: pages of methods, data sets, label spaces and settings, made from the cards at every build.

What stands on them is what `fer-zoo info NAME` says, so a new card appears without a line of documentation. A file
`docs/cards/NAME.md` adds what has no place on a card.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from fer_zoo.cli.catalogue import rows_of
from fer_zoo.cli.info import facts_of
from fer_zoo.cli.output import cell
from fer_zoo.core.registry import DATASETS, METHODS
from fer_zoo.core.settings import describe_settings
from fer_zoo.data.datamodule import DataSettings
from fer_zoo.data.protocols import __doc__ as PROTOCOLS_DOC
from fer_zoo.engine.config import RunSettings
from fer_zoo.engine.config_files import configs_folder, options
from fer_zoo.engine.trainer_settings import LoggerSettings, TrainerSettings

COLUMNS = ("name", "type", "default", "meaning")
NOTES = "cards"  # folder below docs
_SHOWN_APART = ("name", "summary", "example", "settings")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages; MkDocs calls it before it reads the others."""
    for name, page in PAGES.items():
        files.append(File.generated(config, name, content=page(Path(config.docs_dir) / NOTES)))
    return files


def methods_page(notes: Path) -> str:
    """One section a method, under its registered name."""
    intro = "`fer-zoo list methods` names them; `fer-zoo info NAME` says what stands here."
    return _page("Methods", intro, [_section(name, notes) for name in METHODS.names()])


def datasets_page(notes: Path) -> str:
    """One section a data set, under its registered name."""
    intro = (
        "`fer-zoo list datasets` names them; `fer-zoo info NAME` says what stands here. A data set is looked for in"
        " `dataset.root=FOLDER`, then in `NAME/` in each folder of `$FER_ZOO_DATA` (a list like `PATH`), then in"
        " `data/NAME`. Photographs and labels of your own: [your own data](your_data.md)."
    )
    return _page("Data sets", intro, [_section(name, notes) for name in DATASETS.names()])


def label_spaces_page(notes: Path) -> str:
    """Every label space with its entries, in their order."""
    rows = [facts_of(str(row["name"]))[1] for row in rows_of("label_spaces")]
    shown = [
        {"name": f"`{row['name']}`", "holds": row["holds"], "unit": row["unit"], "range": row["range"],
         "entries": ", ".join(row["entries"])} for row in rows
    ]  # fmt: skip
    intro = "A label space is the named, ordered entries of a target. Two spaces map onto each other by name only."
    return _page("Label spaces", intro, [_table(shown, ("name", "holds", "unit", "range", "entries"))])


def settings_page(notes: Path) -> str:
    """What belongs to a run and to neither method nor data set, group by group, with the files of each group."""
    intro = (
        "Written `KEY=VALUE` for a run, `GROUP.KEY=VALUE` else. `GROUP=NAME` takes a file of the group, which changes"
        " the defaults it names. Settings of a [method](methods.md) are written `method.KEY=VALUE`, of a"
        " [data set](datasets.md) `dataset.KEY=VALUE`."
    )
    groups = {"run": RunSettings, "data": DataSettings, "trainer": TrainerSettings, "logger": LoggerSettings}
    parts = [_group(name, cls) for name, cls in groups.items()]
    protocols = [facts_of(str(row["name"]))[1] for row in rows_of("protocols")]
    _, _, rules = (PROTOCOLS_DOC or "").partition("\n\n")
    return _page("Settings", intro, [*parts, "## protocol", " ".join(rules.split()), *map(_protocol, protocols)])


PAGES: Mapping[str, Callable[[Path], str]] = {
    "methods.md": methods_page,
    "datasets.md": datasets_page,
    "label_spaces.md": label_spaces_page,
    "settings.md": settings_page,
}


def _page(title: str, intro: str, parts: Iterable[str]) -> str:
    return "\n\n".join([f"# {title}", intro, *parts]) + "\n"


def _section(name: str, notes: Path) -> str:
    """Everything that `info` says of a name, its notes behind."""
    kind, facts = facts_of(name)
    lines = {key: value for key, value in facts.items() if not isinstance(value, list | Mapping)}
    plain = [
        {"": _title(key), " ": cell(value)} for key, value in lines.items() if key not in _SHOWN_APART and value != ""
    ]
    parts = [f"## {name}", _sentence(facts["summary"]), _table(plain, ("", " "))]
    if facts.get("example"):
        parts.append(f"```bash\n{facts['example']}\n```")
    for key, value in facts.items():
        if isinstance(value, list | Mapping) and value and key not in _SHOWN_APART:
            parts += [f"**{_sentence(_title(key))}**", _entries(value)]
    group = "method" if kind == "methods" else "dataset"
    parts += [f"**Settings, written `{group}.KEY=VALUE`.**", _settings(facts["settings"])]
    own = notes / f"{name}.md"
    return "\n\n".join([*parts, own.read_text(encoding="utf-8").strip()] if own.is_file() else parts)


def _group(name: str, cls: type[Any]) -> str:
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in describe_settings(cls)]
    files = "\n".join(_file(name, choice) for choice in options(name))
    said = _sentence((cls.__doc__ or "").splitlines()[0])
    return "\n\n".join(filter(None, [f"## {name}", said, files, _settings(rows)]))


def _file(group: str, name: str) -> str:
    """A line on a file: its comment, and the defaults that it changes."""
    lines = (configs_folder() / group / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    comment = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    changed = ", ".join(f"`{line.replace(': ', '=')}`" for line in lines if line and not line.startswith("#"))
    return f"- `{group}={name}`: " + " ".join(filter(None, [comment, changed]))


def _protocol(facts: Mapping[str, Any]) -> str:
    said = f"{_sentence(facts['summary'])} Unit of exclusion: {facts['unit_of_exclusion']}."
    return "\n\n".join([f"### {facts['name']}", said, _settings(facts["settings"])])


def _settings(rows: Sequence[Mapping[str, Any]]) -> str:
    named = ({**row, "name": f"`{row['name']}`", "default": _default(row["default"])} for row in rows)
    return _table(list(named), COLUMNS)


def _default(value: Any) -> str:
    shown = cell(value) if value not in ("", []) else ""
    return f"`{shown}`" if shown else ""


def _entries(value: Any) -> str:
    if isinstance(value, Mapping):
        return _table([{"": key, " ": cell(entry)} for key, entry in value.items()], ("", " "))
    if isinstance(value[0], Mapping):
        return _table([{key: cell(entry) for key, entry in row.items()} for row in value], tuple(value[0]))
    return "\n".join(f"- {entry}" for entry in value)


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    lines = [map(_title, columns), ["---"] * len(columns), *([row[column] for column in columns] for row in rows)]
    return "\n".join("| " + " | ".join(str(text).replace("|", "\\|") for text in line) + " |" for line in lines)


def _title(key: str) -> str:
    return key.replace("_", " ")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
