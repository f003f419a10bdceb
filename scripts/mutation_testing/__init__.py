"""Mutation testing of the SQL: a unit test must fail when one operator of a model or macro is changed.

`marking` finds the places of the templates that can be changed and wraps each in an invisible mark; `compiling`
lets dbt render the unit tests of the marked project once; `running` changes one mark at a time in the rendered SQL
and evaluates the unit tests in plain DuckDB, so that a change of a macro reaches every model that uses it and dbt
is started only once.
"""
