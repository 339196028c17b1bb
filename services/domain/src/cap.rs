//! The words of the Common Alerting Protocol that an alert is described with (OASIS CAP 1.2 §3.2).

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

macro_rules! cap_words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident,)* })*) => {$(
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, Display, EnumString,
            AsRefStr, IntoStaticStr, VariantArray,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        $(#[$doc])*
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }
    )*};
}

cap_words! {
    /// `status`: how the message is to be handled. The platform sends the first two and nothing else.
    #[schema(as = CapStatus)]
    Status {
        /// To be acted on by its recipients.
        Actual,
        /// For the participants of an exercise only.
        Exercise,
        /// For the machinery of alerting.
        System,
        /// A technical test, to be ignored.
        Test,
        /// A template, to be ignored.
        Draft,
    }

    /// `msgType`, as far as the platform writes it: acknowledgements and errors are no alerts here.
    MsgType {
        /// First information.
        Alert,
        /// A correction of the alert it references, which it supersedes.
        Update,
        /// The end of the alert it references.
        Cancel,
    }

    /// `category`.
    Category {
        /// Earth: earthquake, landslide.
        Geo,
        /// Weather, flood.
        Met,
        /// General emergency and public safety.
        Safety,
        /// Police, military, security.
        Security,
        /// Rescue.
        Rescue,
        /// Fire.
        Fire,
        /// Medical and public health.
        Health,
        /// Pollution and environment.
        Env,
        /// Transport.
        Transport,
        /// Water, power, networks.
        Infra,
        /// Chemical, biological, radiological, nuclear, explosive.
        Cbrne,
        /// Other.
        Other,
    }

    /// `urgency`: how soon to act.
    Urgency {
        /// At once.
        Immediate,
        /// Within the hour.
        Expected,
        /// In the near future.
        Future,
        /// No longer.
        Past,
        /// Not known.
        Unknown,
    }

    /// `severity`: how much harm.
    Severity {
        /// Extraordinary threat to life.
        Extreme,
        /// Significant threat to life.
        Severe,
        /// Possible threat to life.
        Moderate,
        /// Minimal or no known threat.
        Minor,
        /// Not known.
        Unknown,
    }

    /// `certainty`: how sure.
    Certainty {
        /// Has happened or is happening.
        Observed,
        /// More likely than not.
        Likely,
        /// Possible, not likely.
        Possible,
        /// Not expected to happen.
        Unlikely,
        /// Not known.
        Unknown,
    }
}
