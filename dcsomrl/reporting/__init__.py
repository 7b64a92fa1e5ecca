"""What a report says about a finished run."""

from dcsomrl.extras import require

require("matplotlib")
