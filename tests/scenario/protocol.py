"""The invariants of the protocol and the traps around it, each with the tests that hold it. Data only.

An invariant is the name of its test. What belongs to a part that is not built yet stands in `LATER`, under that part.
"""

from collections.abc import Mapping, Sequence

INVARIANTS: Sequence[str] = (
    "test_an_acknowledged_event_always_ends_done_dead_or_cancelled",
    "test_a_run_commits_at_most_once",
    "test_a_zombies_commit_never_lands",
    "test_of_two_runs_in_one_worker_each_asserts_its_own_fence",
    "test_a_412_from_anothers_write_does_not_abandon_a_healthy_run",
    "test_a_lost_answer_is_recognised_as_the_own_write",
    "test_a_write_that_lands_late_changes_nothing_twice",
    "test_an_emitted_event_takes_effect_once",
    "test_what_is_published_is_what_was_committed",
    "test_only_sent_entries_leave_the_outbox",
    "test_a_finished_step_never_starts_again",
    "test_a_keyed_effect_is_applied_once",
    "test_an_irreversible_step_in_doubt_is_asked_about_never_repeated",
    "test_a_probe_waits_for_the_grace",
    "test_a_late_fact_closes_an_open_step",
    "test_a_zombies_context_write_never_lands",
    "test_a_context_operation_is_applied_once_by_any_number_of_publishers",
    "test_nothing_begins_and_nothing_commits_after_a_cancel_was_acknowledged",
    "test_a_retry_survives_the_loss_of_its_message",
    "test_a_retry_never_starts_before_its_time",
    "test_a_signal_before_the_park_wakes_the_run",
    "test_a_driver_that_kills_its_process_is_dead_lettered",
    "test_the_sweep_never_owns_a_run",
    "test_two_workers_never_livelock",
    "test_an_outage_longer_than_the_delivery_count_loses_nothing",
    "test_a_replay_commits_once_per_rerun_and_mixes_no_outputs",
    "test_a_run_of_another_lane_ends",
    "test_a_deferral_is_decided_once_when_it_is_over",
    "test_two_of_one_key_never_run_at_once",
    "test_a_key_moves_on_after_done_dead_and_cancelled",
    "test_an_event_enters_its_keys_list_once",
)

TRAPS: Mapping[str, str] = {
    "the sweep looks for dead leases only":
        "test_a_crash_between_a_failed_attempt_and_its_knock_leaves_a_retry_that_comes",
    "one lease per event": "test_a_retry_comes_while_another_run_of_its_event_is_still_at_work",
    "a retry's message is named by the attempt alone":
        "test_retries_of_two_drivers_are_two_messages_where_duplicates_are_dropped",
    "a refused ETag is taken for the loss of the run":
        "test_what_another_worker_commits_beside_it_costs_a_healthy_run_nothing",
    "a refused ETag is followed by a write with the new one": "test_a_zombies_commit_never_lands",
    "one ETag for two runs": "test_of_two_runs_in_one_worker_each_asserts_its_own_fence",
    "attempts are counted at the failure": "test_a_driver_that_kills_its_process_is_dead_lettered",
    "what has no live lease is taken over": "test_a_retry_never_starts_before_its_time",
    "one mark for all that was published":
        "test_what_is_committed_between_anothers_send_and_its_mark_is_still_sent",
    "the wake-up re-enters the run": "test_a_signal_before_the_park_wakes_the_run",
    "a signal without a time": "test_a_signal_survives_the_loss_of_its_knock",
    "context is written directly": "test_a_zombies_context_write_never_lands",
    "a cancel is a flag beside the runs": "test_of_a_cancel_and_a_commit_exactly_one_wins",
    "the ledger lies beside the record": "test_a_zombie_begins_no_step_after_a_cancel",
    "a probe without grace": "test_a_probe_waits_for_the_grace",
    "a person is asked at once": "test_a_question_waits_for_the_grace",
    "who was second publishes what it computed":
        "test_the_slower_of_two_idempotent_deliveries_publishes_nothing_of_its_own",
    "the head of a context document knows the last operation alone":
        "test_a_context_operation_is_applied_once_by_any_number_of_publishers",
    "a context version is read before the head": "test_a_context_version_is_read_after_its_head",
    "head and versions in two partitions": "test_head_and_versions_share_a_partition",
    "messages go back at once in an outage": "test_an_outage_costs_few_deliveries",
    "the own record is taken for another's": "test_a_lost_answer_is_recognised_as_the_own_write",
    "a bumped time is a condition": "test_a_record_that_the_sweep_bumped_is_looked_at_by_its_knock",
    "an entry of an outbox is named without its rerun": "test_a_slow_publisher_removes_nothing_of_a_later_rerun",
    "a step's key is without its rerun": "test_a_zombies_fact_closes_no_step_of_a_later_rerun",
    "the sweep knocks at one lane only": "test_a_run_of_another_lane_ends",
    "an event enters its key's list without a proof": "test_an_event_enters_its_keys_list_once",
    "a cancel drops the entry into the key's list":
        "test_a_cancelled_event_is_taken_out_of_its_keys_list_wherever_a_worker_dies",
    "the entry of a head that is over is just removed":
        "test_a_head_that_is_cancelled_leaves_its_key_wherever_workers_die",
    "a key's document is read without the ticket": "test_an_old_copy_of_a_key_holds_nobody_up",
}  # fmt: skip

LATER: Mapping[str, str] = {
    "test_a_finished_step_never_starts_again": "steps",
    "test_a_keyed_effect_is_applied_once": "steps",
    "test_an_irreversible_step_in_doubt_is_asked_about_never_repeated": "steps",
    "test_a_probe_waits_for_the_grace": "steps",
    "test_a_question_waits_for_the_grace": "steps",
    "test_a_late_fact_closes_an_open_step": "steps",
    "test_a_zombie_begins_no_step_after_a_cancel": "steps",
    "test_a_zombies_fact_closes_no_step_of_a_later_rerun": "steps",
    "test_a_zombies_context_write_never_lands": "context",
    "test_a_context_operation_is_applied_once_by_any_number_of_publishers": "context",
    "test_a_context_version_is_read_after_its_head": "context",
    "test_head_and_versions_share_a_partition": "context",
    "test_a_signal_before_the_park_wakes_the_run": "suspension",
    "test_a_signal_survives_the_loss_of_its_knock": "suspension",
    "test_a_deferral_is_decided_once_when_it_is_over": "deferral",
}
