"""A simulated Messages API; knows nothing of the proxy."""

from claude_openai_proxy.simulator.model_table import MODELS as MODELS
from claude_openai_proxy.simulator.model_table import Model as Model
from claude_openai_proxy.simulator.received import ReceivedRequest as ReceivedRequest
from claude_openai_proxy.simulator.script import Script as Script
from claude_openai_proxy.simulator.script import error_event as error_event
from claude_openai_proxy.simulator.simulated_api import Simulator as Simulator
from claude_openai_proxy.simulator.steps import Close as Close
from claude_openai_proxy.simulator.steps import Cut as Cut
from claude_openai_proxy.simulator.steps import Gate as Gate
from claude_openai_proxy.simulator.steps import Hang as Hang
from claude_openai_proxy.simulator.steps import Pause as Pause
from claude_openai_proxy.simulator.steps import Step as Step
