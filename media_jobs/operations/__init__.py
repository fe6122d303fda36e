"""Operations on media, a file each, in groups; ``core.REGISTRY`` has them all."""
