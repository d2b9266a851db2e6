"""The application shell: the only place that wires the parts together."""

import os as _os
from importlib.metadata import version as _version

# NumPy brings a library for matrices, which makes a thread a core as soon as it is imported and lets them spin for a
# tenth of a second of CPU time. No matrix is multiplied here. The variable is read at that import, so it is set in the
# one place that every command passes first; who sets it themselves is heard.
_os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = _version("geophone")
