"""Splitting and joining command lines, and finding allow_unquoted_path paths."""

from __future__ import annotations

import re
from pathlib import PureWindowsPath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from winsvc._values.commandline import (
    check_binary_path,
    command_line,
    is_unquoted_and_ambiguous,
    join,
    quote,
    split,
)
from winsvc.errors import ValidationError

# Mostly what matters to the rules, now and then anything but NUL.
texts = st.one_of(
    st.text('"\\ \tab%\n'), st.text(st.characters(exclude_characters="\0", codec=None))
)
programs = texts.map(lambda text: text.replace('"', ""))


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        ("word", "word"),
        ("", '""'),
        ("two words", '"two words"'),
        ("tab\there", '"tab\there"'),
        ('say "hi"', r'"say \"hi\""'),
        (r"a\b", r"a\b"),
        ("a\\", "a\\"),
        ("a b\\", '"a b\\\\"'),
        ('a\\"b', r'"a\\\"b"'),
        ("\\\\server\\a b", '"\\\\server\\a b"'),
        ("\\\\", "\\\\"),
    ],
)
def test_quote_escapes_spaces_quotes_and_backslashes(argument: str, quoted: str) -> None:
    assert quote(argument) == quoted


# The examples in Microsoft's "Parsing C command-line arguments", and the corners around them.
@pytest.mark.parametrize(
    ("line", "argv"),
    [
        (r'p "abc" d e', ["p", "abc", "d", "e"]),
        (r'p a\\b d"e f"g h', ["p", r"a\\b", "de fg", "h"]),
        (r"p a\\\"b c d", ["p", r"a\"b", "c", "d"]),
        (r'p a\\\\"b c" d e', ["p", r"a\\b c", "d", "e"]),
        (r'p a"b"" c d', ["p", 'ab" c d']),
        (r'p "a""b" c', ["p", 'a"b', "c"]),
        (r'p """a""" b', ["p", '"a"', "b"]),
        ('p "" b', ["p", "", "b"]),
        ('p ""', ["p", ""]),
        ('p "open to the end', ["p", "open to the end"]),
        ("p  \t a\nb ", ["p", "a\nb"]),
        ("p a\\", ["p", "a\\"]),
        ('p "a\\', ["p", "a\\"]),
        (r'"C:\a b\p.exe" -x', [r"C:\a b\p.exe", "-x"]),
        ('"C:\\a b\\" x', ["C:\\a b\\", "x"]),
        (r'C:\"a b"\p.exe x', [r"C:\a b\p.exe", "x"]),
        ('"p', ["p"]),
        ('""', [""]),
        (" a", ["", "a"]),
        ("", []),
    ],
)
def test_split_follows_microsoft_argument_rules(line: str, argv: list[str]) -> None:
    assert split(line) == argv


@given(programs, st.lists(texts))
def test_split_undoes_join(program: str, args: list[str]) -> None:
    assert split(join(program, *args)) == [program, *args]


@given(programs.filter(bool), st.lists(texts))
def test_command_line_is_never_ambiguous(path: str, args: list[str]) -> None:
    line = command_line(path, *args)
    assert split(line) == [path, *args]
    if any(character in path for character in " \t%"):
        assert line.startswith(f'"{path}"')


@given(texts)
def test_split_of_any_line_round_trips_through_join(line: str) -> None:
    argv = split(line)
    assume(argv)
    assert '"' not in argv[0]
    assert split(join(*argv)) == argv


@given(texts)
def test_split_keeps_all_characters_but_quotes_backslashes_and_blanks(line: str) -> None:
    def plain(text: str) -> str:
        return re.sub(r'["\\ \t]', "", text)

    assert plain("".join(split(line))) == plain(line)


def test_command_line_quotes_path_and_arguments() -> None:
    assert command_line(r"C:\svc.exe") == r"C:\svc.exe"
    assert command_line(r"C:\Program Files\svc.exe", "-k", "a b") == (
        r'"C:\Program Files\svc.exe" -k "a b"'
    )
    assert command_line(r"%ProgramFiles%\svc.exe", "") == r'"%ProgramFiles%\svc.exe" ""'
    assert command_line(PureWindowsPath(r"C:\a b\svc.exe")) == r'"C:\a b\svc.exe"'


@pytest.mark.parametrize("path", ["", 'C:\\a"b.exe', "C:\\a\0b.exe"])
def test_command_line_with_invalid_path_raises_argument_error(path: str) -> None:
    with pytest.raises(ValidationError, match=r"^program: "):
        command_line(path)


def test_command_line_functions_with_nul_raise_argument_error() -> None:
    for call in (quote, split, join, lambda text: join("p", text), check_binary_path):
        with pytest.raises(ValidationError, match="NUL"):
            call("a\0b")


@pytest.mark.parametrize("call", [quote, split, join, command_line, check_binary_path])
def test_command_line_functions_with_non_string_raise_type_error(call: object) -> None:
    with pytest.raises(TypeError):
        call(None)  # type: ignore[operator]
    with pytest.raises(TypeError):
        call(b"C:\\svc.exe")  # type: ignore[operator]


@pytest.mark.parametrize(
    "line",
    [
        r"C:\Program Files\x y\svc.exe -k",
        r"C:\Program Files\svc.exe",
        r"c:\program files\SVC.EXE",
        r"C:\Program Files (x86)\Foo.Bar\svc.exe --config C:\a\b.ini",
        r"C:\Program Files\Foo\svc",
        r"C:\My Service.exe",
        "C:\\Program Files\tab\\svc.exe",
        r"\\server\my share\svc.exe",
        r"%ProgramFiles%\App\svc.exe",
        r"%programfiles(x86)%\App\svc.exe -k",
        r"C:\Foo - Bar\svc.exe",
        r"C:\tools\run data\job",  # who knows whether data\job is an argument?
    ],
)
def test_unquoted_path_with_spaces_is_ambiguous_and_refused(line: str) -> None:
    assert is_unquoted_and_ambiguous(line)
    with pytest.raises(ValidationError, match=r"^binary_path: .*not quoted"):
        check_binary_path(line)


@pytest.mark.parametrize(
    "line",
    [
        r'"C:\Program Files\x y\svc.exe" -k',
        r'  "C:\Program Files\x y\svc.exe"',
        r'"%ProgramFiles%\App\svc.exe"',
        r"C:\svc.exe",
        r"C:\svc.exe -k a b",
        r"C:\svc.exe C:\Program Files\data\x.exe",
        r"C:\Windows\System32\svchost.exe -k netsvcs -p",
        r"%SystemRoot%\system32\svchost.exe -k netsvcs -p",
        r"%SystemRoot%\System32\svchost.exe -k LocalServiceNetworkRestricted",
        r"C:\jdk\bin\java -jar C:\Program Files\app.jar",
        r"C:\tools\run /config data\x.exe",
        r"C:\tools\run C:\x\y.exe",
        r'C:\tools\run "C:\a b\y.exe"',
        r"C:\tools\run \\server\share\y.exe",
        r"C:\tools\run config=data\*.exe",
        r"C:\tools\run fast",
        r"\SystemRoot\system32\drivers\x.sys",
        r"\SystemRoot\system32\drivers\my driver.sys",
        r"System32\drivers\x.sys",
        r"System32\drivers\my driver.sys",
        r"\??\C:\Program Files\AV\drv.sys",
        r"\??\C:\Program Files\AV\drv",
        r"C:\Program Files\AV New\drv.sys",
        "svchost.exe -k netsvcs",
        "",
    ],
)
def test_unambiguous_binary_path_is_accepted(line: str) -> None:
    assert not is_unquoted_and_ambiguous(line)
    if line:
        assert check_binary_path(line) == line


def test_empty_binary_path_refused() -> None:
    with pytest.raises(ValidationError, match=r"^path: must not be empty"):
        check_binary_path("", "path")


quoted_programs = st.tuples(programs, st.sampled_from(" \t%"), programs).map("".join)


@given(quoted_programs.filter(lambda path: path.strip(" \t") != ""), st.lists(texts))
def test_command_line_with_quoted_program_is_never_ambiguous(path: str, args: list[str]) -> None:
    assert not is_unquoted_and_ambiguous(command_line("C:\\" + path, *args))
