"""Pages start in the light theme, until the theme's script picks the reader's.

The theme writes the setting "auto" into them, which has no colours of its own: without scripts
links, notes and code would all be black.
"""

AUTO, LIGHT = 'data-theme="auto"', 'data-theme="light"'


def setup(app):
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def lighten(app, exception):
    if exception or app.builder.format != "html":
        return
    for page in app.outdir.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        # The first one stands in the page's <html>; others may be an author's.
        page.write_text(text.replace(AUTO, LIGHT, 1), encoding="utf-8")
