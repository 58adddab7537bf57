"""Write `src/winsvc/aio/objects.py`: the object API as coroutines.

    python tools/aiogen.py            write it
    python tools/aiogen.py --check    fail if it is out of date

Signatures and docstrings are those of `manager.py`, `service.py` and `service_settings.py` in
`src/winsvc/_scm/`, so that types are exact and an editor shows the help; examples in docstrings
are changed to asynchronous code. The hand-written methods, and the docstrings of the classes, are
in `src/winsvc/aio/_base.py`. Files are compared as syntax trees: ruff formats the result.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "winsvc"
OUTPUT = PACKAGE / "aio" / "objects.py"

HEAD = '''"""The object API as coroutines; tools/aiogen.py writes it from the methods themselves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Self, overload

from winsvc._scm.service import Service
from winsvc.aio._base import AsyncManagerBase, AsyncServiceBase
from winsvc.aio.threads import Opening, Within, calling, in_loop, listing, waiting
from winsvc.aio.watching import AsyncWatch
{runtime}

if TYPE_CHECKING:
{typing}

__all__ = ["AsyncService", "AsyncServiceManager"]
'''

CLASS = """
class {name}({base}):
    {doc}

    __slots__ = ()
"""

# Parts of docstrings that differ for coroutines. Each of them must occur.
REPLACEMENTS = (
    (":meth:`Service.", ":meth:`AsyncService."),
    (":meth:`ServiceManager.", ":meth:`AsyncServiceManager."),
    (":meth:`Watch.close`", ":meth:`AsyncWatch.close`"),
    ("replace(service.failure_actions(),", "replace(await service.failure_actions(),"),
    (", WaitCancelledError", ""),
    ("An iterator; pages are queried", "An asynchronous iterator; pages are queried"),
    ("An iterator in the system's order", "An asynchronous iterator in the system's order"),
    ("for info, config in scm.configs", "async for info, config in scm.configs"),
    ("with scm.watch()", "async with scm.watch()"),
    ("for event in events", "async for event in events"),
    (
        "with service.stopped(timeout=30):\n                service",
        "async with service.stopped(timeout=30):\n                await service",
    ),
    ("for a ``with`` block", "for an ``async with`` block"),
    ("or a ``with`` block", "or an ``async with`` block"),
    ("            scm.wait({", "            await scm.wait({"),
    (
        'with scm.create("beat", program, description="Heartbeat") as service:\n'
        "                service",
        'async with scm.create("beat", program, description="Heartbeat") as service:\n'
        "                await service",
    ),
)


LISTINGS = ("services", "configs", "snapshots")  # iterators, which are asynchronous here


class Method:
    """A method of the object API."""

    def __init__(self, node: ast.FunctionDef, source: str) -> None:
        self.node = node
        self.name = node.name
        self.is_overload = self._has_decorator("overload")
        first = node.body[0]
        assert isinstance(first, ast.Expr), f"{node.name} has no docstring"
        self.doc = "" if self.is_overload else ast.get_source_segment(source, first) or ""
        self.arguments = node.args
        self.cancels = any(arg.arg == "cancel" for arg in node.args.kwonlyargs)
        assert node.returns is not None, f"{node.name} has no return type"
        self.returns = ast.unparse(node.returns)
        self.replaced: set[str] = set()

    def text(self) -> str:
        """Return the asynchronous method."""
        if self.is_overload:
            signature = f"{self.name}({self._parameters()}) -> {self.returns}"
            return f"    @overload\n    async def {signature}: ...\n"
        target = f"self._sync.{self.name}"
        call = f"{target}({self._passed()})"
        result, is_async, body = self.returns, "async ", f"return await calling(lambda: {call})"
        before = ""
        if self._has("progress"):
            before = "report = in_loop(progress)"
        if self._has("wait"):  # the implementation of overloads
            before += f"\n        method: Callable[..., {self.returns}] = {target}"
            call = call.replace(target, "method")
        if self.cancels:
            body = f"return await waiting(lambda cancel: {call})"
        if self.name in LISTINGS:
            item = self.returns.removeprefix("Iterator[").removesuffix("]")
            result, is_async = f"AsyncGenerator[{item}, None]", ""
            body = f"return listing(lambda cancel: {call})"
        elif self.returns == "Service":
            result, is_async = "Opening[AsyncService]", ""
            before = (
                "async def opening() -> AsyncService:\n"
                f"            service = await calling(lambda: {call}, late=Service.close)\n"
                "            return AsyncService(service)\n"
            )
            body = f'return Opening(opening(), "AsyncServiceManager.{self.name}")'
        elif self.returns == "Watch":
            result, is_async, body = "AsyncWatch", "", f"return AsyncWatch(lambda: {call})"
        elif self._has_decorator("contextmanager"):
            result, is_async = "AbstractAsyncContextManager[Self]", ""
            call = call.replace("cancel=cancel", "cancel=None")
            body = f'return Within(lambda: {call}, self, "AsyncService.{self.name}")'
        lines = [f"    {is_async}def {self.name}({self._parameters()}) -> {result}:"]
        lines += [f"        {text}" for text in (self._doc(), before.strip(), body) if text]
        return "\n".join(lines) + "\n"

    def _has_decorator(self, name: str) -> bool:
        return any(ast.unparse(item) == name for item in self.node.decorator_list)

    def _has(self, name: str) -> bool:
        return any(arg.arg == name for arg in self.arguments.kwonlyargs)

    def _parameters(self) -> str:
        kept = [
            (arg, default)
            for arg, default in zip(
                self.arguments.kwonlyargs, self.arguments.kw_defaults, strict=True
            )
            if arg.arg != "cancel"
        ]
        given = ast.arguments(
            posonlyargs=self.arguments.posonlyargs,
            args=self.arguments.args,
            vararg=self.arguments.vararg,
            kwonlyargs=[arg for arg, _ in kept],
            kw_defaults=[default for _, default in kept],
            kwarg=self.arguments.kwarg,
            defaults=self.arguments.defaults,
        )
        return ast.unparse(given)

    def _passed(self) -> str:
        passed = [arg.arg for arg in self.arguments.args[1:]]
        if self.arguments.vararg is not None:
            passed.append(f"*{self.arguments.vararg.arg}")
        for arg in self.arguments.kwonlyargs:
            passed.append(f"{arg.arg}={self._value_of(arg.arg)}")
        if self.arguments.kwarg is not None:
            passed.append(f"**{self.arguments.kwarg.arg}")
        return ", ".join(passed)

    def _value_of(self, name: str) -> str:
        if name == "progress":
            return "report"
        return "cancel if wait else None" if name == "cancel" and self._has("wait") else name

    def _doc(self) -> str:
        doc = self.doc
        for old, new in REPLACEMENTS:
            if old in doc:
                self.replaced.add(old)
                doc = doc.replace(old, new)
        if self.cancels:  # remove its entries, with their continuation lines
            doc = re.sub(r"\n {12}(?:cancel|WaitCancelledError): .*(?:\n {13,}.*)*", "", doc)
            doc = re.sub(r"\n {8}Args:\n\n", "\n", doc)
        return "\n".join(map(_wrapped, doc.split("\n")))

    def names(self) -> tuple[set[str], set[str]]:
        """Return the names that the method needs at run time, and those of its types."""
        given = [*self.arguments.defaults, *filter(None, self.arguments.kw_defaults)]
        runtime = {
            each.id for item in given for each in ast.walk(item) if isinstance(each, ast.Name)
        }
        return runtime, set(re.findall(r"[A-Za-z_]\w*", f"{self._parameters()} {self.returns}"))


def methods(kind: str, module: str) -> Iterator[Method]:
    """Yield the public methods of a class."""
    source = PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text("utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == kind:
            for item in node.body:
                if not isinstance(item, ast.FunctionDef) or item.name.startswith("_"):
                    continue
                if not any(ast.unparse(each) == "property" for each in item.decorator_list):
                    yield Method(item, source)


def imports(module: str) -> Iterator[tuple[str, str]]:
    """Yield the names that a module imports or assigns, and the modules that they are from."""
    tree = ast.parse(PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.name, node.module
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, f"winsvc.{module}"


def text() -> str:
    """Return the source of the module."""
    service = [
        *methods("ServiceSettings", "_scm.service_settings"),
        *methods("Service", "_scm.service"),
    ]
    manager = list(methods("ServiceManager", "_scm.manager"))
    modules = ("_scm.service_settings", "_scm.service", "_scm.manager")
    known = dict(item for module in modules for item in imports(module))
    runtime: set[str] = set()
    typing: set[str] = set()
    for method in (*service, *manager):
        values, types = method.names()
        runtime |= values
        typing |= types
    here = {"Service", "Iterator", "Watch"}
    wanted = {name: known[name] for name in typing - runtime - here if name in known}
    head = HEAD.format(
        runtime=_import_lines({name: known[name] for name in runtime - here if name in known}, ""),
        typing=_import_lines(wanted, "    "),
    )
    parts = [head, class_head("AsyncService", "AsyncServiceBase")]
    parts += [method.text() for method in service]
    parts.append(class_head("AsyncServiceManager", "AsyncManagerBase"))
    parts += [method.text() for method in manager]
    found = set().union(*(method.replaced for method in (*service, *manager)))
    unused = {old for old, _ in REPLACEMENTS} - found
    if unused:
        raise SystemExit(f"aiogen: these replacements no longer match: {sorted(unused)}")
    return "\n".join(parts)


def _wrapped(line: str) -> str:
    """Break a line of a docstring that is too long after a replacement."""
    indent = len(line) - len(line.lstrip())
    return (
        textwrap.fill(
            line.lstrip(), 100, initial_indent=" " * indent, subsequent_indent=" " * indent
        )
        if len(line) > 100
        else line
    )


def class_head(name: str, base: str) -> str:
    """Return the first lines of a class, with the docstring of its base class."""
    source = (PACKAGE / "aio" / "_base.py").read_text("utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == base:
            doc = ast.get_source_segment(source, node.body[0])
            return CLASS.format(name=name, base=base, doc=doc)
    raise SystemExit(f"aiogen: _base.py has no class {base}")


def _import_lines(names: dict[str, str], indent: str) -> str:
    by_module: dict[str, list[str]] = {}
    for name, module in sorted(names.items()):
        by_module.setdefault(module, []).append(name)
    return "\n".join(
        f"{indent}from {module} import {', '.join(found)}"
        for module, found in sorted(by_module.items())
    )


def same(first: str, other: str) -> bool:
    """Return whether two sources are equal except for format and the order of imports."""
    return _canonical(first) == _canonical(other)


def _canonical(source: str) -> tuple[set[tuple[str | None, str]], str]:
    tree = ast.parse(source)
    found: set[tuple[str | None, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.If)):
            for statement in node.body:
                if isinstance(statement, ast.ImportFrom):
                    found |= {(statement.module, alias.name) for alias in statement.names}
            node.body = [each for each in node.body if not isinstance(each, ast.ImportFrom)]
    return found, ast.dump(tree)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the object API as coroutines.")
    parser.add_argument("--check", action="store_true", help="compare without writing")
    options = parser.parse_args(argv)
    wanted = text()
    name = OUTPUT.relative_to(ROOT).as_posix()
    present = OUTPUT.read_text("utf-8") if OUTPUT.exists() else ""
    if same(present, wanted):
        return 0
    if options.check:
        print(f"{name} is out of date: run python tools/aiogen.py", file=sys.stderr)
        return 1
    OUTPUT.write_text(wanted, encoding="utf-8", newline="\n")
    for command in (["check", "--select", "I", "--fix", "-q"], ["format", "-q"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, str(OUTPUT)], check=True)
    print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
