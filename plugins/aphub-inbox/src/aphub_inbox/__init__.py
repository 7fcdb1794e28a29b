"""Take registers from a watched folder, as CSV and XLSX."""
