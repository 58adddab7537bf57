"""Check texts and names for the words and shapes that the project avoids.

The rules and their exceptions are in ``language.toml`` beside this file. Usage::

    python tools/language.py [file or folder ...]
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

RULES = Path(__file__).with_suffix(".toml")

SKIPPED_FOLDERS = {"build", "dist", "__pycache__", "node_modules", "requirements"}
HIDDEN_FOLDERS = {".github", ".ci"}
PAGES = {".md", ".toml", ".yml", ".yaml", ".in", ".cfg"}

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DocumentedNode = ast.Module | ast.ClassDef | FunctionNode


class Text(NamedTuple):
    """A piece of prose."""

    line: int
    text: str


class Name(NamedTuple):
    """The definition of an identifier."""

    line: int
    name: str


class Finding(NamedTuple):
    """A word or shape to replace."""

    line: int
    word: str
    use: str
    context: str


@dataclass(frozen=True)
class Rule:
    """A pattern to avoid and its replacement."""

    pattern: re.Pattern[str]
    use: str


@dataclass(frozen=True)
class Exemption:
    """An accepted use of a word."""

    path: str
    text: re.Pattern[str]

    def covers(self, path: str, finding: Finding) -> bool:
        """Return whether the exemption applies to a finding."""
        return fnmatch(path, self.path) and self.text.search(finding.context) is not None


@dataclass(frozen=True)
class Rules:
    """The content of ``language.toml``."""

    words: tuple[Rule, ...]
    names: tuple[Rule, ...]
    whole_names: tuple[Rule, ...]
    clauses: re.Pattern[str]
    noun_phrases: re.Pattern[str]
    exemptions: tuple[Exemption, ...]


def read_rules(path: Path = RULES) -> Rules:
    """Read and compile the rules."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))

    def word(entry: dict[str, str]) -> Rule:
        pattern = entry["pattern"].replace(" ", r"\s+")
        # Not within identifiers, options and paths.
        flags = 0 if entry.get("case") else re.IGNORECASE
        return Rule(re.compile(rf"(?<![\w.`/-])(?:{pattern})(?![\w-])", flags), entry["use"])

    def name(entry: dict[str, str]) -> Rule:
        return Rule(re.compile(entry["pattern"]), entry["use"])

    for entry in content["exception"]:
        if not entry["reason"]:
            raise ValueError(f"{path}: an exception needs a reason")
    return Rules(
        words=tuple(word(entry) for entry in content["word"]),
        names=tuple(name(entry) for entry in content["name"]),
        whole_names=tuple(name(entry) for entry in content["whole_name"]),
        clauses=re.compile(content["docstring"]["clause"]),
        noun_phrases=re.compile(content["docstring"]["noun_phrase"]),
        exemptions=tuple(
            Exemption(entry["path"], re.compile(entry["text"])) for entry in content["exception"]
        ),
    )


# ---------------------------------------------------------------------------------- findings


def check_text(text: Text, rules: Rules) -> Iterator[Finding]:
    """Find words to avoid in prose."""
    for rule in rules.words:
        for match in rule.pattern.finditer(text.text):
            line = text.line + text.text.count("\n", 0, match.start())
            around = text.text[max(0, match.start() - 40) : match.end() + 40]
            yield Finding(line, " ".join(match[0].split()), rule.use, " ".join(around.split()))


def check_name(name: Name, rules: Rules) -> Iterator[Finding]:
    """Find words to avoid in an identifier."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name.name)
    for part in parts:
        for rule in rules.names:
            if rule.pattern.fullmatch(part.lower()):
                yield Finding(name.line, name.name, rule.use, name.name)
    for rule in rules.whole_names:
        if rule.pattern.fullmatch(name.name.strip("_").lower()):
            yield Finding(name.line, name.name, rule.use, name.name)


def check_docstring(node: DocumentedNode, path: str, rules: Rules) -> Iterator[Finding]:
    """Find docstrings that begin with a clause, and functions' that begin with a noun."""
    text = ast.get_docstring(node)
    first = re.match(r"\w+", text or "")
    if text is None or first is None:
        return
    line = node.body[0].lineno
    if rules.clauses.fullmatch(first[0]):
        yield Finding(line, first[0], "an imperative with an object, or a noun", text[:40])
    elif (
        isinstance(node, FunctionNode)
        and rules.noun_phrases.fullmatch(first[0])
        and not path.startswith(("tests/", "examples/"))
        and not any("property" in ast.unparse(each) for each in node.decorator_list)
    ):
        yield Finding(line, first[0], "an imperative with an object", text[:40])


# ------------------------------------------------------------------------------ Python files


def python_texts(tree: ast.Module, source: str) -> Iterator[Text]:
    """Yield the comments and the string literals with a space."""
    yield from python_comments(source)
    lines = source.splitlines()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if " " not in node.value.strip() and "\n" not in node.value.strip():
            continue
        line = node.lineno
        if (node.end_lineno or line) > line and '"""' not in lines[line - 1]:
            # Implicit concatenation: the lines of the literal as they are.
            yield Text(line, "\n".join(_literals(lines[line - 1 : node.end_lineno])))
        else:
            yield Text(line, node.value)


def _literals(lines: Iterable[str]) -> Iterator[str]:
    """Remove quotes and what surrounds them from lines of a concatenation."""
    for line in lines:
        yield " ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', line))


def python_comments(source: str) -> Iterator[Text]:
    """Yield the comments; lines that follow each other are one text."""
    block: list[str] = []
    start = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        if block and line != last + 1:
            yield Text(start, "\n".join(block))
            block = []
        if not block:
            start = line
        block.append(token.string.lstrip("#: "))
        last = line
    if block:
        yield Text(start, "\n".join(block))


def python_names(tree: ast.Module) -> Iterator[Name]:
    """Yield the identifiers that a module defines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield Name(node.lineno, node.name)
            case ast.arg():
                yield Name(node.lineno, node.arg)
            case ast.Name(ctx=ast.Store()):
                yield Name(node.lineno, node.id)
            case ast.Attribute(ctx=ast.Store()):
                yield Name(node.lineno, node.attr)
            case ast.ExceptHandler(name=str(caught)):
                yield Name(node.lineno, caught)
            case ast.alias(asname=str(renamed)):
                yield Name(node.lineno, renamed)


def check_python(source: str, path: str, rules: Rules) -> Iterator[Finding]:
    """Find words and shapes in a Python module."""
    tree = ast.parse(source)
    for text in python_texts(tree, source):
        yield from check_text(text, rules)
    for name in python_names(tree):
        yield from check_name(name, rules)
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode) and Path(path).name.startswith("test_"):
            yield from _check_test_name(node)
        if isinstance(node, DocumentedNode):
            yield from check_docstring(node, path, rules)
        if isinstance(node, ast.Module | ast.ClassDef):
            yield from _check_attribute_docstrings(node, rules)


def _check_test_name(node: FunctionNode) -> Iterator[Finding]:
    if node.name.startswith("test_") and node.name.count("_") < 3:
        yield Finding(node.lineno, node.name, "subject_condition_outcome", node.name)


def _check_attribute_docstrings(node: ast.Module | ast.ClassDef, rules: Rules) -> Iterator[Finding]:
    for statement in node.body[1:]:
        match statement:
            case ast.Expr(value=ast.Constant(value=str(text))):
                if rules.clauses.fullmatch(text.split(" ", 1)[0]):
                    yield Finding(statement.lineno, text.split()[0], "a noun", text[:40])


# ------------------------------------------------------------------------------- other files


def check_c(source: str, rules: Rules) -> Iterator[Finding]:
    """Find words in comments, string literals and identifiers of C source."""
    pattern = r'/\*(?P<block>.*?)\*/|(?P<lines>(?://[^\n]*\n\s*)+)|"(?P<text>(?:[^"\\\n]|\\.)*)"'
    for match in re.finditer(pattern, source + "\n", re.DOTALL):
        line = source.count("\n", 0, match.start()) + 1
        yield from check_text(Text(line, re.sub(r"(?m)^\s*(//|\*)", "", match[0])), rules)
    code = re.sub(pattern, lambda found: "\n" * found[0].count("\n"), source, flags=re.DOTALL)
    for number, text in enumerate(code.splitlines(), 1):
        for identifier in re.findall(r"[A-Za-z_]\w*", text):
            if not identifier.isupper():
                yield from check_name(Name(number, identifier), rules)


def check_page(source: str, rules: Rules) -> Iterator[Finding]:
    """Find words in a page, or in the comments and values of a configuration file."""
    yield from check_text(Text(1, re.sub(r"(?m)^[ \t]*#+[ \t]?", "", source)), rules)


def check_file(path: Path, name: str, rules: Rules) -> list[Finding]:
    """Check one file, without the accepted findings."""
    source = path.read_text(encoding="utf-8")
    findings: Iterable[Finding]
    if path.suffix in (".py", ".pyi"):
        findings = check_python(source, name, rules)
    elif path.suffix in (".c", ".h"):
        findings = check_c(source, rules)
    else:
        findings = check_page(source, rules)
    return sorted(
        {
            finding
            for finding in findings
            if not any(exemption.covers(name, finding) for exemption in rules.exemptions)
        }
    )


def files(targets: Iterable[Path]) -> Iterator[Path]:
    """Yield the files to check of files and folders."""
    for target in targets:
        if target.is_file():
            yield target
            continue
        for path in sorted(target.iterdir()):
            if path.is_dir():
                hidden = path.name.startswith(".") and path.name not in HIDDEN_FOLDERS
                if not hidden and path.name not in SKIPPED_FOLDERS:
                    yield from files([path])
            elif path.suffix in {".py", ".pyi", ".c", ".h"} | PAGES or path.name == "Makefile":
                yield path


def main(arguments: list[str] | None = None) -> int:
    """Check the arguments, or the folder in which the tool runs: the project."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", type=Path, default=[Path()])
    rules = read_rules()
    count, here = 0, Path.cwd()
    for path in files(parser.parse_args(arguments).targets):
        resolved = path.resolve()
        name = str(resolved.relative_to(here) if resolved.is_relative_to(here) else path)
        for finding in check_file(path, name, rules):
            print(f"{name}:{finding.line}: {finding.word}: {finding.use}")
            count += 1
    if count:
        print(f"{count} found (see tools/language.toml)", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
