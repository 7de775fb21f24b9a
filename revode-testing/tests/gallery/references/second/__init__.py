"""The problems of the second gallery: the same equations as in `../../problems/second/*.rs`, written again."""

from .extremes import PROBLEMS as extremes
from .fields import PROBLEMS as fields
from .quiet import PROBLEMS as quiet
from .science import PROBLEMS as science
from .sensitive import PROBLEMS as sensitive
from .steep import PROBLEMS as steep
from .units import PROBLEMS as units

PROBLEMS = [*sensitive, *steep, *quiet, *units, *extremes, *science, *fields]
