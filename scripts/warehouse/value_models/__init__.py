"""Customer value by maximum likelihood: purchases, order values, contract renewals, and the model choice.

Everything here is a pure function of numpy arrays: no database, no clock, no randomness. Time is in weeks for
purchases and in months for contracts. A model that cannot be fitted gives a reason, never an exception or a
NaN.
"""
