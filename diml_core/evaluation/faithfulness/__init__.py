"""Is an explanation true? Every way to rank parts put to the same tests, DIML's and its rivals'."""

from diml_core.evaluation.faithfulness.curves import Curve, Progress, curves_steps
from diml_core.evaluation.faithfulness.ranking import Ranking, order_of
from diml_core.evaluation.faithfulness.rivals import RANKINGS, rankings_for

__all__ = ["RANKINGS", "Curve", "Progress", "Ranking", "curves_steps", "order_of", "rankings_for"]
