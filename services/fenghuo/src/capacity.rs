//! What the accounts in the configuration may send: dispatch is told, so that it can foresee.

use dispatch::Capacity;
use domain::forecast::LaneRate;

use crate::configuration::Configuration;

/// The rates of all accounts. A provider without an account has none: its residents count as having no app.
pub(crate) fn of(settings: &Configuration) -> Capacity {
    let apns = settings.push.apns.as_ref().map(|apns| match apns.rate_per_second {
        Some(rate) => LaneRate::Granted(f64::from(rate.get())),
        None => LaneRate::Unlimited,
    });
    let fcm = settings.push.fcm.as_ref().map(|fcm| {
        // Endpoints are shared out by quota, so all projects are at their limits together.
        let per_minute: f64 = fcm.projects.iter().map(|project| f64::from(project.rate_per_minute.get())).sum();
        LaneRate::Granted(per_minute / 60.0)
    });
    let web = settings.push.web_push.as_ref().map(|web| match web.rate_per_second {
        Some(rate) => LaneRate::Granted(f64::from(rate.get())),
        None => LaneRate::Unlimited,
    });
    Capacity {
        apns: apns.unwrap_or(LaneRate::Absent),
        fcm: fcm.unwrap_or(LaneRate::Absent),
        web: web.unwrap_or(LaneRate::Absent),
        sms: LaneRate::Granted(f64::from(settings.sms.rate_per_second.get())),
        sms_signature: settings.sms.signature.clone(),
        audience_questions_per_day: settings.resident.audience_questions_per_day,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(text: &str) -> Capacity {
        of(&toml::from_str(text).unwrap())
    }

    #[test]
    fn without_accounts_there_is_sms_only() {
        let capacity = configured("");
        assert_eq!((capacity.apns, capacity.fcm, capacity.sms), (LaneRate::Absent, LaneRate::Absent, LaneRate::Granted(1_000.0)));
    }

    #[test]
    fn firebase_projects_count_together_and_apple_names_no_limit() {
        let capacity =
            configured("[push.apns]\n[push.fcm]\nprojects = [{}, { rate_per_minute = 300000 }]\n[sms]\nsignature = '重庆疾控'\n");
        assert_eq!((capacity.apns, capacity.fcm), (LaneRate::Unlimited, LaneRate::Granted(15_000.0)));
        assert_eq!(capacity.sms_signature, "重庆疾控");
    }

    #[test]
    fn a_rate_that_is_set_for_apple_counts() {
        assert_eq!(configured("[push.apns]\nrate_per_second = 20000\n").apns, LaneRate::Granted(20_000.0));
    }
}
