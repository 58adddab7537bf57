"""The declarations of `cdefs/` as plain data, for the checks and the stub generator.

The model has two views of a declaration. The types as written (`LPCWSTR`, `HANDLE`) and
the parameters' names come from the syntax tree; the resolved types (`wchar_t const *`,
`void *`) come from CFFI's model. Both come from CFFI's parser, so that neither can
differ from the compiled module.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if not __package__:  # a module in this folder runs as a script
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cffi import cparser, model

import build_ffi

c_ast = cparser.pycparser.c_ast

_TAGGED = (c_ast.Struct, c_ast.Union, c_ast.Enum)

_DEFINE = re.compile(r"^#define (\w+) \.\.\.$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Named:
    """A type with a name: `DWORD`, `unsigned long`, or the tag of a struct."""

    name: str


@dataclass(frozen=True, slots=True)
class Pointer:
    target: CType
    const: bool = False


@dataclass(frozen=True, slots=True)
class Array:
    item: CType
    length: int


@dataclass(frozen=True, slots=True)
class FunctionType:
    result: CType
    params: tuple[Param, ...]


CType = Named | Pointer | Array | FunctionType


@dataclass(frozen=True, slots=True)
class Param:
    name: str
    type: CType


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a declaration."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    type: FunctionType
    place: Place
    #: CFFI's type, which can write itself in C
    resolved: Any

    @property
    def header(self) -> str:
        return self.place.file.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: CType
    place: Place
    resolved: Any


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct or union with a typedef; `fields` is None for an opaque struct."""

    name: str
    tag: str
    fields: tuple[Field, ...] | None
    #: ends in `...;`
    partial: bool
    union: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Enum:
    name: str
    members: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Typedef:
    """A typedef, except those of structs, unions and enums."""

    name: str
    type: CType
    place: Place
    resolved: Any


@dataclass(frozen=True, slots=True)
class Variable:
    """A constant with a type: a string, a GUID, a flag of the glue code."""

    name: str
    type: CType
    place: Place


@dataclass(slots=True)
class Model:
    #: the header of each `#define`, in order
    constants: dict[str, str] = field(default_factory=dict)
    typedefs: dict[str, Typedef] = field(default_factory=dict)
    structs: dict[str, Struct] = field(default_factory=dict)
    enums: dict[str, Enum] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    callbacks: dict[str, Function] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    #: functions that c/glue.c defines
    glue: frozenset[str] = frozenset()


def load(cdefs: Path = build_ffi.CDEFS) -> Model:
    """Parse the files of `cdefs`."""
    source = build_ffi.cdef_source(cdefs)
    parser = cparser.Parser()
    parser.parse(source)
    # A second parser: parsing twice with the same parser would change its state.
    tree, macros, _ = cparser.Parser()._parse(source)
    result = _Reader(parser).read(tree)
    for name in build_ffi.CDEF_FILES:
        text = (cdefs / name).read_text(encoding="ascii")
        result.constants.update(dict.fromkeys(_DEFINE.findall(text), name))
    if set(result.constants) != set(macros):
        raise ValueError(f"unexpected #define: {sorted(set(result.constants) ^ set(macros))}")
    glue = (cdefs / "c" / "glue.c").read_text(encoding="ascii")
    renamed = re.findall(r"^#define (\w+) winsvc_\1$", glue, re.MULTILINE)
    own = [name for name, function in result.functions.items() if function.header == "glue.h"]
    result.glue = frozenset(renamed + own)
    return result


class _Reader:
    """A reader of the syntax tree, which adds CFFI's resolved types."""

    def __init__(self, parser: Any) -> None:
        self._declarations = parser._declarations
        self._model = Model()
        self._in_callbacks = False
        #: the typedef of a struct, by the id of its node and by its tag
        self._names: dict[int | str, str] = {}

    def read(self, tree: Any) -> Model:
        started = False
        for node in tree.ext:
            # CFFI's own typedefs come first, up to this name.
            if not started:
                started = node.name == "__dotdotdot__"
            elif isinstance(node, c_ast.Typedef):
                self._typedef(node)
            else:
                self._declaration(node)
        return self._model

    def _resolved(self, kind: str, name: str) -> Any:
        return self._declarations[f"{kind} {name}"][0]

    def _typedef(self, node: Any) -> None:
        name: str = node.name
        place = _place(node)
        resolved = self._resolved("typedef", name)
        inner = node.type.type
        if isinstance(node.type, c_ast.TypeDecl) and isinstance(inner, _TAGGED):
            # `typedef struct tag {...} NAME, *PNAME;` contains the same node twice.
            self._names[id(inner)] = name
            if inner.name:
                self._names[inner.name] = name
            if isinstance(inner, c_ast.Enum):
                self._model.enums[name] = Enum(name, tuple(resolved.enumerators), place)
            else:
                self._model.structs[name] = self._struct(name, inner, resolved, place)
        else:
            self._model.typedefs[name] = Typedef(name, self._type(node.type), place, resolved)

    def _declaration(self, node: Any) -> None:
        name: str = node.name
        # CFFI's markers around each `extern "Python"`
        if name in ("__cffi_extern_python_start", "__cffi_extern_python_stop"):
            self._in_callbacks = name.endswith("start")
        elif not isinstance(node.type, c_ast.FuncDecl):
            self._model.variables[name] = Variable(name, self._type(node.type), _place(node))
        else:
            kind = "extern_python" if self._in_callbacks else "function"
            table = self._model.callbacks if self._in_callbacks else self._model.functions
            type_ = self._type(node.type)
            assert isinstance(type_, FunctionType)
            table[name] = Function(name, type_, _place(node), self._resolved(kind, name))

    def _struct(self, name: str, node: Any, resolved: Any, place: Place) -> Struct:
        union = isinstance(resolved, model.UnionType)
        if node.decls is None:
            return Struct(name, resolved.name, None, False, union, place)
        types = dict(zip(resolved.fldnames, resolved.fldtypes, strict=True))
        fields = tuple(
            Field(decl.name, self._type(decl.type), _place(decl), types[decl.name])
            for decl in node.decls
            if decl.name
        )
        return Struct(name, resolved.name, fields, bool(resolved.partial), union, place)

    def _type(self, node: Any) -> CType:
        """Convert a type as written."""
        if isinstance(node, c_ast.PtrDecl):
            target = self._type(node.type)
            # As in CFFI, a function type represents the pointer to it.
            if isinstance(target, FunctionType):
                return target
            return Pointer(target, "const" in getattr(node.type, "quals", ()))
        if isinstance(node, c_ast.ArrayDecl):
            return Array(self._type(node.type), int(node.dim.value, 0))
        if isinstance(node, c_ast.FuncDecl):
            params = [] if node.args is None else node.args.params
            types = tuple(Param(param.name or "", self._type(param.type)) for param in params)
            if [param.type for param in types] == [Named("void")]:
                types = ()
            return FunctionType(self._type(node.type), types)
        if isinstance(node, c_ast.TypeDecl | c_ast.Typename):
            return self._type(node.type)
        if isinstance(node, c_ast.IdentifierType):
            return Named(" ".join(node.names))
        if isinstance(node, _TAGGED):
            return Named(self._names.get(id(node)) or self._names.get(node.name, node.name))
        raise TypeError(f"{type(node).__name__} at {node.coord}")


def _place(node: Any) -> Place:
    return Place(node.coord.file, node.coord.line)
