"""Databases that may be read and never written: tables, views and queries of an extract, over any SQLAlchemy URL."""
