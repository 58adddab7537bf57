r"""Split, join and check command lines by the rules of Windows programs.

The rules are those of the Microsoft C runtime since 2008. CommandLineToArgvW differs only for
``""`` inside quotes (see :func:`split`), which :func:`join` does not write:

* The program name ends at the first blank or tab outside quotes. A quote turns quoting on or off
  and is removed. A backslash has no special meaning.
* Arguments are separated by blanks and tabs outside quotes. A backslash has a special meaning only
  before a quote: each pair of backslashes is one backslash, and a remaining one makes the quote a
  literal quote.

Windows starts the program of a service by the same rules. For the unquoted command line
``C:\Program Files\App\svc.exe`` it first tries ``C:\Program.exe``. :func:`command_line` does not
write such a line, and :func:`is_unquoted_and_ambiguous` detects it.
"""

from __future__ import annotations

import os
import re
from typing import Final

from winsvc._public import publish
from winsvc._util.text import check_text
from winsvc.errors import ValidationError

__all__ = [
    "check_binary_path",
    "command_line",
    "is_unquoted_and_ambiguous",
    "join",
    "quote",
    "split",
]

# Only blank and tab separate arguments; line breaks are quoted for programs with other rules.
_NEEDS_QUOTES: Final = re.compile('[ \t\n\v"]')
_BACKSLASHES_BEFORE_QUOTE: Final = re.compile(r'(\\*)("|\Z)')

_STARTABLE: Final = (".exe", ".com", ".bat", ".cmd", ".sys")
_HOLDS_A_BLANK: Final = re.compile(
    r"%(?:(?:Common)?ProgramFiles(?:\(x86\))?|(?:Common)?ProgramW6432)%", re.IGNORECASE
)


def quote(argument: str) -> str:
    """Quote one argument for a command line.

    Args:
        argument: a text without NUL.

    Returns:
        The argument, quoted if it is empty or contains a blank, a tab, a line break or a quote.

    Raises:
        TypeError: *argument* is not a str.
        ValidationError: *argument* contains a NUL.
    """
    check_text(argument, "argument")
    if argument and not _NEEDS_QUOTES.search(argument):
        return argument
    # Backslashes are doubled only before a quote: a quote in the text, or the closing quote.
    escaped = _BACKSLASHES_BEFORE_QUOTE.sub(
        lambda match: match[1] * 2 + ('\\"' if match[2] else ""), argument
    )
    return f'"{escaped}"'


def join(program: str, *args: str) -> str:
    r"""Join a program and arguments to a command line, which :func:`split` splits again.

    The program is quoted if it contains a blank, or a ``%``: Windows expands variables, whose
    values may contain a blank, before it searches the end of the path.

    Args:
        program: the name or path of the program, without quotes.
        *args: the arguments.

    Returns:
        The command line.

    Raises:
        TypeError: an argument is not a str.
        ValidationError: the program contains a quote, or an argument contains a NUL.
    """
    check_text(program, "program")
    if '"' in program:
        raise ValidationError("program", f"must not contain a quote: {program!r}")
    # Not quote(): in a program name, a backslash before a quote has no special meaning.
    bare = program and "%" not in program and not _NEEDS_QUOTES.search(program)
    name = program if bare else f'"{program}"'
    return " ".join([name, *map(quote, args)])


def split(line: str) -> list[str]:
    r"""Split a command line into the program and its arguments.

    Inside quotes, ``""`` is a literal quote that does not end quoting, as in the C runtime since
    2008. (In CommandLineToArgvW it ends quoting.) The end of the line ends quoting.

    Args:
        line: the command line.

    Returns:
        The program, which is "" if the line begins with a blank, and the arguments; an empty list
        for an empty line.

    Raises:
        TypeError: *line* is not a str.
        ValidationError: *line* contains a NUL.
    """
    check_text(line, "line")
    if not line:
        return []
    program, rest = _split_program(line)
    return [program, *_split_arguments(rest)]


def _split_program(line: str) -> tuple[str, str]:
    quoted = False
    for position, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character in " \t" and not quoted:
            return line[:position].replace('"', ""), line[position:]
    return line.replace('"', ""), ""


def _split_arguments(text: str) -> list[str]:
    arguments: list[str] = []
    current: list[str] | None = None  # None between arguments; a quoted argument may be empty
    quoted = False
    position = 0
    while position < len(text):
        character = text[position]
        if character in " \t" and not quoted:
            if current is not None:
                arguments.append("".join(current))
                current = None
            position += 1
            continue
        current = [] if current is None else current
        start = position
        while position < len(text) and text[position] == "\\":
            position += 1
        slashes = position - start
        if position < len(text) and text[position] == '"':
            current.append("\\" * (slashes // 2))
            if slashes % 2:
                current.append('"')
            elif quoted and text[position + 1 : position + 2] == '"':
                current.append('"')
                position += 1
            else:
                quoted = not quoted
            position += 1
        elif slashes:
            current.append("\\" * slashes)
        else:
            current.append(character)
            position += 1
    if current is not None:
        arguments.append("".join(current))
    return arguments


def command_line(program: str | os.PathLike[str], *args: str) -> str:
    """Return the command line for the program of a service.

    Args:
        program: the path of the program. The path of a driver must not be quoted; do not use this
            function for a driver.
        *args: the arguments.

    Returns:
        The command line.

    Raises:
        TypeError: an argument is not a str, or the program is not a path of str.
        ValidationError: the program is empty or contains a quote, or an argument contains a NUL.
    """
    return join(check_text(os.fspath(program), "program", empty=False), *args)


def is_unquoted_and_ambiguous(line: str) -> bool:
    r"""Return whether Windows may start another program than the one in a stored command line.

    This is the case if the path of the program contains a blank and is not quoted: a user who can
    write to ``C:\`` can create a ``Program.exe`` there. Only the text is examined. The path ends
    with the first part that has the extension of a program (``.exe`` and others), or before a part
    that cannot continue a path: an option (``-k``, ``/k``), a quote, another root. Without such an
    extension, a later part with a backslash makes a line ambiguous.

    The result is False for a quoted path, a path without blanks, a driver (``.sys``, or a kernel
    path such as ``\SystemRoot\...`` and ``\??\C:\...``, which is not a command line), and a
    variable, except variables with a blank in their values (``%ProgramFiles%`` and similar).

    Args:
        line: the command line as the system stores it.

    Returns:
        Whether the path must be quoted.
    """
    line = _HOLDS_A_BLANK.sub(r"C:\\Program Files", line.strip(" \t"))
    if line.startswith('"') or re.match(r"\\[^\\]", line):
        return False
    first, *others = re.split(r"[ \t]+", line)
    path = [first]
    for part in others:
        if path[-1].lower().endswith(_STARTABLE) or re.match(r"[-/].|\\", part):
            break
        if re.search(r'[":<>|?*]', part):
            break
        path.append(part)
    if path[-1].lower().endswith(".sys"):
        return False
    if path[-1].lower().endswith(_STARTABLE):
        return len(path) > 1
    return any("\\" in part for part in path[1:])


def check_binary_path(
    text: str, argument: str = "binary_path", *, allow_unquoted_path: bool = False
) -> str:
    """Check a command line before it is stored.

    Args:
        text: the command line, or the path of a driver.
        argument: the name of the argument in an error.
        allow_unquoted_path: whether the path may be unquoted and ambiguous.

    Returns:
        The text.

    Raises:
        TypeError: *text* is not a str.
        ValidationError: *text* is empty, contains a NUL, or is unquoted and ambiguous.
    """
    check_text(text, argument, empty=False)
    if not allow_unquoted_path and is_unquoted_and_ambiguous(text):
        raise ValidationError(
            argument,
            f"the path of the program contains a blank and is not quoted: {text}; quote it, or "
            "specify allow_unquoted_path=True",
        )
    return text


publish(__name__)
