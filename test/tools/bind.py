#!/usr/bin/env python3
"""bind.py LIBRARY ABI SOURCES...: holds bindings against the headers.

ABI is what make-abi prints. Every function of it must resolve in LIBRARY under a ctypes prototype
made from its declaration. SOURCES are bindings that declare functions and structures of their own,
genmod.py (its table of prototypes) and genmod.rs (its extern block): each declaration must agree
with the header, argument by argument and member by member, in width and kind.
"""
import ast
import ctypes
import re
import sys

KINDS = {"int32_t": "i32", "gm_status": "i32", "uint32_t": "u32", "int64_t": "i64",
         "uint64_t": "u64", "size_t": "u64", "double": "f64", "float": "f32", "void": "void",
         "char": "i8"}
CTYPES = {"i32": ctypes.c_int32, "u32": ctypes.c_uint32, "i64": ctypes.c_int64,
          "u64": ctypes.c_uint64, "f64": ctypes.c_double, "f32": ctypes.c_float,
          "ptr": ctypes.c_void_p, "void": None}
constants = {}
wrong = []


def split(text):
    """At commas outside of parentheses and the like."""
    parts, depth = [""], 0
    for c in text:
        depth += c in "([{<"
        depth -= c in ")]}" or (c == ">" and not parts[-1].endswith("-"))
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [p.strip() for p in parts if p.strip()]


def c_kind(declaration, function_types):
    """The kind of a C type or declaration, and how many of them an array holds."""
    if "*" in declaration:
        return "ptr", 1
    count = re.search(r"\[(\w+)\]", declaration)
    words = [w for w in re.findall(r"\w+", declaration) if w not in ("const", "struct")]
    kind = "ptr" if words[0] in function_types else KINDS[words[0]]
    return kind, int(constants.get(count.group(1), count.group(1))) if count else 1


def c_members(body, function_types):
    members = []
    for line in filter(None, (m.strip() for m in body.split(";"))):
        if "(" in line:
            members.append("ptr")
            continue
        first, *rest = split(line)
        base = re.match(r"(?:const )?(\w+)", first).group(0)
        for part in [first] + [base + " " + r for r in rest]:
            kind, count = c_kind(part, function_types)
            members += [kind] * count
    return members


def read_abi(path):
    """Functions as [result, arguments...], structures as lists of kinds."""
    functions, structs = {}, {}
    lines = [line.strip() for line in open(path)]
    constants.update(m.groups() for line in lines
                     for m in [re.match(r"#define (\w+) (\d+)$", line)] if m)
    function_types = {m.group(1) for line in lines
                      for m in [re.match(r"typedef [^({]*\(\*(\w+)\)\(", line)] if m}
    for line in lines:
        struct = re.match(r"typedef struct \w+ \{(.*)\} (\w+);", line)
        plain = re.match(r"([\w *]*?[ *])(gm_\w+)\((.*)\);$", line)
        if struct:
            structs[struct.group(2)] = c_members(struct.group(1), function_types)
        elif plain and not line.startswith("typedef"):
            result, name, arguments = plain.groups()
            # An array is a pointer where it is an argument.
            kinds = [c_kind(re.sub(r"\w+\[\d*\]", "*", a), function_types)[0]
                     for a in split(arguments) if a != "void"]
            functions[name] = [c_kind(result, function_types)[0]] + kinds
    return functions, structs


# ---- Python: the table of prototypes and the classes, read without running them ------------------

PYTHON = {"c_int32": "i32", "c_uint32": "u32", "c_int64": "i64", "c_uint64": "u64",
          "c_double": "f64", "c_float": "f32", "c_void_p": "ptr", "c_char_p": "ptr"}


def python_kinds(node, names):
    """The kinds of a ctypes expression; several for an array."""
    if isinstance(node, ast.Constant):
        return ["void"]
    if isinstance(node, ast.BinOp):
        return python_kinds(node.left, names) * node.right.value
    if isinstance(node, ast.Attribute):
        return [PYTHON[node.attr]]
    if isinstance(node, ast.Call) or node.id.endswith("_fn"):
        return ["ptr"]
    return names[node.id]


def read_python(path):
    functions, structs, names = {}, {}, {}
    for node in ast.parse(open(path).read()).body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("gm_"):
            fields = node.body[0].value.elts
            structs[node.name] = [k for f in fields for k in python_kinds(f.elts[1], names)]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            for target, value in zip(node.targets[0].elts, getattr(node.value, "elts", [])):
                names[target.id] = python_kinds(value, names)
        elif isinstance(node, ast.Assign) and node.targets[0].id == "_array":
            names["_array"] = ["ptr"]
        elif isinstance(node, ast.Assign) and node.targets[0].id == "_PROTOTYPES":
            for key, value in zip(node.value.keys, node.value.values):
                functions[key.value] = [k for v in value.elts for k in python_kinds(v, names)]
    return functions, structs


# ---- Rust: the extern block and the structures for C ----------------------------------------------


def rust_kinds(text):
    text = text.strip()
    array = re.match(r"\[(\w+); (\d+)\]", text)
    if array:
        return rust_kinds(array.group(1)) * int(array.group(2))
    if text.startswith(("*", "Option<")) or text in ("handle", "held", "text"):
        return ["ptr"]
    return ["i32" if text == "status" else text]


def read_rust(path):
    functions, structs = {}, {}
    source = re.sub(r"//.*", "", open(path).read())
    block = re.search(r'extern "C" \{(.*?)\n    \}', source, re.S).group(1)
    for name, arguments, result in re.findall(r"pub fn (\w+)\((.*?)\)(?: -> (\w+))?;", block,
                                              re.S):
        kinds = [rust_kinds(a.split(":", 1)[1])[0] for a in split(arguments.replace("\n", " "))]
        functions[name] = (rust_kinds(result) if result else ["void"]) + kinds
    for name, body in re.findall(r"#\[repr\(C\)\]\s*(?:#\[.*?\]\s*)*pub struct (\w+) \{(.*?)\n\s*\}",
                                 source, re.S):
        name = name if name.startswith("gm_") else "gm_" + name.lower()
        structs[name] = [k for m in split(body) for k in rust_kinds(m.split(":", 1)[1])]
    return functions, structs


def compare(path, mine, header):
    for what, declared, truth in zip(("function", "structure"), mine, header):
        for name, kinds in declared.items():
            if truth.get(name) != kinds:
                wrong.append(f"{path}: {what} {name} is {kinds}, the header has {truth.get(name)}")
    if not all(mine):
        wrong.append(f"{path}: no declarations were found")


def main():
    library, abi, *sources = sys.argv[1:]
    header = read_abi(abi)
    lib = ctypes.CDLL(library)
    for name, kinds in header[0].items():
        try:
            function = getattr(lib, name)
            function.restype, *function.argtypes = [CTYPES[k] for k in kinds]
        except AttributeError:
            wrong.append(f"{name} is not in {library}")
    lib.gm_version.restype = ctypes.c_char_p
    print(f"{len(header[0])} functions of libgenmod {lib.gm_version().decode()} bound by Python")
    for path in sources:
        mine = read_python(path) if path.endswith(".py") else read_rust(path)
        compare(path, mine, header)
        print(f"{path}: {len(mine[0])} functions and {len(mine[1])} structures held against it")
    for line in wrong:
        print(line)
    return 1 if wrong or len(header[0]) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
