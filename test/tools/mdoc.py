"""Comments as mdoc: names become macros and links, formulas and lists stay what they are."""
import re


def plain(text):
    """A piece of a text line: what roff would read as something else is escaped."""
    text = text.replace("\\", "\\e")
    text = re.sub(r"(?<![\w.)\]])-(?=[\w.>-]|\s|$)", r"\\-", text)
    return text.replace("^", "\\(ha").replace("~", "\\(ti").replace("`", "\\(ga")


def argument(text):
    """An argument of a macro."""
    text = plain(text).replace('"', "\\(dq")
    if text in (".", ",", ":", ";", "(", ")", "[", "]", "?", "!", "|"):
        return "\\&" + text
    return '"%s"' % text if " " in text or not text else text


def display(lines):
    """Lines as they stand."""
    indent = min(len(x) - len(x.lstrip()) for x in lines if x.strip())
    lines = [plain(x[indent:]) for x in lines]
    return [".Bd -literal -offset indent"] + \
        ["\\&" + x if x[:1] in (".", "'") else x for x in lines] + [".Ed"]


WORDS = re.compile(r"`(?P<code>[^`]+)`|(?P<call>\bgm_[a-z0-9_]+\([^()]*\))|"
                   r"(?P<name>\b(?:gm_[a-z0-9_]+|GM_[A-Z0-9_]*[A-Z0-9])\b(?![*_<]))|"
                   r"(?P<page>\bgenmod[a-z-]*\([137]\))|"
                   r"(?P<file>\b(?:genmod|doc|lib|examples)/[\w./-]*\w)|"
                   r"(?P<null>\bNULL\b)|(?P<result>(?<![\w*)/])\*[a-z_]+)|"
                   r"(?P<argument>\b[a-z]+_[a-z_]+\b)")


class Text:
    """What turns comments into mdoc, for one page. known[name] is (kind, page) of all that the
    library declares; own are the names of arguments and members at hand."""

    def __init__(self, known, page):
        self.known, self.page = known, page

    def link(self, name):
        kind, page = self.known[name]
        if kind in ("constant", "macro"):
            return "Dv " + name
        if page != self.page:
            return f"Xr {name} 3"
        return ("Fn " if kind == "function" else "Vt ") + name

    def macro(self, match, own):
        kind, text = match.lastgroup, match.group(match.lastgroup)
        if kind == "code":
            return ("Fa " if text in own else "Li ") + argument(text)
        if kind == "call":
            name, inside = text[:-1].split("(", 1)
            if name not in self.known:
                return None
            if self.known[name][1] != self.page:
                return f"Xr {name} 3"
            return " ".join(["Fn", name] + [argument(a.strip()) for a in inside.split(",")])
        if kind == "name":
            return self.link(text) if text in self.known else None
        if kind == "page":
            return "Xr %s %s" % (text[:-3], text[-2])
        if kind == "null":
            return "Dv NULL"
        if kind == "file":
            return ("In " if text.endswith(".h") else "Pa ") + text
        return "Fa " + text if text.lstrip("*") in own else None

    def sentence(self, text, own):
        """One sentence as lines: each macro on a line of its own, with what touches it."""
        found = [(m, self.macro(m, own)) for m in WORDS.finditer(text)]
        found = [(m, macro) for m, macro in found if macro]
        lines, at = [], 0
        for i, (match, macro) in enumerate(found):
            end = found[i + 1][0].start() if i + 1 < len(found) else len(text)
            head = re.search(r"\S*$", text[at:match.start()]).group(0)
            tail = re.match(r"\S*", text[match.end():end]).group(0)
            fill(lines, text[at:match.start() - len(head)])
            if re.fullmatch(r"[(\[]*", head):
                macro = " ".join([macro[:2], *head, macro[3:]])
            else:
                macro = f"No {argument(head)} Ns {macro}"
            if tail:
                closing = re.fullmatch(r"[.,:;)\]?!]+", tail)
                macro += " " + (" ".join(tail) if closing else "Ns " + argument(tail))
            at = match.end() + len(tail)
            # The next one begins within this word: "a/b", "x->y".
            if i + 1 < len(found) and at == end:
                macro += " Ns"
            lines.append("." + macro)
        fill(lines, text[at:])
        return lines

    def paragraph(self, text, own=()):
        lines = []
        for sentence in re.split(r"(?<=[.?!:;])\s+(?=[A-Z(\"`*]|gm_)", " ".join(text.split())):
            lines += self.sentence(sentence, own)
        return lines

    def comment(self, text, own=()):
        """A whole comment: paragraphs, lists of "- ", displays, which are indented by four."""
        lines = []
        for block in re.split(r"\n\s*\n", text.strip("\n")):
            if block.startswith("    "):
                lines += display(block.split("\n"))
            elif block.startswith("- "):
                lines.append(".Bl -bullet")
                for item in re.split(r"^- ", block, flags=re.M)[1:]:
                    lines += [".It"] + self.paragraph(item, own)
                lines.append(".El")
            elif block.strip():
                lines += ([".Pp"] if lines else []) + self.paragraph(block, own)
        return lines


def fill(lines, text):
    line = ""
    for word in plain(text).split() + [None]:
        if word is None or len(line) + len(word) > 80:
            if line:
                lines.append(("\\&" if line[0] in ".'" else "") + line)
            line = ""
        line += (" " if line else "") + (word or "")
