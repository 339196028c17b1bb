//! The logins of a city's processes: each a member of the roles of its services, and of no other.

use std::collections::BTreeMap;

use platform::database::Pool;
use platform::scratch;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Roles and logins are the whole server's, not the database's: these are one city's alone.
pub struct Logins {
    /// What the names of the roles begin with.
    pub prefix: String,
    database_url: String,
    /// By the process's services, named with spaces between: where it finds the database.
    urls: BTreeMap<String, String>,
}

impl Logins {
    pub fn of(database_url: &str) -> Self {
        Self { prefix: format!("t{}_", uuid::Uuid::now_v7().simple()), database_url: database_url.to_owned(), urls: BTreeMap::new() }
    }

    /// Makes a login for the process that serves these services.
    pub async fn make(&mut self, pool: &Pool, group: &str) {
        let login = format!("{}login_{}", self.prefix, self.urls.len());
        let roles: Vec<String> = group.split(' ').map(|service| format!("{}{service}", self.prefix)).collect();
        let made = format!("create role {login} login password 'of-a-test' in role {}", roles.join(", "));
        sqlx::raw_sql(AssertSqlSafe(made)).execute(pool).await.expect("the login is made");
        let (scheme, rest) = self.database_url.split_once("://").expect("an address");
        let place = rest.split_once('@').map_or(rest, |(_, place)| place);
        self.urls.insert(group.to_owned(), format!("{scheme}://{login}:of-a-test@{place}"));
    }

    /// Where this process finds the database.
    pub fn url(&self, group: &str) -> &str {
        &self.urls[group]
    }

    /// Takes roles and logins from the server, when the database is gone in which they had rights.
    pub async fn remove(&self) {
        let mut connection = PgConnection::connect(&scratch::postgres_url()).await.expect("PostgreSQL answers");
        let mine = format!("select quote_ident(rolname) from pg_roles where rolname like '{}%'", self.prefix.replace('_', "\\_"));
        let mine: Vec<String> = sqlx::query_scalar(AssertSqlSafe(mine)).fetch_all(&mut connection).await.expect("the roles are found");
        if !mine.is_empty() {
            let gone = format!("drop role {}", mine.join(", "));
            sqlx::raw_sql(AssertSqlSafe(gone)).execute(&mut connection).await.expect("the roles are gone");
        }
    }
}
