"""What tests of every room share."""

import fast_cdktf

# before any test imports cdktf
fast_cdktf.install(long_running=True)
