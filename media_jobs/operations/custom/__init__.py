"""Operations whose command the user writes."""
