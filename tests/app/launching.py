"""The app in the test's own process, for tests that look into it while visitors call."""

import contextlib

from app.page import build_page, launch_options


@contextlib.contextmanager
def launched(explorer, galleries):
    """Serves the page of an explorer and its galleries, for a ``with`` block that gets it."""
    page = build_page(explorer, galleries)
    page.launch(**launch_options(), prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield page
    page.close(verbose=False)
