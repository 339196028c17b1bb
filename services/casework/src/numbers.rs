//! Numbers of cases, from blocks: a process takes a thousand of a day at a time and gives them out alone.
//!
//! Taking a block is one statement, so no two processes have the same; what a process that dies had left is never used, so no number is given twice.

use chrono::NaiveDate;
use domain::casework::CaseNumber;
use platform::Platform;
use platform::crypto::Purpose;
use tokio::sync::Mutex;

use crate::Error;

/// Numbers of a block.
const A_BLOCK: u32 = 1_000;

/// What this process has left of its block.
#[derive(Default)]
pub(crate) struct Numbers(Mutex<Option<Block>>);

struct Block {
    day: NaiveDate,
    next: u32,
    end: u32,
}

impl Numbers {
    /// The next number of the day.
    pub(crate) async fn next(&self, platform: &Platform, day: NaiveDate) -> Result<CaseNumber, Error> {
        let mut held = self.0.lock().await;
        let sequence = match held.as_mut().filter(|block| block.day == day && block.next < block.end) {
            Some(block) => {
                block.next += 1;
                block.next - 1
            }
            None => {
                let first = take_block(platform, day).await?;
                *held = Some(Block { day, next: first + 1, end: first + A_BLOCK });
                first
            }
        };
        drop(held);
        Ok(CaseNumber::of(day, sequence, |asked| *platform.keyring.hash(Purpose::CaseNumber, asked).bytes()))
    }
}

async fn take_block(platform: &Platform, day: NaiveDate) -> Result<u32, Error> {
    let block = sqlx::query_scalar!(
        "insert into casework.number_block (day, next_block) values ($1, 1)
         on conflict (day) do update set next_block = number_block.next_block + 1 returning next_block",
        day
    )
    .fetch_one(platform.database.pool())
    .await
    .map_err(Error::database("taking numbers"))?;
    Ok((block.unsigned_abs() - 1).wrapping_mul(A_BLOCK))
}
