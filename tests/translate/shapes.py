"""Every request shape, by name: for the translation, the simulated API's rules, and both upstreams."""

from translate.shape import Shape as Shape
from translate.shapes_calls import CALLS
from translate.shapes_fields import FIELDS
from translate.shapes_gateways import GATEWAYS
from translate.shapes_messages import MESSAGES
from translate.shapes_tools import ALL_TOOLS

SHAPES: tuple[Shape, ...] = (*FIELDS, *GATEWAYS, *MESSAGES, *CALLS, *ALL_TOOLS)
ACCEPTED: tuple[Shape, ...] = tuple(shape for shape in SHAPES if shape.refused is None)
REFUSED: tuple[Shape, ...] = tuple(shape for shape in SHAPES if shape.refused is not None)
