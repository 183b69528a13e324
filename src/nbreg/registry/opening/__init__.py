"""From stored bytes back to an object: checked, looked at, proved, or answered for elsewhere."""
