//! Where statements go: the pool or one connection, as this platform has them.
//!
//! The same as sqlx's own, with the types of the driver settled here. What sqlx's take to compile (waiting for a connection,
//! reading a stream of answers) every crate with a query would compile for itself; behind these two types it is compiled once.

use std::future::Future;
use std::pin::Pin;

use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::error::BoxDynError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Execute, Executor, PgConnection, PgPool, Postgres, SqlStr};

/// The connections of a database, for single statements: `sqlx::query!(…).fetch_all(database.pool())`.
#[derive(Clone, Debug)]
pub struct Pool(PgPool);

/// One connection, held until dropped: `sqlx::query!(…).fetch_all(&mut connection)`.
#[derive(Debug)]
pub struct Connection(Held);

#[derive(Debug)]
enum Held {
    OfPool(PoolConnection<Postgres>),
    InTransaction(sqlx::Transaction<'static, Postgres>),
}

impl Pool {
    pub(super) fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Takes one connection.
    pub fn acquire(&self) -> BoxFuture<'_, sqlx::Result<Connection>> {
        Box::pin(async { Ok(Connection(Held::OfPool(self.0.acquire().await?))) })
    }

    /// Takes one connection and begins a transaction on it.
    pub(super) fn begin(&self) -> BoxFuture<'_, sqlx::Result<Connection>> {
        Box::pin(async { Ok(Connection(Held::InTransaction(self.0.begin().await?))) })
    }

    /// sqlx's own pool, for what is not a statement: copying in, migrations, listening.
    pub fn driver(&self) -> &PgPool {
        &self.0
    }
}

impl Connection {
    /// Ends the transaction that is open on it, if one is.
    pub(super) fn end(self, how: Ending) -> BoxFuture<'static, sqlx::Result<()>> {
        Box::pin(async move {
            match (self.0, how) {
                (Held::InTransaction(transaction), Ending::Commit) => transaction.commit().await,
                (Held::InTransaction(transaction), Ending::Rollback) => transaction.rollback().await,
                (Held::OfPool(_), _) => Ok(()),
            }
        })
    }

    /// sqlx's own connection, for what is not a statement: copying in and out.
    pub fn driver(&mut self) -> &mut PgConnection {
        match &mut self.0 {
            Held::OfPool(connection) => connection,
            Held::InTransaction(transaction) => transaction,
        }
    }
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    Commit,
    Rollback,
}

/// A statement of any kind, taken apart.
struct Statement {
    sql: SqlStr,
    prepared: Option<PgStatement>,
    arguments: Option<Result<PgArguments, BoxDynError>>,
    kept: bool,
}

impl Statement {
    fn of<'q>(mut query: impl Execute<'q, Postgres>) -> Self {
        let prepared = query.statement().cloned();
        let arguments = query.take_arguments().transpose();
        let kept = query.persistent();
        Self { sql: query.sql(), prepared, arguments, kept }
    }
}

impl Execute<'_, Postgres> for Statement {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.prepared.as_ref()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.arguments.take().transpose()
    }

    fn persistent(&self) -> bool {
        self.kept
    }
}

type Answers<'e> = BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>;
type Answer<'e, T> = Pin<Box<dyn Future<Output = sqlx::Result<T>> + Send + 'e>>;

// Not generic, so that they are compiled here and nowhere else.

fn all_from_pool(pool: &PgPool, statement: Statement) -> Answers<'_> {
    pool.fetch_many(statement)
}

fn one_from_pool(pool: &PgPool, statement: Statement) -> Answer<'_, Option<PgRow>> {
    pool.fetch_optional(statement)
}

fn all_from_connection(connection: &mut PgConnection, statement: Statement) -> Answers<'_> {
    connection.fetch_many(statement)
}

fn one_from_connection(connection: &mut PgConnection, statement: Statement) -> Answer<'_, Option<PgRow>> {
    connection.fetch_optional(statement)
}

fn summed(answers: Answers<'_>) -> Answer<'_, PgQueryResult> {
    let results = answers.try_filter_map(|answer| std::future::ready(Ok(answer.left())));
    Box::pin(results.try_collect())
}

fn rows(answers: Answers<'_>) -> BoxStream<'_, sqlx::Result<PgRow>> {
    answers.try_filter_map(|answer| std::future::ready(Ok(answer.right()))).boxed()
}

fn collected(answers: Answers<'_>) -> Answer<'_, Vec<PgRow>> {
    Box::pin(rows(answers).try_collect())
}

fn exactly_one(row: Answer<'_, Option<PgRow>>) -> Answer<'_, PgRow> {
    Box::pin(async move { row.await?.ok_or(sqlx::Error::RowNotFound) })
}

/// The methods of an [`Executor`] by the functions above.
macro_rules! executed {
    ($all:ident, $one:ident, $driver:expr) => {
        type Database = Postgres;

        fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<PgQueryResult>>
        where
            'c: 'e,
            E: 'q + Execute<'q, Postgres>,
        {
            summed($all($driver(self), Statement::of(query)))
        }

        fn fetch<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<PgRow>>
        where
            'c: 'e,
            E: 'q + Execute<'q, Postgres>,
        {
            rows($all($driver(self), Statement::of(query)))
        }

        fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
        where
            'c: 'e,
            E: 'q + Execute<'q, Postgres>,
        {
            $all($driver(self), Statement::of(query))
        }

        fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Vec<PgRow>>>
        where
            'c: 'e,
            E: 'q + Execute<'q, Postgres>,
        {
            collected($all($driver(self), Statement::of(query)))
        }

        fn fetch_one<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<PgRow>>
        where
            'c: 'e,
            E: 'q + Execute<'q, Postgres>,
        {
            exactly_one($one($driver(self), Statement::of(query)))
        }

        fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
        where
            'c: 'e,
            E: 'q + Execute<'q, Postgres>,
        {
            $one($driver(self), Statement::of(query))
        }

        fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
        where
            'c: 'e,
        {
            $driver(self).prepare_with(sql, parameters)
        }

        fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
        where
            'c: 'e,
        {
            $driver(self).describe(sql)
        }
    };
}

impl<'c> Executor<'c> for &'c Pool {
    executed!(all_from_pool, one_from_pool, Pool::driver);
}

impl<'c> Executor<'c> for &'c mut Connection {
    executed!(all_from_connection, one_from_connection, Connection::driver);
}
