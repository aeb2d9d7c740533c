"""Print the JSON Schema of glue-sessions.yaml, for editors to check and complete the file."""

import json

from configuration import json_schema

print(json.dumps(json_schema(), indent=2))
