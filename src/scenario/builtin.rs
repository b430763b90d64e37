//! Scenarios inside the program, by name: those that read no file.

macro_rules! scenario {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/", $name, ".toml")))
    };
}

/// Names and texts of the built-in scenarios.
pub const BUILT_IN: &[(&str, &str)] = &[
    scenario!("quickstart"),
    scenario!("sizing"),
    scenario!("hybrid-burst"),
    scenario!("spot-deadline"),
    scenario!("outage-replay"),
    scenario!("zone-lost"),
    scenario!("commitments"),
    scenario!("sustained-use"),
    scenario!("egress-gravity"),
    scenario!("chargeback"),
    scenario!("gpu-training"),
];

/// The text of the scenario called `name`.
pub fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn all_of_them_are_valid_on_their_own() {
        for (name, text) in BUILT_IN {
            let nowhere = std::path::Path::new("/nowhere");
            let scenario = Scenario::parse(text, &format!("{name}.toml"), nowhere, &[]);
            assert_eq!(scenario.expect("it is valid").name, *name);
        }
    }
}
