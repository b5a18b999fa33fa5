"""What Komodo takes for granted where a resource says nothing: it is left out of the notes."""

from __future__ import annotations

from typing import Any

USUAL: dict[str, dict[str, Any]] = {
    "server": {
        "stats_monitoring": True, "auto_prune": True, "send_unreachable_alerts": True, "send_cpu_alerts": True,
        "send_mem_alerts": True, "send_disk_alerts": True, "send_version_mismatch_alerts": True, "region": "",
    },
    "repo": {"path": "", "env_file_path": ".env"},
    "build": {"image_tag": ""},
    "stack": {"env_file_path": ".env", "send_alerts": True},
    "deployment": {
        "send_alerts": True, "termination_signal": "SIGTERM", "termination_timeout": 10, "replicas": 1,
        "network": "host",
    },
    "resource_sync": {"pending_alert": True},
    "procedure": {
        "schedule_enabled": True, "schedule_alert": True, "failure_alert": True, "schedule_format": "English",
    },
}  # fmt: skip
