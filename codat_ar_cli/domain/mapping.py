"""The company's answers to "which account is that?" (design D6): one door to everything about mapping.

Values stand in `slots`, candidates in `candidates`, looking up in `resolving`, the conversation in `wizard`.
"""

from codat_ar_cli.domain.candidates import Candidate, candidates
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.resolving import Resolver, check_mapping, resolve, unmapped
from codat_ar_cli.domain.slots import Mapping, Rule, Slot, SlotMapping, Target, fold
from codat_ar_cli.domain.wizard import (
    Question,
    Suggestions,
    next_question,
    only_good,
    question,
    slots_for,
    suggest,
    with_default,
    with_rule,
)

__all__ = [
    "Candidate",
    "Mapping",
    "Problem",
    "Question",
    "Resolver",
    "Rule",
    "Slot",
    "SlotMapping",
    "Suggestions",
    "Target",
    "candidates",
    "check_mapping",
    "fold",
    "next_question",
    "only_good",
    "question",
    "resolve",
    "slots_for",
    "suggest",
    "unmapped",
    "with_default",
    "with_rule",
]
