"""Start `sagemaker_kernel_wrapper` where no Studio is: a program of its own, run as the kernel of `studio.py`.

The wrapper reads two files under /opt, which only root may put there. Nothing of it is changed but where it finds
them: the folder given as the first argument. What follows is the wrapper's own command line.
"""

import sys
from pathlib import Path

from sagemaker_kernel_wrapper import metadata, sm_gis_wrapper  # type: ignore[import-untyped]

if __name__ == "__main__":
    folder = Path(sys.argv.pop(1))
    metadata.AppMetadata.__init__.__defaults__ = (folder / "resource-metadata.json",)
    metadata.InternalMetadata.__init__.__defaults__ = (folder / "internal-metadata.json",)
    sm_gis_wrapper.exec_kernel()
