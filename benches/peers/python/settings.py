"""What producer and workers share, from the environment."""

import json
import os
from pathlib import Path

POSTGRES = os.environ["PEER_POSTGRES"]
RABBITMQ = os.environ["PEER_RABBITMQ"]
QUEUE = os.environ["PEER_QUEUE"]
PROVIDERS = Path(os.environ["PEER_PROVIDERS"])

# Recipients of one task.
RECIPIENTS_PER_TASK = int(os.environ.get("PEER_RECIPIENTS_PER_TASK", "250"))

MESSAGE = json.loads((Path(__file__).parent.parent / "message.json").read_text("utf-8"))
