"""Operations on videos."""
