"""OpenSSH: signatures by keys that people and machines have anyway."""
