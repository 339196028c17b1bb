//! The promises on the set that runs inside the process: embedded PostgreSQL, in-process bus and cache.

use std::time::Duration;

use platform::clock::Clock;
use platform::crypto::{Keyring, Purpose};
use platform::database::{Database, DatabaseSettings};
use platform::{Error, Platform, StoreSettings, scratch};
use stages::{eventually, processor_time};

use crate::contract;

held_by! { platform::scratch::temporary:
    bus {
        what_a_committed_transaction_published_arrives_at_every_queue_of_its_topic,
        what_an_undone_transaction_published_never_arrives,
        what_was_published_before_anybody_listened_arrives,
        a_handler_that_fails_twice_sees_the_message_a_third_time,
        a_message_that_always_fails_is_kept_with_its_reason_and_holds_nobody_up,
        two_subscribers_of_one_queue_share_its_messages,
        a_handler_may_use_the_database_and_publish,
        a_queue_is_not_read_as_another_event,
    }
    cache {
        a_value_lives_as_long_as_the_moved_clock_says,
        what_was_deleted_is_gone_and_the_rest_stays,
        of_many_who_take_a_value_one_gets_it,
        a_value_is_not_stored_over_a_living_one_when_asked_not_to,
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

/// The engine of a process that went away lets go of its directory a moment later.
async fn open_when_free(settings: &DatabaseSettings) -> Result<Database, Error> {
    eventually("the directory is free", async || match Database::open(settings).await {
        Err(Error::Embedded { .. }) => None,
        opened => Some(opened),
    })
    .await
}

#[test]
fn what_was_in_hand_when_the_process_died_is_handled_by_the_next() {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = StoreSettings {
        database: DatabaseSettings { data_dir: directory.path().join("database"), ..DatabaseSettings::default() },
        keys: scratch::passing_key(),
        ..StoreSettings::default()
    };
    contract::crash::what_was_in_hand_when_the_process_died_is_handled_by_the_next(async |clock: Clock| {
        Platform::on(open_when_free(&settings.database).await?, &settings, clock).await
    });
}

#[tokio::test]
async fn a_closed_directory_can_be_opened_again_and_an_open_one_cannot() {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = DatabaseSettings { data_dir: directory.path().join("database"), ..DatabaseSettings::default() };
    let database = Database::open(&settings).await.expect("a new directory");
    sqlx::raw_sql("create table kept (id int); insert into kept values (7)").execute(database.pool()).await.expect("written");
    assert!(matches!(Database::open(&settings).await, Err(Error::Embedded { .. })), "it is in use");
    database.close().await.expect("closed");

    let again = Database::open(&settings).await.expect("free again");
    let kept: i32 = sqlx::query_scalar("select id from kept").fetch_one(again.pool()).await.expect("still there");
    assert_eq!(kept, 7);
    again.close().await.expect("closed");
}

#[test]
fn opening_a_million_tokens_is_a_matter_of_seconds() {
    const TOKENS: u32 = 20_000;
    let keyring = Keyring::random();
    let sealed = keyring.seal(Purpose::PushToken, &[b'f'; 152]);
    let began = processor_time();
    for _ in 0..TOKENS {
        keyring.open(Purpose::PushToken, &sealed).expect("it opens");
    }
    let each = (processor_time() - began) / TOKENS;
    println!("opening a token of 152 bytes takes {} ns", each.as_nanos());
    assert!(each < Duration::from_micros(200), "{each:?} of processor time, even unoptimised");
}
