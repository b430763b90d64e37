//! One test binary: each file here is a module, linked once.

mod backtest;
mod bounds;
mod by_hand;
mod compare;
mod conversations;
mod check;
mod explain;
mod external;
mod hostile;
mod input;
mod interrupts;
mod layers;
mod lint;
mod listed;
mod oracles;
mod plan;
mod policies;
mod provenance;
mod reading;
mod reference;
mod resume;
mod published;
mod rlscheduler;
mod swarm;
mod verdicts;
mod sweep;
