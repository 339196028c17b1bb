//! What database, bus, cache and keys promise, as tests that hold for every form of them.
//!
//! [`held_by`] turns the promises into tests of one form.

pub mod bus;
pub mod cache;
pub mod crash;
pub mod crypto;
pub mod database;
pub mod jobs;
pub mod monthly;

use std::panic::AssertUnwindSafe;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use platform::clock::Clock;
use platform::{Error, Platform, scratch};
use stages::until;

/// The schema of a publisher that exists for these tests only.
pub const SCHEMA: &str = "trial";

/// A clock that stands at a fixed time.
pub fn standing_clock() -> Clock {
    Clock::moved(start())
}

pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("a valid time")
}

/// Runs one promise on a platform and cleans up behind it, also when the promise is broken.
pub async fn on<P: AsyncFnOnce(&Platform)>(opened: Result<Platform, Error>, promise: P) {
    let platform = opened.expect("the stores answer on their usual ports");
    make_outbox(&platform).await;
    let kept = AssertUnwindSafe(promise(&platform)).catch_unwind().await;
    let removed = scratch::remove(&platform).await;
    if let Err(broken) = kept {
        std::panic::resume_unwind(broken);
    }
    removed.expect("the stores can be cleaned up");
}

/// The outbox that every service's first migration makes.
pub async fn make_outbox(platform: &Platform) {
    sqlx::raw_sql(
        "create schema if not exists trial;
         create table if not exists trial.outbox (id bigint generated always as identity primary key, event_id uuid not null,
             topic text not null, payload bytea not null, occurred_at timestamptz not null);",
    )
    .execute(platform.database.pool())
    .await
    .expect("the outbox is made");
}

/// Waits until the bus has nothing in flight.
pub async fn settle(platform: &Platform) {
    until("the bus comes to rest", async || platform.bus.settled().await.expect("the bus can tell")).await;
}

/// Makes a test of each promise for one form of the stores; what stands before the form stands before each test.
macro_rules! held_by {
    ($opened:path: $($parts:tt)+) => {
        held_by! { [cfg(test)] $opened: $($parts)+ }
    };
    ($attribute:tt $opened:path: $($part:ident { $($promise:ident),+ $(,)? })+) => {
        $(mod $part {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            # $attribute
            async fn $promise() {
                let opened = $opened($crate::contract::standing_clock()).await;
                $crate::contract::on(opened, $crate::contract::$part::$promise).await;
            })+
        })+
    };
}

/// The promises of the bus.
macro_rules! bus_held_by {
    ($($form:tt)+) => {
        held_by! { $($form)+:
            bus {
                what_a_committed_transaction_published_arrives_at_every_queue_of_its_topic,
                what_an_undone_transaction_published_never_arrives,
                what_was_published_before_anybody_listened_arrives,
                a_handler_that_fails_twice_sees_the_message_a_third_time,
                a_message_that_fails_again_and_again_is_never_given_up_and_holds_nobody_up,
                what_is_said_again_is_let_go_after_eight_failures,
                a_message_that_nobody_understands_is_kept_with_its_reason_until_an_operator_has_it_delivered_again,
                two_subscribers_of_one_queue_share_its_messages,
                a_handler_may_use_the_database_and_publish,
                a_queue_is_not_read_as_another_event,
            }
        }
    };
}

/// The promises of the other stores.
macro_rules! stores_held_by {
    ($($form:tt)+) => {
        held_by! { $($form)+:
            cache {
                a_value_lives_as_long_as_the_moved_clock_says,
                what_was_deleted_is_gone_and_the_rest_stays,
                of_many_who_take_a_value_one_gets_it,
                a_value_is_not_stored_over_a_living_one_when_asked_not_to,
                a_value_is_replaced_only_where_it_is_the_one_that_was_read,
                a_counter_counts_for_its_time_and_begins_again,
                a_token_bucket_gives_its_burst_then_its_rate,
                a_token_bucket_never_gives_more_than_it_has_to_many_at_once,
                what_a_bucket_can_never_give_is_an_error,
            }
            crypto {
                what_was_sealed_opens_for_its_purpose_alone,
                altered_or_cut_bytes_do_not_open,
                a_hash_finds_equal_values_of_one_purpose,
                processes_that_start_at_once_agree_on_the_keys,
                another_master_key_is_refused,
                a_master_key_file_is_made_once_and_is_private,
            }
            database {
                a_schema_is_migrated_step_by_step_and_only_once,
                a_dropped_transaction_leaves_no_trace_and_no_one_waiting,
                a_failed_statement_spoils_its_transaction_alone,
                a_statement_that_is_given_up_does_not_block_the_next,
                time_is_kept_in_utc,
                no_statement_is_compiled_by_the_server,
            }
            jobs {
                the_clock_runs_each_job_once_when_it_passes_its_time,
                of_many_processes_one_runs_the_job,
                a_job_that_fails_or_panics_says_why_runs_again_and_stops_no_other,
                what_was_missed_while_nothing_was_up_is_made_up_once,
                a_run_whose_process_died_is_seen_and_repeated,
                a_changed_expression_moves_the_next_time,
                of_each_job_the_last_runs_are_kept,
            }
            monthly {
                the_coming_months_have_partitions_before_they_begin,
                a_month_is_dropped_with_its_rows_when_the_months_to_keep_have_passed,
                rows_that_had_no_partition_are_brought_to_their_month_or_dropped_with_it,
                many_who_keep_the_same_table_do_not_disturb_each_other,
                a_job_keeps_the_table_as_the_clock_moves,
            }
        }
    };
}
