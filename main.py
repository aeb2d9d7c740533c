#!/usr/bin/env python
"""The CDKTF app: one Terraform stack for each role that glue-sessions.yaml names."""

import os
import sys

from configuration import Configuration, ConfigurationError, configuration_path, load


def synthesize(configuration: Configuration) -> None:
    """Write the Terraform JSON of every stack into the output folder CDKTF names.

    Args:
        configuration: what glue-sessions.yaml says.
    """
    # imported once the configuration is known to be right: a fault in it costs no start of the jsii runtime
    from modules.bindings import App
    from stacks.glue_sessions import GlueSessionsStack

    app = App()
    for settings in configuration.role_stacks:
        GlueSessionsStack(app, settings=settings, state=configuration.state)
    app.synth()


def main() -> int:
    """Run the app; 0 is well, 2 a fault in the configuration, each told in one line."""
    try:
        configuration = load(configuration_path(os.environ), os.environ)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    synthesize(configuration)
    return 0


if __name__ == "__main__":
    sys.exit(main())
