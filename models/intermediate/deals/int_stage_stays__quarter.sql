-- One row per stage, dimension value and quarter of reaching it: the median and 90th percentile of the days until deals
-- left the stage.
{{ stage_stays('quarter') }}
