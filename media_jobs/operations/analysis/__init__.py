"""Operations that answer instead of making a file."""
