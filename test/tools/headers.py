"""What the public headers declare and say of it: sections, runs of declarations under a comment,
and in them functions, types, constants and macros, each with the comment at the end of its line.
"""
import re
from collections import namedtuple

# kind: function, opaque, struct, enum, pointer (to a function), alias, macro. parts: of a function
# its arguments as (declaration, name), of a structure and an enumeration its members.
Declaration = namedtuple("Declaration", "kind name result parts comment")
# Of a structure: declaration "int64_t rows, columns", names. Of an enumeration: value, one name.
# before: a comment on lines of its own above; comment: the one at the end of the line.
Member = namedtuple("Member", "declaration names before comment")


class Run:
    """Declarations without a blank line between, and the comment that they stand under."""

    def __init__(self, comment):
        self.comment, self.declarations = comment, []


class Section:
    def __init__(self, title):
        self.title, self.runs = title, []

    def declarations(self):
        return [d for run in self.runs for d in run.declarations]


def words_of(comment):
    """A comment's text without its frame, line by line."""
    text = re.sub(r"^/\*+|\*/$", "", comment.strip())
    return "\n".join(re.sub(r"^\s*\* ?", "", line).rstrip() for line in text.split("\n")).strip()


def split(text, at=","):
    """At commas outside of parentheses and the like."""
    parts, depth = [""], 0
    for c in text:
        depth += c in "([{"
        depth -= c in ")]}"
        if c == at and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [" ".join(p.split()) for p in parts if p.strip()]


def name_in(declaration):
    """The name that a declaration of an argument or a member gives."""
    pointer = re.search(r"\(\*(\w+)\)", declaration)
    return pointer.group(1) if pointer else re.findall(r"\w+", re.sub(r"\[.*?\]", "",
                                                                      declaration))[-1]


def members(body, end):
    """Members of a structure (end ";") or an enumeration (end ",") with their comments."""
    found, before, text, inside, depth, fresh = [], "", "", "", 0, False
    for token in re.findall(r"/\*.*?\*/|.", body + "\n", re.S):
        if token.startswith("/*"):
            if text.strip():
                inside = words_of(token)
            elif fresh:
                found[-1] = found[-1]._replace(comment=words_of(token))
            else:
                before = words_of(token)
        elif token == end and depth == 0:
            found.append(member(text, end, before, inside))
            before = text = inside = ""
            fresh = True
        else:
            depth += (token == "(") - (token == ")")
            text += token
            fresh = fresh and token != "\n"
    if text.strip():
        found.append(member(text, end, before, inside))
    return found


def member(part, end, before, comment):
    part = " ".join(part.split())
    if end == ",":
        name, value = (p.strip() for p in part.split("="))
        return Member(value, [name], before, comment)
    names = [name_in(p) for p in split(part)]
    return Member(part, names, before, comment)


def declaration(text, comment):
    """One declaration, its comments within still there."""
    bare = " ".join(re.sub(r"/\*.*?\*/", " ", text, flags=re.S).split())
    if bare.startswith("GM_API"):
        result, name, arguments = re.match(r"GM_API (.*?)(\w+)\((.*)\);$", bare).groups()
        parts = [(a, name_in(a)) for a in split(arguments) if a != "void"]
        return Declaration("function", name, result.strip(), parts, comment)
    body = text[text.index("{") + 1:text.rindex("}")] if "{" in text else ""
    if bare.startswith("enum"):
        return Declaration("enum", "", "", members(body, ","), comment)
    if body:
        name = re.search(r"\} (\w+);$", bare).group(1)
        return Declaration("struct", name, "", members(body, ";"), comment)
    if "(*" in bare:
        return Declaration("pointer", name_in(bare), bare, [], comment)
    kind = "opaque" if bare.startswith("typedef struct") else "alias"
    return Declaration(kind, bare[:-1].split()[-1], bare, [], comment)


class Header:
    """A public header: name ("base"), the comment it opens with, its sections. What comes before
    the first heading is in a section without a title."""

    def __init__(self, path):
        self.name = re.search(r"(\w+)\.h$", path).group(1)
        self.comment = None
        self.sections = [Section("")]
        self.run = self.last = None
        self.pending = ""
        with open(path, encoding="utf-8") as f:
            text = f.read()
        text = re.sub(r'^#ifdef __cplusplus\n.*?^#endif\n', "", text, flags=re.S | re.M)
        for token in re.findall(r"/\*.*?\*/|^[ \t]*#[^\n]*(?<=\\)\n[^\n]*|^[ \t]*#[^\n]*|\n|"
                                r"[^/\n]+|/", text, re.S | re.M):
            self.take(token)
        if self.pending.strip():
            raise SystemExit(f"{path}: '{self.pending.strip()[:60]}' does not end")
        self.sections = [s for s in self.sections if s.runs]

    def take(self, token):
        if self.pending.strip() and not token.startswith("#"):
            self.pending += token
            self.end_declaration()
        elif token.startswith("/*"):
            self.take_comment(token)
        elif token.lstrip().startswith("#"):
            self.take_macro(token)
        elif token == "\n":
            if self.last is None:
                self.run = None # a blank line
            self.last = None
        elif token.strip():
            self.pending = token
            self.end_declaration()

    def end_declaration(self):
        bare = re.sub(r"/\*.*?\*/", "", self.pending, flags=re.S)
        if bare.rstrip().endswith(";") and bare.count("{") == bare.count("}"):
            self.add(declaration(self.pending.strip(), ""))
            self.pending = ""

    def add(self, what):
        if self.run is None:
            self.start("")
        self.run.declarations.append(what)
        self.last = what

    def start(self, comment):
        self.run = Run(comment)
        self.sections[-1].runs.append(self.run)

    def take_comment(self, token):
        heading = re.match(r"/\* ---- (.*?) ?-*\s*\*/$", token, re.S)
        if heading:
            self.sections.append(Section(heading.group(1)))
            self.run = None
        elif self.comment is None:
            self.comment = words_of(token)
        elif self.last is not None:
            self.run.declarations[-1] = self.last._replace(comment=words_of(token))
        else:
            self.start(words_of(token))
        # The end of this line is not a blank line.
        self.last = self.last or token

    def take_macro(self, token):
        macro = re.match(r"#\s*define (GM_\w+)\s+(.*)$", token)
        if macro and macro.group(1) != "GM_API":
            value = re.sub(r"/\*.*", "", macro.group(2)).strip()
            self.add(Declaration("macro", macro.group(1), value, [], ""))
        else:
            self.last = token
