import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from fakes.server import answering
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from fer_zoo.core.download import download, unpack
from fer_zoo.core.errors import UserError

CONTENT = bytes(range(256)) * 10_000
CHECKSUM = sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Knows /whole, /cut (ends too early) and /unsized (tells no length)."""

    def do_GET(self) -> None:
        if self.path not in ("/whole", "/cut", "/unsized"):
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/unsized":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000] if self.path == "/cut" else CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with answering(Server) as address:
        yield address


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.parametrize("page", ["whole", "unsized"])
def test_a_file_is_fetched_and_progress_told(
    tmp_path: Path, address: str, page: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    download(f"{address}/{page}", tmp_path / "new" / "file", CHECKSUM)
    assert (tmp_path / "new" / "file").read_bytes() == CONTENT
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(Console, "is_terminal", True)
    download(f"{address}/{page}", tmp_path / "again", CHECKSUM)
    told, size = capsys.readouterr().err, len(CONTENT) // 1000
    assert f"/{size}" in told if page == "whole" else "/?" in told
    assert "kB/s" in told


def test_a_file_that_is_right_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    download("http://127.0.0.1:9/nobody-answers", tmp_path / "file", CHECKSUM)
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("page", "reason"), [("missing", "404"), ("cut", f"the connection ended after 1000 of {len(CONTENT)} bytes")]
)
def test_a_failed_download_names_address_target_checksum_and_the_way_by_hand(
    tmp_path: Path, address: str, page: str, reason: str
) -> None:
    target = tmp_path / "file"
    with pytest.raises(UserError, match=reason) as raised:
        download(f"{address}/{page}", target, CHECKSUM)
    for part in (f"{address}/{page}", f"by hand and save it as {target}", CHECKSUM):
        assert part in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="refused"):
        download("http://127.0.0.1:9/file", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_checksum_removes_what_came_and_keeps_what_was(tmp_path: Path, address: str) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(UserError, match=f"has sha256 {CHECKSUM}: it is not the file expected") as raised:
        download(f"{address}/whole", target, "0" * 64)
    assert "0" * 64 in str(raised.value)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("strange", ["file:///etc/passwd", "ftp://example.org/a", "no address"])
def test_other_schemes_are_refused(tmp_path: Path, strange: str) -> None:
    with pytest.raises(UserError, match="only http and https"):
        download(strange, tmp_path / "file")


def write_archive(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name), content)
        return path
    mode = {".gz": "w:gz", ".xz": "w:xz", ".bz2": "w:bz2"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # the mode is chosen by the suffix
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


ARCHIVES = ["a.zip", "a.tar", "a.tar.gz", "a.tar.xz", "a.tar.bz2"]
FILES = {"top/images/1.jpg": bytes(5000), "top/legend.csv": b"a,b\n", "top/empty": b""}


@pytest.mark.parametrize("name", ARCHIVES)
def test_every_kind_of_archive_is_unpacked_by_content(tmp_path: Path, name: str) -> None:
    write_archive(tmp_path / name, FILES).rename(tmp_path / "no_suffix")
    unpack(tmp_path / "no_suffix", tmp_path / "new" / "set")
    assert contents(tmp_path / "new" / "set") == FILES
    unpack(tmp_path / "no_suffix", tmp_path / "new" / "bare", drop_top_folder=True)
    assert contents(tmp_path / "new" / "bare") == {name.removeprefix("top/"): text for name, text in FILES.items()}
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["bare", "set"]


def test_folders_are_members_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.mkdir("empty")
    unpack(tmp_path / "a.zip", tmp_path / "set")
    assert (tmp_path / "set" / "empty").is_dir()


LEAVING = ["../evil", "a/../../evil", "/evil", "a\\..\\..\\evil", "C:\\evil", "C:evil", "\\\\host\\share\\evil", ".."]


@pytest.mark.parametrize("archive", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize("name", LEAVING)
def test_members_that_would_leave_the_folder_are_refused(tmp_path: Path, archive: str, name: str) -> None:
    path = write_archive(tmp_path / archive, {"good": b"1", name: b"evil"})
    with pytest.raises(UserError, match=rf"Member 2 of {archive} would be written outside the folder"):
        unpack(path, tmp_path / "set")
    assert list(tmp_path.iterdir()) == [path]


words = st.text(alphabet="ab.", max_size=3)
member_names = st.lists(st.one_of(st.just(".."), words), min_size=1, max_size=5).map("/".join)


@given(names=st.lists(member_names, min_size=1, max_size=4), kind=st.sampled_from(["zip", "tar"]))
def test_whatever_the_names_nothing_is_written_beside(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], kind: str
) -> None:
    outer = tmp_path_factory.mktemp("outer")
    inner = outer / "x" / "y"
    inner.mkdir(parents=True)
    archive = write_archive(outer / f"a.{kind}", dict.fromkeys(names, b"content"))
    try:
        unpack(archive, inner / "set")
        written = contents(inner / "set")
        assert all(text == b"content" for text in written.values())
    except UserError:
        assert not (inner / "set").exists()
    kept = {p for p in outer.rglob("*") if inner / "set" not in (p, *p.parents)}
    assert kept == {archive, outer / "x", inner}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("link")
    info.type, info.linkname = kind, "../../outside"
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.addfile(info)
    with pytest.raises(UserError, match=r"Member 1 of a\.tar is a link or a device"):
        unpack(tmp_path / "a.tar", tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_links_in_zip_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc")
    with pytest.raises(UserError, match=r"Member 1 of a\.zip is a link or a device"):
        unpack(tmp_path / "a.zip", tmp_path / "set")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.xz", "a.tar.bz2"])
def test_an_archive_cut_short_is_one_sentence_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    noise = sha256(b"1").digest() * 400 + bytes(i * i % 251 for i in range(20_000))
    whole = write_archive(tmp_path / name, {"x": noise, "y": noise}).read_bytes()
    for share in (0.0, 0.01, 0.3, 0.7, 0.95):
        (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(UserError, match="damaged"):
            unpack(tmp_path / name, tmp_path / "set")
    assert list(tmp_path.iterdir()) == [tmp_path / name]


@given(data=st.data())
def test_flipped_bits_never_end_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    archive = write_archive(folder / data.draw(st.sampled_from(ARCHIVES)), FILES)
    content = bytearray(archive.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)):
        content[place] ^= data.draw(st.integers(1, 255))
    archive.write_bytes(content)
    try:
        unpack(archive, folder / "set")
    except UserError:
        assert list(folder.iterdir()) == [archive]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.zip", FILES)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine").write_text("mine")
    with pytest.raises(UserError, match="which is not empty"):
        unpack(archive, tmp_path / "set")
    assert contents(tmp_path / "set") == {"mine": b"mine"}
    (tmp_path / "set" / "mine").unlink()
    unpack(archive, tmp_path / "set")
    assert contents(tmp_path / "set") == FILES


def test_names_that_clash_are_told(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar", {"x": b"1", "x/y": b"2"})
    with pytest.raises(UserError, match=re.escape("Member 2 of a.tar cannot be unpacked")):
        unpack(archive, tmp_path / "set")


def test_dropping_a_top_folder_needs_exactly_one(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.zip", {"x/1": b"1", "y/1": b"2"})
    with pytest.raises(UserError, match="expected to hold one folder, found 2"):
        unpack(archive, tmp_path / "set", drop_top_folder=True)
    assert list(tmp_path.iterdir()) == [archive]


def test_an_encrypted_zip_is_told(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.zip", {"x": b"1"})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="is encrypted"):
        unpack(path, tmp_path / "set")
