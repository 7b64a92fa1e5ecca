"""Methods side by side: the cells of a table, and the table."""
