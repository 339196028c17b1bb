//! The guide in the browser of whoever has just started the demo, where there is one.

use std::ffi::OsString;
use std::io::IsTerminal as _;

/// Opens the address unless told not to, or nobody could see it. The address is printed anyway, so a failure says nothing.
pub(super) fn open_if_there_is_one(url: &str, told_not_to: bool) {
    if !told_not_to && somebody_sees_it(std::io::stdout().is_terminal(), |name| std::env::var_os(name)) {
        let _ = open::that_detached(url);
    }
}

/// Whether a person sits at this machine, with a screen.
fn somebody_sees_it(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let display = !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY");
    terminal && display && !set("CI") && !set("SSH_CONNECTION")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::at_a_desk(true, &[("DISPLAY", ":0")], true)]
    #[case::at_a_newer_desk(true, &[("WAYLAND_DISPLAY", "wayland-0")], true)]
    #[case::into_a_file(false, &[("DISPLAY", ":0")], false)]
    #[case::on_a_server(true, &[], false)]
    #[case::on_a_server_with_an_empty_display(true, &[("DISPLAY", "")], false)]
    #[case::from_afar(true, &[("DISPLAY", "localhost:10.0"), ("SSH_CONNECTION", "10.0.0.2 50000 10.0.0.1 22")], false)]
    #[case::in_a_pipeline(true, &[("DISPLAY", ":99"), ("CI", "true")], false)]
    fn a_browser_is_opened_only_for_somebody_at_this_machine(
        #[case] terminal: bool,
        #[case] environment: &[(&str, &str)],
        #[case] opened: bool,
    ) {
        let variable = |name: &str| environment.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        assert_eq!(somebody_sees_it(terminal, variable), opened);
    }
}
