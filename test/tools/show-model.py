#!/usr/bin/env python3
"""show-model.py FILE: a model file or checkpoint, taken apart by doc/FORMAT.md alone.

Checks the container (length, padding, checksum, tensors without holes) and prints the parts of it
with the bytes where they begin. The worked example in doc/FORMAT.md is its output. Ends with 1
where the file is not what the page says.
"""
import hashlib
import json
import re
import struct
import sys

SIZES = {"F32": (4, "f"), "F64": (8, "d"), "U8": (1, "B"), "I32": (4, "i"), "I64": (8, "q")}
MODEL = ["sha256", "format", "format_version", "least_reader", "family", "family_version",
         "arithmetic", "options", "schema", "transform", "record"]
CHECKPOINT = ["sha256", "format", "format_version", "arithmetic", "family", "options", "optimizer",
              "data", "counters"]


def demand(right, what):
    if not right:
        sys.exit(f"{sys.argv[1]}: {what}")


def dump(data, at, size, note):
    """One line: offset, up to 16 bytes, what they are."""
    some = data[at:at + min(size, 16)]
    print(f"{at:08x}  {some.hex(' '):47}  {note}")


def short(text, width=56):
    return text if len(text) <= width else text[:width - 3] + "..."


def main():
    data = open(sys.argv[1], "rb").read()
    length, = struct.unpack_from("<Q", data)
    begin = 8 + length
    header_bytes = data[8:begin]
    demand(begin % 64 == 0, "the header does not end at a multiple of 64")
    header = json.loads(header_bytes)
    meta = header.pop("__metadata__")
    keys = MODEL if meta["format"] == "genmod-model" else CHECKPOINT
    demand(list(meta) == keys, f"the metadata are {list(meta)}, expected {keys}")

    start = b'{"__metadata__":{"sha256":"'
    demand(header_bytes.startswith(start), "the checksum is not in its place")
    digits = 8 + len(start)
    zeroed = data[:digits] + b"0" * 64 + data[digits + 64:]
    demand(hashlib.sha256(zeroed).hexdigest() == meta["sha256"], "the checksum does not match")

    dump(data, 0, 8, f"length of the header: {length}")
    dump(data, 8, len(start), start.decode())
    dump(data, digits, 64, short(meta["sha256"]))
    for key in keys[1:]:
        at = header_bytes.index(b'"%s":' % key.encode()) + 8
        dump(data, at, 16, short(f"{key}: {meta[key]}"))
    at = 0
    for name, tensor in header.items():
        first, last = tensor["data_offsets"]
        size, kind = SIZES[tensor["dtype"]]
        count = 1
        for n in tensor["shape"]:
            count *= n
        demand(first == at and last - first == count * size, f"the offsets of '{name}'")
        values = struct.unpack_from(f"<{min(count, 3)}{kind}", data, begin + first)
        shown = ", ".join(f"{v:.4g}" for v in values) + (", ..." if count > 3 else "")
        dump(data, begin + first, last - first,
             f"{name} {tensor['dtype']} {tensor['shape']}: {shown}")
        at = last
    demand(begin + at == len(data), "bytes follow the last tensor")
    demand(re.fullmatch(rb"\{.*\} *", header_bytes, re.S), "the padding is not of blanks")
    if keys is MODEL:
        for name in ("options", "schema", "transform", "record"):
            print(f"\n{name}:", json.dumps(json.loads(meta[name])))


if __name__ == "__main__":
    main()
