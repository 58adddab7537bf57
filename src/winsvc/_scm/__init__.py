"""Operations on services, on top of a backend."""
