"""Leaves out the scripts of thebe, which the book does not use.

Jupyter Book loads them although `thebe` is off; one is given twice, which is an error in the
reader's console, and one names another site.
"""


def setup(app):
    app.connect("html-page-context", drop, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def drop(app, pagename, templatename, context, doctree):
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in f"{script.filename}{script.attributes.get('body', '')}".lower()
    ]
