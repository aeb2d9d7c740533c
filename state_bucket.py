#!/usr/bin/env python
"""The CDKTF app of the state bucket, beside main.py so that `cdktf list` shows roles alone.

The bucket must exist: `python -m commands.create_state_bucket` creates it.
"""

import fast_cdktf


def main() -> None:
    """Write the stack's Terraform JSON into the output folder CDKTF names; exit with 2 on a wrong configuration."""
    fast_cdktf.install()
    from configuration import load_or_exit

    configuration = load_or_exit()
    from cdktf import App

    from stacks.backend import write
    from stacks.state_bucket import StateBucketStack

    app = App()
    StateBucketStack(app, state=configuration.state)
    write(app, configuration)


if __name__ == "__main__":
    main()
