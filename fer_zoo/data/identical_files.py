"""Image files with the same content: found by size first, then by hash, and named by id."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fer_zoo.core.files import file_sha256
from fer_zoo.core.progress import progress
from fer_zoo.data.index import SPLIT_PARTS, Index
from fer_zoo.data.protocols import Split

Groups = tuple[tuple[str, ...], ...]
_SHOWN = 3


def identical_files(index: Index, ids: Iterable[str], *, show: bool = True) -> Groups:
    """The groups of ids whose files have the same content, sorted.

    Files that are missing or empty are in no group, nor are rows that share a file: they are frames of a video. Only
    files of equal size are read.

    Args:
        index: the data set.
        ids: which of its samples.
        show: draw a bar on a terminal.
    """
    names = sorted(set(ids))
    images = index.table["image"].iloc[index.rows_of(names)].tolist()
    uses = Counter(images)
    paths = {name: index.root / image for name, image in zip(names, images, strict=True) if uses[image] == 1}
    with ThreadPoolExecutor(max_workers=8) as pool:
        sizes = dict(zip(paths, pool.map(_size, paths.values(), chunksize=256), strict=True))
        shared = Counter(sizes.values())
        alike = [name for name, size in sizes.items() if size and shared[size] > 1]
        contents = pool.map(_content, (paths[name] for name in alike), chunksize=16)
        bar = progress(contents, "comparing files", total=len(alike), unit="files", show=show)
        by_content: dict[str, list[str]] = {}
        for name, content in zip(alike, bar, strict=True):
            by_content.setdefault(content, []).append(name)
    return tuple(tuple(group) for content, group in by_content.items() if content and len(group) > 1)


def identical_across(index: Index, split: Split, *, show: bool = True) -> Groups:
    """The groups of ids with the same content that stand in different parts of a split."""
    ids = [name for part in SPLIT_PARTS for name in getattr(split, part)]
    return across(identical_files(index, ids, show=show), split)


def across(groups: Groups, split: Split) -> Groups:
    """What of each group is in a split, of the groups that stand in different parts of it."""
    part_of = {name: part for part in SPLIT_PARTS for name in getattr(split, part)}
    within = [tuple(name for name in group if name in part_of) for group in groups]
    return tuple(group for group in within if len({part_of[name] for name in group}) > 1)


def identical_sentence(groups: Sequence[Sequence[str]]) -> str:
    """One line that names up to three of the groups by two ids of each; "" for none."""
    if not groups:
        return ""
    pairs = ", ".join(f"{group[0]} = {group[1]}" for group in groups[:_SHOWN])
    more = f" and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
    return (
        f"identical files stand in different parts of the split: {pairs}{more}; what is tested was seen in training or"
        " chose the weights"
    )


def _size(path: Path) -> int:
    """Bytes of a file; 0 for one that is not there, as where a row is no file of its own."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except (OSError, ValueError):
        return 0


def _content(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:  # told where the image is read
        return ""
