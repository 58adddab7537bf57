"""Window stations and desktops."""
