"""Print the JSON Schema that editors check and complete glue-sessions.yaml with."""

import json

from configuration import json_schema

print(json.dumps(json_schema(), indent=2))
