-- One row per stage, dimension value and quarter of reaching it: when half of the deals had left, and nine in ten.
{{ stage_stays('quarter') }}
