//! `fenghuo roles`: one role of PostgreSQL for each service (CQ13), with rights to its own schema, to the views that others publish for it, and to nothing else.
//!
//! Whoever takes over one process then reads and writes what that service does, and not the tables of all. The role owns its schema, so that the
//! service makes and drops the months of its tables itself. A role has no login: it is given one, or to a login that serves several services, by whoever
//! looks after the database. The steps may be taken again at any time, and have to be after an upgrade that brought new tables: `fenghuo migrate`
//! takes them wherever the roles are there.

mod rights;

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use platform::Platform;
use platform::database::{Database, DatabaseMode};
use sqlx::AssertSqlSafe;
use strum::VariantArray as _;

use crate::configuration::Configuration;
use crate::migrate;
use crate::services::{self, Service};
use rights::{Columns, EVERYBODY_READS, KEYS, Rights, SHARED};

/// The usual beginning of the roles' names.
const PREFIX: &str = "fenghuo_";
/// A name of PostgreSQL has 63 bytes at most, and the longest service has eight.
const LONGEST_PREFIX: usize = 40;

/// Give each service a role of its own in PostgreSQL, with rights to its own schema and to the views that others publish for it.
///
/// Run it as a superuser, or as the owner of the database with CREATEROLE. It makes roles without a login.
#[derive(Args)]
pub(crate) struct Roles {
    /// Say what would be done, as SQL, and do nothing.
    #[arg(long)]
    print: bool,
    /// What the roles' names begin with; the service's name follows.
    #[arg(long, value_name = "WORD", default_value = PREFIX, value_parser = prefix)]
    prefix: String,
}

/// A beginning that makes a name of PostgreSQL which needs no quotes.
fn prefix(text: &str) -> Result<String, String> {
    let letters = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let sound = letters && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= LONGEST_PREFIX && !text.starts_with("pg_");
    if sound {
        Ok(text.to_owned())
    } else {
        Err(format!("takes a–z, 0–9 and _, a letter first, {LONGEST_PREFIX} at most, and does not begin with pg_"))
    }
}

pub(crate) async fn run(config: Option<&Path>, roles: Roles) -> Result<()> {
    if Configuration::load(config)?.database.mode == DatabaseMode::Embedded {
        bail!("the embedded database serves one process, which serves everything: roles are for database.mode = \"postgres\"");
    }
    let platform = migrate::open(config).await?;
    let done = give(&platform.database, &roles).await;
    migrate::close(platform).await?;
    done
}

async fn give(database: &Database, roles: &Roles) -> Result<()> {
    let steps = steps(database, &roles.prefix).await?;
    if roles.print {
        println!("{}", steps.join(";\n") + ";");
        return Ok(());
    }
    take(database, &steps).await?;
    println!("fenghuo: each service has its role, {}identity to {}casework", roles.prefix, roles.prefix);
    println!("give each process a login that is a member of the roles of its services, and of no other:");
    println!("  create role city_push login password '…' in role {}push", roles.prefix);
    Ok(())
}

/// Takes the steps again for the roles of the usual names, if there are any: a migration has brought tables that nobody has a right to yet.
pub(crate) async fn renew(platform: &Platform) -> Result<()> {
    let role = name(PREFIX, Service::Identity);
    let there = sqlx::query_scalar!(r#"select exists (select from pg_roles where rolname = $1) as "there!""#, role)
        .fetch_one(platform.database.pool())
        .await
        .context("whether the services have roles of their own cannot be found out")?;
    if there {
        take(&platform.database, &steps(&platform.database, PREFIX).await?).await?;
        println!("fenghuo: the rights of the services' roles are up to date");
    }
    Ok(())
}

async fn take(database: &Database, steps: &[String]) -> Result<()> {
    let mut tx = database.begin().await?;
    for step in steps {
        sqlx::raw_sql(AssertSqlSafe(step.clone())).execute(&mut *tx).await.with_context(|| format!("the database refused: {step}"))?;
    }
    Ok(tx.commit().await?)
}

/// The role of a service.
fn name(prefix: &str, service: Service) -> String {
    format!("{prefix}{service}")
}

/// Something in a schema that has an owner.
struct Owned {
    schema: String,
    /// As a statement names it, arguments of a function included.
    named: String,
    /// `table`, `view`, `sequence`, `function`.
    kind: String,
}

/// Everything in our schemas that has an owner of its own. A sequence that belongs to a column goes with its table.
async fn owned(database: &Database) -> Result<Vec<Owned>> {
    let schemas: Vec<String> = services::schemas().into_iter().map(|(schema, _)| schema.to_owned()).collect();
    let rows = sqlx::query!(
        r#"select n.nspname::text as "schema!", format('%I.%I', n.nspname, c.relname) as "named!",
                  case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end as "kind!"
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = any($1) and c.relkind in ('r', 'p', 'v', 'S')
              and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i') and c.relkind = 'S')
           union all
           select n.nspname::text, format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), 'function'
             from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any($1)
            order by 1, 3, 2"#,
        &schemas
    )
    .fetch_all(database.pool())
    .await
    .context("what the schemas hold cannot be found out")?;
    Ok(rows.into_iter().map(|row| Owned { schema: row.schema, named: row.named, kind: row.kind }).collect())
}

/// The statements that give the roles what they need, and take from them whatever else they had.
async fn steps(database: &Database, prefix: &str) -> Result<Vec<String>> {
    let owned = owned(database).await?;
    let known = |table: &str| owned.iter().any(|object| object.named == table);
    let mut steps = Vec::new();
    let roles: Vec<String> = Service::VARIANTS.iter().map(|service| name(prefix, *service)).collect();
    for role in &roles {
        steps.push(format!(
            "do $$ begin
                 if not exists (select from pg_roles where rolname = '{role}') then create role {role} nologin; end if;
                 if not pg_has_role(current_user, '{role}', 'member') then grant {role} to current_user; end if;
             end $$"
        ));
    }
    let all = roles.join(", ");
    for (schema, _) in services::schemas() {
        steps.push(format!("revoke all on schema {schema} from public, {all}"));
        steps.push(format!("revoke all on all tables in schema {schema} from public, {all}"));
        steps.push(format!("revoke all on all sequences in schema {schema} from public, {all}"));
        // which steps its tables have come by is for everybody to read: a process that is older or newer than they are does not start
        steps.push(format!("grant usage on schema {schema} to {all}"));
        steps.push(format!("grant select on {schema}._sqlx_migrations to {all}"));
    }
    for service in Service::VARIANTS {
        let Some(schema) = service.schema() else { continue };
        let role = name(prefix, *service);
        steps.push(format!("alter schema {schema} owner to {role}"));
        for Owned { named, kind, .. } in owned.iter().filter(|object| object.schema == schema) {
            steps.push(format!("alter {kind} {named} owner to {role}"));
        }
        // a revocation above has taken from the owner what is the owner's
        steps.push(format!("grant all on schema {schema} to {role}"));
        steps.push(format!("grant all on all tables in schema {schema} to {role}"));
        steps.push(format!("grant all on all sequences in schema {schema} to {role}"));
    }
    for schema in SHARED {
        steps.push(format!("grant select, insert, update, delete on all tables in schema {schema} to {all}"));
        steps.push(format!("revoke insert, update, delete on {schema}._sqlx_migrations from {all}"));
    }
    steps.push(format!("grant select on all tables in schema {KEYS} to {all}"));
    steps.push(format!("grant select on {} to {all}", EVERYBODY_READS.join(", ")));
    for service in Service::VARIANTS {
        let (role, Rights { reads, reads_through, reads_columns, works_with, draws }) = (name(prefix, *service), rights::of(*service));
        for view in reads.iter().chain(reads_through).chain(works_with).chain(draws) {
            ensure!(known(view), "there is no {view}, to which {service} has a right");
        }
        grant(&mut steps, "select", reads, &role);
        grant(&mut steps, "select", reads_through, &role);
        grant(&mut steps, "select, insert, update, delete", works_with, &role);
        for Columns { table, columns } in reads_columns {
            steps.push(format!("grant select ({columns}) on {table} to {role}"));
        }
        for sequence in draws {
            steps.push(format!("grant usage on sequence {sequence} to {role}"));
        }
    }
    Ok(steps)
}

fn grant(steps: &mut Vec<String>, what: &str, on: &[&str], role: &str) {
    if !on.is_empty() {
        steps.push(format!("grant {what} on {} to {role}", on.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::usual(PREFIX, true)]
    #[case::of_a_city("chongqing_", true)]
    #[case::ends_a_statement("x; drop", false)]
    #[case::quotes("\"x", false)]
    #[case::begins_with_a_digit("1_", false)]
    #[case::is_postgresqls("pg_x", false)]
    #[case::none("", false)]
    fn a_role_has_a_name_that_needs_no_quotes(#[case] text: &str, #[case] sound: bool) {
        assert_eq!(prefix(text).is_ok(), sound);
    }

    /// The schemas' objects that the sources of a service name in statements, other than its own.
    fn named_by(service: Service, schemas: &[&str]) -> BTreeSet<String> {
        fn look(directory: &Path, found: &mut String) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if path.is_dir() && name != "stories" {
                    look(&path, found);
                } else if name.ends_with(".rs") && name != "tests.rs" {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                    found.extend(code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")));
                }
            }
        }
        let mut code = String::new();
        look(&crate::book::root().join("services").join(service.to_string()).join("src"), &mut code);
        // a bracket makes it a function's name, or a method's
        let words = code.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "_.(".contains(c))).collect::<Vec<_>>();
        let named = words.windows(2).filter(|pair| matches!(pair[0], "from" | "join" | "into" | "update")).map(|pair| pair[1]);
        let foreign = named.filter(|name| {
            !name.contains('(') && name.split_once('.').is_some_and(|(of, _)| schemas.contains(&of) && of != service.to_string())
        });
        foreign.map(str::to_owned).collect()
    }

    /// Tries a statement as this role; whether it had the right.
    async fn may(database: &Database, role: &str, statement: &str) -> bool {
        let mut tx = database.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("set local role {role}"))).execute(&mut *tx).await.unwrap();
        match sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut *tx).await {
            Ok(_) => true,
            Err(error) if error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "42501") => false,
            // it came as far as to be refused for something else: a view is not to be deleted from, a log not to be changed
            Err(sqlx::Error::Database(_)) => true,
            Err(error) => panic!("{statement}: {error}"),
        }
    }

    /// Whether a role is meant to do this.
    fn is_meant(service: Service, object: &Owned, verb: &str) -> bool {
        let rights = rights::of(service);
        let named = object.named.as_str();
        let own = service.schema() == Some(object.schema.as_str());
        own || rights.works_with.contains(&named)
            || SHARED.contains(&object.schema.as_str()) && !named.ends_with("._sqlx_migrations")
            || verb == "read"
                && (rights.reads.contains(&named)
                    || rights.reads_through.contains(&named)
                    || EVERYBODY_READS.contains(&named)
                    || object.schema == KEYS
                    || named.ends_with("._sqlx_migrations"))
    }

    #[tokio::test]
    async fn a_role_reaches_its_own_schema_and_what_is_published_for_it_and_nothing_else() {
        let stores = platform::StoreSettings { keys: platform::scratch::passing_key(), ..platform::StoreSettings::default() };
        let database = Database::temporary().await.unwrap();
        let platform = Platform::on(database, &stores, platform::clock::Clock::real()).await.unwrap();
        services::migrate(&platform).await.unwrap();
        let prefix = format!("r{}_", uuid::Uuid::now_v7().simple());
        // again changes nothing: an upgrade takes the same steps
        for _ in 0..2 {
            take(&platform.database, &steps(&platform.database, &prefix).await.unwrap()).await.unwrap();
        }
        let objects = owned(&platform.database).await.unwrap();
        let (mut tried, mut refused) = (0, 0);
        for service in Service::VARIANTS {
            let role = name(&prefix, *service);
            for object in objects.iter().filter(|object| matches!(object.kind.as_str(), "table" | "view")) {
                for (verb, statement) in [
                    ("read", format!("select * from {} limit 0", object.named)),
                    ("delete", format!("delete from {} where false", object.named)),
                    ("alter", format!("comment on {} {} is 'mine'", object.kind, object.named)),
                ] {
                    if object.kind == "view" && verb == "delete" {
                        continue; // nobody deletes from most of them
                    }
                    let may = may(&platform.database, &role, &statement).await;
                    let meant =
                        if verb == "alter" { service.schema() == Some(object.schema.as_str()) } else { is_meant(*service, object, verb) };
                    assert_eq!(may, meant, "{service}: {statement}");
                    tried += 1;
                    refused += usize::from(!may);
                }
            }
        }
        assert!(tried > 1_000 && refused > tried / 2, "{refused} of {tried}");
        // what a function stands for is read in some columns, and no other
        let push = name(&prefix, Service::Push);
        assert!(may(&platform.database, &push, "select resident.push_endpoints(1, 10)").await);
        assert!(!may(&platform.database, &push, "select phone_sealed from resident.resident").await);
        assert!(!may(&platform.database, &push, "select name from identity.staff").await);
        let review = name(&prefix, Service::Review);
        assert!(may(&platform.database, &review, "select name from identity.account_in_session").await);
        assert!(!may(&platform.database, &review, "select password_hash from identity.staff").await);
        assert!(!may(&platform.database, &review, "create table identity.mine ()").await);
        platform.database.close().await.unwrap();
    }

    #[test]
    fn what_a_service_reads_of_others_is_what_it_has_a_right_to() {
        let schemas: Vec<&str> = Service::VARIANTS.iter().filter_map(|service| service.schema()).collect();
        for service in Service::VARIANTS {
            let rights = rights::of(*service);
            let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
            let given = all(rights.reads);
            let named = named_by(*service, &schemas);
            let missing: Vec<_> = named.difference(&given).collect();
            assert!(missing.is_empty(), "{service} names in its statements what it has no right to: {missing:?}");
            let unused: Vec<_> = given.difference(&named).collect();
            assert!(unused.is_empty(), "{service} has a right that it does not use: {unused:?}");
        }
    }
}
