"""Scenes: composites whose every pixel's origin is known, built from free packages or any folders.

A cut-out photograph is a class. Each of its views turns, scales, shifts, mirrors and tints it over a
crop of some background photograph, and keeps the mask and the warp. So one can measure what no photo
benchmark gives: whether marginals fall on the object, and whether a plan sends a part to where that
part truly went.
"""
