"""Scripts for pages: modules put together into one text, and files written as scripts.

A notebook's panel is one ES module, and a page that was opened as a file loads classic scripts
alone. So modules may share their parts, and are put together where they are used.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

IMPORT = re.compile(r'^import \{[^}]+\} from "\./(\w+\.js)";\n', re.MULTILINE)
OPENING = re.compile(r"\A(?://.*\n)+\n")
EXPORTS = re.compile(r"^\n?export (?:default )?\{[^}]*\};\n", re.MULTILINE)
TABLE = "rainlensFiles"  # where a page opened as a file finds what it asked for
EXPORT = re.compile(r"^export (?=async |function |const |let |class )", re.MULTILINE)


def bundled(module: Path) -> str:
    """The text of an ES module, and in the place of each import what is imported.

    Imports must name files beside the module, in statements that begin a line. A file that several
    of them name is taken once; its opening comment and its list of exports are left out. No name
    may be declared twice at the top of these files. Raises OSError where one is missing.
    """
    held: set[str] = set()

    def inlined(path: Path) -> str:
        def take(found: re.Match[str]) -> str:
            if found[1] in held:
                return ""
            held.add(found[1])
            text = OPENING.sub("", inlined(path.with_name(found[1])))
            return EXPORTS.sub("", text)

        return IMPORT.sub(take, path.read_text(encoding="utf-8"))

    return inlined(module)


def classic(module: Path, call: str = "") -> str:
    """The same as a classic script, which keeps its names to itself; `call` stands at its end."""
    text = EXPORT.sub("", EXPORTS.sub("", bundled(module)))
    return f'"use strict";\n(() => {{\n{text}{call}\n}})();\n'


def as_script(data: bytes, name: str, table: str) -> str:
    """A file as a classic script that puts its bytes, in base64, into a global table.

    Browsers forbid pages that were opened as files to fetch one, but let them load a script. Save
    the text beside the file under `name` + ".js"; on a page from a server nobody asks for it.

    Args:
        data: the file's bytes.
        name: the file's name, its key in the table.
        table: the name of the global table, such as "rainlensFiles".
    """
    text = base64.b64encode(data).decode("ascii")
    return f"(globalThis.{table} ??= {{}})[{json.dumps(name)}] = {json.dumps(text)};\n"


def write_for_page(folder: Path, name: str, data: bytes) -> None:
    """Writes a file that a page loads, and beside it the same as a script (`as_script`)."""
    (folder / name).write_bytes(data)
    (folder / f"{name}.js").write_text(as_script(data, name, TABLE), encoding="utf-8")
