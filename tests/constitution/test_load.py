"""What a constitution may be loaded from, and what is said where it may not."""

import errno
import hashlib
from pathlib import Path

import pytest

from whyset.constitution import Constitution, ConstitutionError
from whyset.errors import WhysetError

NO_PROSE = "a constitution is a Markdown document with text under its headings"
BINARY = ": is a binary file (it holds NUL bytes); give a Markdown document"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "values.md"


def refusal(source: str | Path) -> str:
    with pytest.raises(ConstitutionError) as caught:
        Constitution.load(source)
    return str(caught.value)


def test_a_file_by_path_and_by_name(file: Path) -> None:
    file.write_text("## One\n\nBe kind.\n", encoding="utf-8")

    constitution = Constitution.load(file)

    assert constitution == Constitution.load(str(file))
    assert constitution.title == "values"
    assert constitution.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [passage.plain for passage in constitution.passages] == ["Be kind."]


@pytest.mark.parametrize("text", ["# One\nBe kind.", "Be kind.\r", "\nBe kind."])
def test_what_has_a_line_break_is_text_and_not_a_path(text: str) -> None:
    assert Constitution.load(text).passages == Constitution.parse(text).passages


def test_a_windows_file_with_a_byte_order_mark(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf# One\r\n\r\nBe kind.\r\n")

    assert Constitution.load(file) == Constitution.parse("# One\n\nBe kind.\n")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", f": is empty; {NO_PROSE}"),
        (b" \r\n\t\n", f": is empty; {NO_PROSE}"),
        (b"\xef\xbb\xbf", f": is empty; {NO_PROSE}"),
        (b"# One\n\n## Two\n", f": has headings but no text; {NO_PROSE}"),
        (b"<!-- one -->\n\n[a]: b\n\n***\n", f": has no text; {NO_PROSE}"),
        (b"---\ntitle: One\n---\n", f": has no text; {NO_PROSE}"),
        (b"PK\x03\x04\0\0", BINARY),
        ("Be kind.\n".encode("utf-16"), ": is UTF-16; save it as UTF-8"),
        ("Be kind.\n".encode("utf-16-be"), BINARY),
        (
            "# One\n\nSoyez bénévole.\n".encode("latin-1"),
            ":3: is not UTF-8 (byte 0xe9); save it as UTF-8",
        ),
        (b"One\rTwo\r\nThree \x93four\x94", ":3: is not UTF-8 (byte 0x93); save it as UTF-8"),
        (
            b"a\n" * 500_001,
            ": is longer than 1,000,000 characters; give the constitution alone, or split it",
        ),
        (
            b"a\n" * 2_000_001,
            ": is longer than 1,000,000 characters; give the constitution alone, or split it",
        ),
    ],
)
def test_files_that_are_no_constitution(file: Path, data: bytes, problem: str) -> None:
    file.write_bytes(data)

    assert refusal(file) == f"{file}{problem}"


def test_a_missing_file(file: Path) -> None:
    assert refusal(file) == f"{file}: cannot be read: No such file or directory"


def test_a_directory(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"


def test_an_unreadable_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    # The suite may run as root, whom no mode keeps out.
    monkeypatch.setattr(Path, "open", refuse)

    assert refusal(file) == f"{file}: cannot be read: Permission denied"


def test_a_path_that_no_file_can_have() -> None:
    assert refusal("a\0b") == "a\0b: cannot be read: embedded null byte"
    assert refusal("a" * 5000) == f"{'a' * 5000}: cannot be read: File name too long"


def test_text_that_no_file_can_hold() -> None:
    assert refusal("One\n\0") == "<text>: holds NUL characters; give a Markdown document"
    assert refusal("One\n\ud83d") == (
        "<text>:2: holds half a surrogate pair, which is no character; decode the text again from "
        "its source"
    )


def test_errors_can_be_caught_with_those_of_the_package() -> None:
    with pytest.raises(WhysetError):
        Constitution.parse("")


@pytest.mark.parametrize(
    ("text", "name", "title"),
    [
        ("# One\na\n## Two\nb", "values.md", "One"),
        ("# One\na\n# Two\nb", "my/values.md", "values"),
        ("a", "my/values.md", "values"),
        ("#\na", "values.md", "values"),
        ("a", "<text>", "Untitled"),
        ("---\ntitle: 'One: two'\n---\n# Three\na", "values.md", "One: two"),
        ("---\ntitle:\n---\n# Three\na", "values.md", "Three"),
        ("> # One\n\na", "values.md", "values"),
    ],
)
def test_titles(text: str, name: str, title: str) -> None:
    assert Constitution.parse(text, name=name).title == title
