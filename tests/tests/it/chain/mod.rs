//! The whole chain under whatever happens: random stories of approving, correcting, cancelling, moving, consenting, acknowledging and crashing are
//! played through all services, from the officer's desk to the phones and back, and what is promised holds in each ([`promises`]).
//!
//! A story is a list of steps ([`steps`]); [`play`] plays it in a town with real providers' protocols and a process that can be killed
//! ([`town`]), and writes down what is true ([`truth`]). All stories of a run are played in one town one after another, each with people and
//! places of its own. A story that fails is shrunk to the shortest that fails as well, and printed with its diary and the seed of the run. A run plays
//! the same stories each time, so that it fails for what has changed; `PROPTEST_RNG_SEED` has it play others, `PROPTEST_CASES` more of them.

mod play;
mod promises;
mod steps;
mod town;
mod truth;

use std::cell::RefCell;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use stages::Store;

use town::Town;

/// Stories in one run.
const STORIES: u32 = 16;
/// Which ones, if none are asked for.
const SEED: u64 = 20_150_520;
/// Tries at making a story that fails shorter; each is played from its beginning.
const SHRINKS: u32 = 60;

#[test]
fn whatever_happens_everybody_is_told_once_and_the_truth_and_nobody_is_lost() {
    let set = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { set.cases } else { STORIES };
    let seed = match set.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => SEED,
    };
    let config = Config { cases, rng_seed: RngSeed::Fixed(seed), max_shrink_iters: SHRINKS, failure_persistence: None, ..set };
    let town = RefCell::new((Town::found(Store::Postgres), 0));
    let played = TestRunner::new(config).run(&steps::story(), |(evening, steps)| {
        let (town, marks) = &mut *town.borrow_mut();
        town.revive_if_dead();
        play::play(town, marks, evening, &steps).map_err(TestCaseError::fail)
    });
    match played {
        Ok(()) => {}
        Err(TestError::Fail(why, (evening, steps))) => {
            let steps: String = steps.iter().map(|step| format!("    {step:?},\n")).collect();
            panic!("PROPTEST_RNG_SEED={seed}, {}:\n{steps}{why}", if evening { "in the evening" } else { "at noon" })
        }
        Err(TestError::Abort(why)) => panic!("PROPTEST_RNG_SEED={seed}: {why}"),
    }
}
