"""Files that are uploaded first and used by checks afterwards."""
