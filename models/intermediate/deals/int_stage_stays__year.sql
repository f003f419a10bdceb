-- One row per stage, dimension value and year of reaching it: the median and 90th percentile of the days until deals
-- left the stage.
{{ stage_stays('year') }}
