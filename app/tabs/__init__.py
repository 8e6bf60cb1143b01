"""The tabs of the page, one per file. Each has ``build(explorer, ...)``, called inside ``gr.Blocks``."""
