"""A wing of rooms: releases, how they are promoted, pinned, followed by the registry, kept, reproduced and audited."""
