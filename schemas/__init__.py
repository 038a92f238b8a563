"""What a definition may say. Pure: no flask, no sqlalchemy, no clock, no files."""
