//! `fenghuo staff administrator`: the first way in.

use std::path::Path;

use anyhow::Result;

use crate::command::Administrator;
use crate::migrate;

pub(crate) async fn administrator(config: Option<&Path>, administrator: Administrator) -> Result<()> {
    let platform = migrate::open(config).await?;
    let password = identity::create_administrator(&platform, &administrator.login).await?;
    println!("{} {password}", administrator.login);
    eprintln!("fenghuo: this password is shown once; sign in and change it");
    migrate::close(platform).await
}
