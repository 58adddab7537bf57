r"""Command lines, split and joined as Windows programs do it.

The rules are those of the Microsoft C runtime since 2008, which are also CommandLineToArgvW's but
for one oddity that :func:`join` never writes (``""`` inside quotes, see :func:`split`):

* The program name ends at the first blank or tab outside quotes. A quote switches quoting on or
  off and is dropped. A backslash is just a backslash.
* Arguments are separated by blanks and tabs outside quotes. Backslashes mean themselves, unless a
  quote follows: then each pair of them is one backslash, and one left over makes the quote a
  literal one.

A service's program is started from its command line in the same way, with one trap: of an allow_unquoted_path
``C:\Program Files\App\svc.exe`` Windows first tries ``C:\Program.exe``. :func:`command_line` never
writes such a line, and :func:`is_unquoted_and_ambiguous` finds one.
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

# Only blank and tab separate arguments; the other two are quoted to be safe from other readers.
_NEEDS_QUOTES: Final = re.compile('[ \t\n\v"]')
_BACKSLASHES_BEFORE_QUOTE: Final = re.compile(r'(\\*)("|\Z)')

_STARTABLE: Final = (".exe", ".com", ".bat", ".cmd", ".sys")
_HOLDS_A_BLANK: Final = re.compile(
    r"%(?:(?:Common)?ProgramFiles(?:\(x86\))?|(?:Common)?ProgramW6432)%", re.IGNORECASE
)


def quote(argument: str) -> str:
    """Write one argument so that it is read back as it is.

    Args:
        argument: any text without NUL.

    Returns:
        The argument, in quotes if it is empty or has a blank, a tab, a line break or a quote.

    Raises:
        TypeError: it is not a str.
        ValidationError: it has a NUL.
    """
    check_text(argument, "argument")
    if argument and not _NEEDS_QUOTES.search(argument):
        return argument
    # Backslashes count only before a quote: those in the text, and the one that closes it.
    escaped = _BACKSLASHES_BEFORE_QUOTE.sub(
        lambda match: match[1] * 2 + ('\\"' if match[2] else ""), argument
    )
    return f'"{escaped}"'


def join(program: str, *args: str) -> str:
    r"""Write a command line; :func:`split` gives the program and the arguments back.

    The program is in quotes if it has a blank, or a ``%`` and so a variable that may bring one:
    the system expands a service's command line before it looks for the end of the path.

    Args:
        program: the program's name or path; no quote can be written in it, and none is legal.
        *args: the arguments.

    Returns:
        The command line.

    Raises:
        TypeError: something is not a str.
        ValidationError: the program has a quote, or something has a NUL.
    """
    check_text(program, "program")
    if '"' in program:
        raise ValidationError("program", f"{program!r} has a quote, which no path can have")
    # Not quote(): in a program name a backslash before a quote is a backslash.
    bare = program and "%" not in program and not _NEEDS_QUOTES.search(program)
    name = program if bare else f'"{program}"'
    return " ".join([name, *map(quote, args)])


def split(line: str) -> list[str]:
    r"""Split a command line into the program and its arguments.

    Inside quotes ``""`` is a literal quote, and the quotes stay open, as the C runtime has it since
    2008. (CommandLineToArgvW closes them.) An open quote is closed by the end of the line.

    Args:
        line: the command line.

    Returns:
        The program, which is "" when the line begins with a blank, and the arguments; nothing for
        an empty line.

    Raises:
        TypeError: it is not a str.
        ValidationError: it has a NUL.
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
    current: list[str] | None = None  # None between arguments: an empty one may be quoted
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
    """Write the command line of a service's program: :func:`join`, for a path.

    Args:
        program: its path. (A driver is a path without quotes or arguments: don't use this for one.)
        *args: its arguments.

    Returns:
        The command line.

    Raises:
        TypeError: something is not a str, or the program not a path of str.
        ValidationError: the program is empty or has a quote, or something has a NUL.
    """
    return join(check_text(os.fspath(program), "program", empty=False), *args)


def is_unquoted_and_ambiguous(line: str) -> bool:
    r"""Whether a stored command line lets Windows start another program than is meant.

    That is so when the path of the program has a blank and is not in quotes: someone who may write
    to ``C:\`` can put a ``Program.exe`` there. Only the text is looked at. The path is taken to end
    with the first part that ends in ``.exe`` or the like, or before one that cannot go on a path:
    an option (``-k``, ``/k``), a quote, another root. Without an ending such as ``.exe`` a later
    part with a backslash makes a line ambiguous.

    No alarm is raised for a quoted path, a path without blanks, a driver (``.sys``, or a path of
    the kernel's such as ``\SystemRoot\...`` and ``\??\C:\...``, which is not a command line), nor
    for a variable, unless it is one that holds a blank (``%ProgramFiles%`` and its kin).

    Args:
        line: the command line as the system stores it.

    Returns:
        Whether it should be put in quotes.
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
    """Check a command line that somebody else wrote before it is stored.

    Args:
        text: the command line, or a driver's path.
        argument: how to call it in an error.
        allow_unquoted_path: whether it may be allow_unquoted_path and ambiguous.

    Returns:
        The text.

    Raises:
        TypeError: it is not a str.
        ValidationError: it is empty, has a NUL, or is allow_unquoted_path and ambiguous.
    """
    check_text(text, argument, empty=False)
    if not allow_unquoted_path and is_unquoted_and_ambiguous(text):
        raise ValidationError(
            argument,
            f"the program's path has a blank and is not in quotes (allow_unquoted_path=True takes it): {text}",
        )
    return text


publish(__name__)
