#!/usr/bin/env python
"""The CDKTF app: one Terraform stack for each role that glue-sessions.yaml names."""

import fast_cdktf


def main() -> None:
    """Write every stack's Terraform JSON into the output folder CDKTF names; exit with 2 on a wrong configuration."""
    fast_cdktf.install()
    from configuration import TO_IMPORT, load_or_exit

    configuration = load_or_exit()
    from cdktf import App

    from stacks.backend import write
    from stacks.glue_sessions import GlueSessionsStack

    app = App()
    to_import = app.node.try_get_context(TO_IMPORT) or {}
    with fast_cdktf.without_waiting():
        for settings in configuration.role_stacks:
            GlueSessionsStack(
                app, settings=settings, state=configuration.state, to_import=to_import.get(settings.name, ())
            )
    write(app, configuration)


if __name__ == "__main__":
    main()
