"""The configuration of a shop: ``glue-sessions.yaml``, read, checked and loaded.

`settings` has the models, `reading` loads the file, `checks` compares settings, `messages` words the errors. Two
modules are imported by name: `yaml_text`, to edit the file, and `pipeline_access`, for the pipeline's own stack.
"""

from configuration.messages import ConfigurationError, ErrorLine, place_to_correct, role_setting
from configuration.reading import configuration_path, exit_with_error, is_within, load, load_or_exit
from configuration.settings import (
    TO_IMPORT,
    Access,
    AssumeRole,
    Buckets,
    Configuration,
    Databases,
    Endpoints,
    Environment,
    GitHub,
    Pipeline,
    Role,
    RoleStack,
    Settings,
    State,
    Trust,
    json_schema,
    stack_name,
)

__all__ = [
    "TO_IMPORT",
    "Access",
    "AssumeRole",
    "Buckets",
    "Configuration",
    "ConfigurationError",
    "Databases",
    "Endpoints",
    "Environment",
    "ErrorLine",
    "GitHub",
    "Pipeline",
    "Role",
    "RoleStack",
    "Settings",
    "State",
    "Trust",
    "configuration_path",
    "exit_with_error",
    "is_within",
    "json_schema",
    "load",
    "load_or_exit",
    "place_to_correct",
    "role_setting",
    "stack_name",
]
