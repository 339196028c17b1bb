//! For whom an alert shows in the inbox, where only planning finds that out.

use domain::batch::RecipientList;
use domain::ids::AlertId;
use futures::TryStreamExt as _;
use platform::database::Tx;
use proto::AlertReleased;
use roaring::RoaringBitmap;

use crate::{Error, SCHEMA};

/// Gathers the recipients planned so far, read as a stream, into the alert's bitmap, and tells of it.
pub(super) async fn publish_planned(tx: &mut Tx, alert_id: AlertId) -> Result<(), Error> {
    let mut planned = RoaringBitmap::new();
    {
        let mut lists = sqlx::query_scalar!(
            r#"select r.recipients from dispatch.recipient_list r join dispatch.batch b using (alert_id, batch_id)
                where b.alert_id = $1 and b.wave = 1"#,
            alert_id.uuid()
        )
        .fetch(&mut **tx);
        while let Some(list) = lists.try_next().await? {
            let list = RecipientList::decode(&list).map_err(|error| Error::damaged("recipients", alert_id, error))?;
            planned.extend(list.as_slice().iter().copied());
        }
    }
    planned.optimize();
    sqlx::query!("update dispatch.alert set audience_bitmap = $2 where alert_id = $1", alert_id.uuid(), bytes(&planned))
        .execute(&mut **tx)
        .await?;
    Ok(tx.publish(SCHEMA, &AlertReleased { alert_id: alert_id.to_string() }).await?)
}

/// A bitmap in Roaring's portable format.
pub(super) fn bytes(residents: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(residents.serialized_size());
    residents.serialize_into(&mut bytes).expect("writing to memory does not fail");
    bytes
}
