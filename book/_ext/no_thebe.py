"""Leaves out the scripts of thebe, which the book does not use.

Jupyter Book loads them although `thebe` is off; one is given twice, which is an error in the
reader's console, and one names another site. Two more stand at the end of each page's text.
"""

import re

from docutils import nodes

IN_TEXT = re.compile(r"\s*<script(?: type=\"text/x-thebe-config\">|>kernelName = )")


def setup(app):
    app.connect("doctree-resolved", drop_from_text, priority=900)
    app.connect("html-page-context", drop, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def drop_from_text(app, doctree, pagename):
    for raw in list(doctree.findall(nodes.raw)):
        if IN_TEXT.match(raw.astext()):
            raw.parent.remove(raw)


def drop(app, pagename, templatename, context, doctree):
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in f"{script.filename}{script.attributes.get('body', '')}".lower()
    ]
