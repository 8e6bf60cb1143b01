"""The linked viewer: native ES modules that compute and draw all that follows the network, and what they are given.

``engine/`` computes, exactly as the library does; ``view/`` draws; ``mount.js`` puts both on a page. Hosts are the
Gradio page, the report, and a notebook. Nothing here knows any of them.
"""
