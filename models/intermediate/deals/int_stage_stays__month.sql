-- One row per stage, dimension value and month of reaching it: after how many days half of the deals had left, and nine in ten.
{{ stage_stays('month') }}
