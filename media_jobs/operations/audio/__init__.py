"""Operations on audio."""
