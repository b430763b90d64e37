//! units/stream
