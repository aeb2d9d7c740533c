"""Start `sagemaker_kernel_wrapper` outside Studio: a separate program, run as the kernel of `studio.py`.

The wrapper reads two files under /opt, where only root may write. This program only changes their folder, to its first
argument. The other arguments are the wrapper's command line.
"""

import sys
from pathlib import Path

from sagemaker_kernel_wrapper import metadata, sm_gis_wrapper  # type: ignore[import-untyped]

if __name__ == "__main__":
    folder = Path(sys.argv.pop(1))
    metadata.AppMetadata.__init__.__defaults__ = (folder / "resource-metadata.json",)
    metadata.InternalMetadata.__init__.__defaults__ = (folder / "internal-metadata.json",)
    sm_gis_wrapper.exec_kernel()
