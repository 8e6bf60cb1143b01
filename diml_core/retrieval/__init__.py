"""Searching a gallery: the global embedding finds candidates, the parts re-rank them.

Multi-scale matching (Zhao et al. 2021, "Towards interpretable deep metric learning with structural
matching", section 3.4): stage one ranks everything by global similarity, stage two transports
between the parts of the query and of the best K only, whatever the size of the gallery.
"""

from diml_core.retrieval.gallery import Gallery
from diml_core.retrieval.indexing import IndexReport, index_photos
from diml_core.retrieval.results import Result, Results

__all__ = ["Gallery", "IndexReport", "Result", "Results", "index_photos"]
