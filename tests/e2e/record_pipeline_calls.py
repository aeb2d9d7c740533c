"""Records what the pipeline's roles ask of AWS: `make pipeline-calls`.

Not a test: pytest runs it only when it is named. Both roles may do everything here, since a request that is denied
hides those that would follow it.
"""

import json

from iam.documents.pipeline_access import CALLS_FILE
from tests.e2e import pipeline_work
from tests.e2e.conftest import MakeRole
from tests.e2e.shop import Shop


def test_record(shop: Shop, make_role: MakeRole, unique_name: str) -> None:
    work = pipeline_work.begin(shop, make_role, unique_name)
    for role in pipeline_work.PIPELINE_ROLES:
        pipeline_work.allow_everything(shop.aws, work.settings.role_name(role))
    work.plan()
    work.apply()
    work.drift_and_verify()
    work.release()
    CALLS_FILE.write_text(json.dumps(work.calls(), indent=2) + "\n")
