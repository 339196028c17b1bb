//! `fenghuo rehearse`: a real outbreak played through the whole platform.
//!
//! The platform runs as it always does: records come in by HTTP, rules gather drafts, staff sign in and decide, messages go
//! out over HTTP/2 and SMPP, residents register, acknowledge by app and by SMS, or stay silent. Three things are played:
//! the providers are simulators, the clock is moved from one thing to do to the next, and staff and residents act by rule
//! ([`staff`], [`people`]).
//!
//! [`outbreak`] reads the line list, [`cast`] says who plays whom, [`stage`] runs the platform and moves its clock,
//! [`script`] lists what happens when, [`figures`] asks the stores what came of it, [`story`] tells it.
//!
//! Every step may be played twice with the same end: an interrupted rehearsal with `--data` goes on with the step it was in.

mod arguments;
mod cast;
mod figures;
mod outbreak;
mod people;
mod script;
mod staff;
mod stage;
mod story;

use std::path::Path;

use anyhow::{Context as _, Result};

pub(crate) use arguments::Rehearse;
use arguments::Scenario;
use cast::Cast;
use outbreak::Outbreak;
use script::{Act, Scene};
use stage::Stage;
use story::Story;

pub(crate) async fn run(config: Option<&Path>, rehearse: Rehearse) -> Result<()> {
    let Scenario::Mers2015 = rehearse.scenario;
    let began = std::time::Instant::now();
    let outbreak = Outbreak::mers_2015()?;
    let scenes = script::write(&outbreak);
    let first = scenes.first().context("the outbreak has no reports")?.at;
    let cast = Cast::of(&outbreak, rehearse.residents)?;
    let mut story = Story::new(rehearse.json);
    let stage = Stage::open(config, &rehearse, &cast, first).await?;
    story.opens(&outbreak, &cast, &stage);

    for (number, scene) in scenes.iter().enumerate().skip(stage.next_scene()) {
        stage.move_to(number, scene.at).await?;
        play(&stage, &cast, scene, &mut story).await?;
        stage.settle().await?;
        stage.finished(number).await?;
        story.passes(number + 1, scenes.len());
    }

    let figures = figures::ask(&stage, &cast, began.elapsed()).await?;
    story.ends(&figures)?;
    stage.close().await
}

async fn play(stage: &Stage, cast: &Cast, scene: &Scene, story: &mut Story) -> Result<()> {
    match &scene.act {
        Act::Report(reports) => {
            let report = stage.send_records(&cast.records(reports, scene.at)).await?;
            story.reported(scene.at, reports.len(), &report);
        }
        Act::DistrictReview => story.decided(scene.at, "区县审核通过 districts pass", &staff::district_review(stage).await?),
        Act::CityReview => story.decided(scene.at, "市级批准 the city approves", &staff::city_review(stage).await?),
        Act::Answer(readers) => story.answered(scene.at, *readers, people::answer(stage, cast, *readers).await?),
        Act::Pass => {}
    }
    Ok(())
}
