"""The page without a server: its modules (``page/``), and what :mod:`scripts.build_site` puts beside them."""
