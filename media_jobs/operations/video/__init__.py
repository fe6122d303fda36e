"""Operations on films."""
