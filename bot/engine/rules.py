"""The rule policy looks only at what its rules can see. Its predictions are Rasa's own (tests/bot/test_patches.py).

Rasa 3.6.21 works out each state of the whole session, twice a turn and once more for rules that hear texts, and tries
each of a hundred rules on each state. A rule sees as many of the latest states as it has itself; one that names an
action or an intent in its last state fits no other; and we have none that hears texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from rasa.core.policies.rule_policy import RULES, RULES_FOR_LOOP_UNHAPPY_PATH, RulePolicy
from rasa.shared.core.constants import PREVIOUS_ACTION, USER
from rasa.shared.core.events import ActionExecuted
from rasa.shared.nlu.constants import ACTION_NAME, INTENT, TEXT

_State = Mapping[str, Any]


class _Index:
    """A table of rules by their last state's action and intent."""

    def __init__(self, lookup: Mapping[str, str]) -> None:
        self.lookup, self.size = lookup, len(lookup)
        self._keys: defaultdict[tuple[Any, Any], list[str]] = defaultdict(list)
        self.depth, self.hears_texts = 0, False
        for key in lookup:
            states = RulePolicy._rule_key_to_state(key)
            self.depth = max(self.depth, len(states))
            self.hears_texts |= any(TEXT in state.get(USER, {}) for state in states)
            self._keys[_last(states[-1])].append(key)

    def candidates(self, state: _State) -> Iterable[str]:
        action, intent = _last(state)
        yield from self._keys[action, intent]
        if intent is not None:
            yield from self._keys[action, None]

    def describes(self, lookup: Mapping[str, str]) -> bool:
        """Training replaces its tables, and takes keys out of them."""
        return self.lookup is lookup and self.size == len(lookup)


def _last(state: _State) -> tuple[Any, Any]:
    """Where a session begins there is no action yet, and Rasa looks at no intent."""
    action = state.get(PREVIOUS_ACTION, {}).get(ACTION_NAME)
    return action, state.get(USER, {}).get(INTENT) if action else None


class _Recent:
    """A tracker whose past is its latest `depth` states: all that the featurizer asks it for."""

    def __init__(self, tracker: Any, depth: int) -> None:
        self._tracker = tracker
        self._depth = depth

    def past_states(self, domain: Any, omit_unset_slots: bool = False, **_: Any) -> list[_State]:
        events = self._tracker.applied_events()
        skipped = sum(isinstance(event, ActionExecuted) for event in events) + 1 - self._depth
        then, states = self._tracker.init_copy(), []
        for event in events:
            if isinstance(event, ActionExecuted):
                if skipped <= 0:
                    states.append(domain.get_active_state(then, omit_unset_slots=omit_unset_slots))
                skipped -= 1
            then.update(event)
        return [*states, domain.get_active_state(then, omit_unset_slots=omit_unset_slots)]


def apply() -> None:
    """For serving; training keeps what Rasa does."""
    find, states_of = RulePolicy._find_action_from_rules, RulePolicy._prediction_states

    def index(self: Any, lookup: Mapping[str, str]) -> _Index:
        known: dict[int, _Index] = self.__dict__.setdefault("_indexes", {})
        found = known.get(id(lookup))
        if found is None or not found.describes(lookup):
            found = known[id(lookup)] = _Index(lookup)
        return found

    def indexes(self: Any) -> list[_Index]:
        return [index(self, self.lookup[name]) for name in (RULES, RULES_FOR_LOOP_UNHAPPY_PATH)]

    def find_action(self: Any, tracker: Any, domain: Any, use_text_for_last_user_input: bool) -> Any:
        if use_text_for_last_user_input and not any(each.hears_texts for each in indexes(self)):
            return None, None, False
        return find(self, tracker, domain, use_text_for_last_user_input)

    def prediction_states(self: Any, tracker: Any, *args: Any, **kwargs: Any) -> Any:
        # Two more than any rule has: what is before a rule's first state decides nothing.
        depth = max(each.depth for each in indexes(self)) + 2
        return states_of(self, _Recent(tracker, depth), *args, **kwargs)

    def possible_keys(self: Any, lookup: Mapping[str, str], states: list[_State]) -> set[str]:
        possible = set(index(self, lookup).candidates(states[-1]))
        for turn, state in enumerate(reversed(states)):
            possible = {key for key in possible if self._is_rule_applicable(key, turn, state)}
        return possible

    RulePolicy._find_action_from_rules = find_action
    RulePolicy._prediction_states = prediction_states
    RulePolicy._get_possible_keys = possible_keys
