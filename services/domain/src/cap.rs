//! The words of the Common Alerting Protocol that an alert is described with (OASIS CAP 1.2 §3.2).

crate::words! {
    /// `status`: how the message is to be handled. The platform sends the first two and nothing else.
    #[schema(as = CapStatus)]
    pub enum Status {
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
    pub enum MsgType {
        /// First information.
        Alert,
        /// A correction of the alert it references, which it supersedes.
        Update,
        /// The end of the alert it references.
        Cancel,
    }

    /// `category`.
    pub enum Category {
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
    pub enum Urgency {
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
    pub enum Severity {
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
    pub enum Certainty {
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
