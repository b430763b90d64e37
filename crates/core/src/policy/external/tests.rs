//! The protocol against its document, and the parts against ours: where they
//! follow the same rule, every decision is the same.

use super::message::{Reply, Request};

/// Every message of the document is one that windtunnel writes or reads, in
/// the very form that it has on the wire.
#[test]
fn the_document_speaks_the_protocol() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy.md");
    let text = std::fs::read_to_string(path).expect("the document is there");
    let (mut inside, mut seen) = (false, (0, 0));
    for line in text.lines() {
        match line {
            "```json" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            sent if sent.starts_with("{\"hello\"") || sent.starts_with("{\"call\"") => {
                let read: Request = serde_json::from_str(sent).expect(sent);
                assert_eq!(serde_json::to_string(&read).expect("plain data"), sent);
                seen.0 += 1;
            }
            answer => {
                let read: Reply = serde_json::from_str(answer).expect(answer);
                assert_eq!(serde_json::to_string(&read).expect("plain data"), answer);
                seen.1 += 1;
            }
        }
    }
    assert_eq!(seen, (5, 5), "messages to and from the policy");
}
