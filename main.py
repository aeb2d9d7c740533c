#!/usr/bin/env python
"""The CDKTF app: one Terraform stack for each role that glue-sessions.yaml names."""

import gc

from fast_cdktf import bindings


def main() -> None:
    """Write every stack's Terraform JSON into the output folder CDKTF names; a faulty configuration ends with 2."""
    gc.disable()  # a run is over before there is anything to collect
    bindings.load_ahead()
    # imported while Node starts, which takes as long
    from configuration import load_or_exit

    configuration = load_or_exit()
    from fast_cdktf.bindings import App
    from stacks.glue_sessions import GlueSessionsStack

    app = App()
    with bindings.without_waiting():
        for settings in configuration.role_stacks:
            GlueSessionsStack(app, settings=settings, state=configuration.state)
    app.synth()


if __name__ == "__main__":
    main()
