-- One row per load, entity and file: what was delivered, when, and how many rows the file held.
{{ delivered_loads() }}
