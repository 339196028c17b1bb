//! Members of staff as colleagues may know them: name, role and place.

use std::collections::HashMap;

use domain::ids::StaffId;
use domain::staff::{Role, Scope};
use platform::database::Connection;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Error;

/// A member of staff.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = StoryPerson)]
pub(crate) struct Colleague {
    pub(crate) id: StaffId,
    /// None: the account is not known any more.
    pub(crate) name: Option<String>,
    pub(crate) role: Option<Role>,
    #[schema(value_type = Option<String>, example = "city")]
    pub(crate) scope: Option<Scope>,
}

/// Colleagues by their ids.
#[derive(Debug, Default)]
pub(crate) struct Colleagues(HashMap<Uuid, Colleague>);

impl Colleagues {
    /// Those with these ids.
    pub(crate) async fn of(connection: &mut Connection, ids: &[Uuid]) -> Result<Self, Error> {
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let rows = sqlx::query!(
            r#"select staff_id as "staff_id!", name as "name!", role as "role!", scope as "scope!" from identity.officer where staff_id = any($1)"#,
            ids
        )
        .fetch_all(connection)
        .await
        .map_err(Error::database("looking for colleagues"))?;
        let each = rows.into_iter().map(|row| {
            let colleague = Colleague {
                id: StaffId::from_uuid(row.staff_id),
                name: Some(row.name),
                role: row.role.parse().ok(),
                scope: row.scope.parse().ok(),
            };
            (row.staff_id, colleague)
        });
        Ok(Self(each.collect()))
    }

    /// The one with this id; by the id alone where nothing else is known.
    pub(crate) fn with(&self, id: Uuid) -> Colleague {
        let unknown = || Colleague { id: StaffId::from_uuid(id), name: None, role: None, scope: None };
        self.0.get(&id).cloned().unwrap_or_else(unknown)
    }
}
