#!/usr/bin/env python
"""The CDKTF app of the pipeline's own access, beside main.py so that `cdktf list` shows roles alone."""

import fast_cdktf


def main() -> None:
    """Write the stack's Terraform JSON into the output folder CDKTF names; exit with 2 on a wrong configuration."""
    fast_cdktf.install()
    from configuration import ConfigurationError, exit_with_error, load_or_exit
    from configuration.pipeline_access import pipeline_settings

    configuration = load_or_exit()
    try:
        settings = pipeline_settings(configuration)
    except ConfigurationError as error:
        exit_with_error(error)
    from cdktf import App

    from stacks.backend import write
    from stacks.pipeline_access import PipelineAccessStack

    app = App()
    PipelineAccessStack(app, settings=settings)
    write(app, configuration)


if __name__ == "__main__":
    main()
