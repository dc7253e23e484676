"""simkit tests SIP session timers (RFC 4028) in milliseconds.

From Python: `from simkit import load_flow, simulate`. What is named here is loaded when it is first used.
"""

TYPE_CHECKING = False  # loading `typing` takes as long as all else before an interruption is caught

__all__ = ["Flow", "FlowError", "ForeignError", "Run", "SimkitError", "Verdict", "load_flow", "load_flows", "simulate"]
__version__ = "0.1.0"

if TYPE_CHECKING:
    from .api import Flow, FlowError, ForeignError, Run, SimkitError, Verdict, load_flow, load_flows, simulate
else:  # hidden from type checkers, which would take it for leave to use any name

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'simkit' has no attribute '{name}'")
        from . import api

        return getattr(api, name)
