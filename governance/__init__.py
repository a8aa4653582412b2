"""The domain: what things are, what is wrong, who may decide. It knows no vendor, no HTTP and no scheduler."""

import os

# Polars holds a thread for each file of each use of a scan. Its own bound of 512 is near with fifteen applications, and
# beyond it the engine may wait for itself. Set before Polars is imported anywhere.
os.environ.setdefault("POLARS_MAX_BLOCKING_THREAD_COUNT", "4096")
