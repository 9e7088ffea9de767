"""`vextir doctor`: looks at machine, project and data, and says what is wrong and what to do. Changes nothing.

It works where little else does: each check stands alone, and one that fails is a finding.
"""
