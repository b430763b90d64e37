//! Best fit, as the `place` part or as a whole policy that serves first come,
//! first served, and lets whoever fits go before the others.

use std::collections::BTreeMap;

use windtunnel::policy::external::message::{
    Action, CallAnswer, CallMessage, EventMessage, Hello, InstanceMessage, InstanceTypeMessage,
    PROTOCOL, Question, Ready, Reply, Request, RulesMessage, ShareMessage, Submitted,
};

/// Best fit, with a picture of its own of what windtunnel has told.
#[derive(Debug, Default)]
pub(crate) struct BestFit {
    /// By offer: its region and zone, and what it is.
    types: BTreeMap<String, (String, String, InstanceTypeMessage)>,
    rules: BTreeMap<u32, RulesMessage>,
    instances: BTreeMap<u32, InstanceMessage>,
    work: BTreeMap<u64, Submitted>,
    /// Waiting tasks by work, where there are any.
    waiting: BTreeMap<u64, u32>,
    /// Tasks by allocation.
    placed: BTreeMap<u64, u32>,
}

impl BestFit {
    /// The line that answers a line.
    pub(crate) fn answer(&mut self, line: &str) -> String {
        let reply = match serde_json::from_str(line).expect("windtunnel writes JSON") {
            Request::Hello(hello) => self.greet(*hello),
            Request::Call(call) => Reply::Answer(Box::new(self.call(*call))),
        };
        serde_json::to_string(&reply).expect("a reply is plain data")
    }

    fn greet(&mut self, hello: Hello) -> Reply {
        let types = hello.world.types;
        let typed = |row: u32| types[row as usize].clone();
        let offers = hello.world.offers.into_iter();
        self.types = offers
            .map(|offer| (offer.name, (offer.region, offer.zone, typed(offer.r#type))))
            .collect();
        Reply::Ready(Ready { protocol: PROTOCOL })
    }

    fn call(&mut self, call: CallMessage) -> CallAnswer {
        for record in call.records {
            self.hear(record);
        }
        if call.reset {
            self.instances.clear();
        }
        let changed = call.instances.into_iter().map(|instance| (instance.instance, instance));
        self.instances.extend(changed);
        for gone in call.gone {
            self.instances.remove(&gone);
        }
        let mut answer = CallAnswer { number: call.number, ..CallAnswer::default() };
        match call.ask {
            Question::Decide { .. } => answer.actions = self.decide(),
            Question::Place { work, tasks, not_on } => {
                answer.on = self.place(&mut self.instances.clone(), work, tasks, &not_on);
            }
            _ => {}
        }
        answer
    }

    fn hear(&mut self, record: EventMessage) {
        match record {
            EventMessage::Rules(rules) => {
                self.rules.insert(rules.rules, rules);
            }
            EventMessage::Submitted(work) => {
                self.waiting.insert(work.work, work.tasks);
                self.work.insert(work.work, *work);
            }
            EventMessage::Placed(placed) => {
                let tasks = placed.on.iter().map(|share| share.tasks).sum();
                self.placed.insert(placed.allocation, tasks);
                let left = self.waiting.remove(&placed.work).unwrap_or(0) - tasks;
                if left > 0 {
                    self.waiting.insert(placed.work, left);
                }
            }
            EventMessage::Done(ended) => {
                self.placed.remove(&ended.allocation);
            }
            EventMessage::Preempted(ended) => {
                let tasks = self.placed.remove(&ended.allocation).unwrap_or(0);
                *self.waiting.entry(ended.work).or_insert(0) += tasks;
            }
            EventMessage::Finished(ended) | EventMessage::Refused(ended) => {
                self.work.remove(&ended.work);
                self.waiting.remove(&ended.work);
            }
            _ => {}
        }
    }

    /// Places whoever fits, in order of submission.
    fn decide(&self) -> Vec<Action> {
        let mut instances = self.instances.clone();
        let mut actions = Vec::new();
        for (&work, &tasks) in &self.waiting {
            let on = self.place(&mut instances, work, tasks, &[]);
            if !on.is_empty() && self.work[&work].gang {
                actions.push(Action::Place { work, on });
            } else {
                // Tasks that start on their own end on their own.
                let each = on.into_iter().map(|share| Action::Place { work, on: vec![share] });
                actions.extend(each);
            }
        }
        actions
    }

    /// Places tasks where the fullest instance with room lies; a gang that does not
    /// fit there elsewhere.
    fn place(
        &self,
        instances: &mut BTreeMap<u32, InstanceMessage>,
        work: u64,
        tasks: u32,
        not_on: &[u32],
    ) -> Vec<ShareMessage> {
        let ask = &self.work[&work];
        let rules = &self.rules[&ask.rules];
        let mut passed = Vec::new();
        loop {
            let fits = instances
                .values()
                .filter(|one| room(one, ask, rules) > 0 && !not_on.contains(&one.instance))
                .filter(|one| !passed.contains(&self.site(one, ask, rules)));
            let best = fits.min_by_key(|one| (self.mean_left(one, ask), one.instance));
            let Some(site) = best.map(|best| self.site(best, ask, rules)) else {
                return Vec::new();
            };
            let shares = self.place_in(&site, instances, (work, tasks), not_on);
            if site.is_none() || !shares.is_empty() {
                return shares;
            }
            passed.push(site);
        }
    }

    /// Where an instance lies for a gang, all of which has one site; none where its
    /// tasks may lie anywhere.
    fn site(
        &self,
        one: &InstanceMessage,
        ask: &Submitted,
        rules: &RulesMessage,
    ) -> Option<[String; 3]> {
        let together = rules.together.as_deref().unwrap_or("zone");
        if !ask.gang || ask.tasks == 1 || together == "anywhere" {
            return None;
        }
        let (region, zone, what) = &self.types[&one.offer];
        let model = what.gpu_model.clone().filter(|_| ask.gpus > 0).unwrap_or_default();
        let provider = region.split('/').next().unwrap_or(region);
        let region = if together == "provider" { provider } else { region };
        let zone = if together == "zone" { zone } else { "" };
        Some([region.to_owned(), zone.to_owned(), model])
    }

    /// The fullest instances with room in a site, and takes what they give.
    fn place_in(
        &self,
        site: &Option<[String; 3]>,
        instances: &mut BTreeMap<u32, InstanceMessage>,
        (work, mut tasks): (u64, u32),
        not_on: &[u32],
    ) -> Vec<ShareMessage> {
        let ask = &self.work[&work];
        let rules = &self.rules[&ask.rules];
        let spread = rules.spread != "none";
        let alone = spread || ask.gpus > 0 && ask.gpu_share < 1_000;
        let (mut shares, mut before) = (Vec::new(), Vec::new());
        while tasks > 0 {
            let fits = instances
                .values()
                .filter(|one| room(one, ask, rules) > 0 && !not_on.contains(&one.instance))
                .filter(|one| self.site(one, ask, rules) == *site);
            let Some(best) = fits.min_by_key(|one| (self.mean_left(one, ask), one.instance)) else {
                if ask.gang {
                    // All start together, or none.
                    instances.extend(before.into_iter().rev());
                    shares.clear();
                }
                break;
            };
            let count = if alone { 1 } else { tasks.min(room(best, ask, rules)) };
            let number = best.instance;
            before.push((number, best.clone()));
            shares.push(ShareMessage::on(number, count));
            if let Some(best) = instances.get_mut(&number) {
                take(best, ask, count);
            }
            if spread {
                break; // what is allowed next depends on this task
            }
            tasks -= count;
        }
        shares
    }

    /// Mean over its resources of what a task leaves free, in millionths.
    fn mean_left(&self, one: &InstanceMessage, ask: &Submitted) -> u64 {
        let (_, _, whole) = &self.types[&one.offer];
        let gpus = one.gpus.iter().map(|&free| u64::from(free)).sum::<u64>();
        let parts = [
            (u64::from(one.cpu - ask.cpu), u64::from(whole.cpu)),
            (u64::from(one.memory - ask.memory), u64::from(whole.memory)),
            (gpus - u64::from(ask.gpus) * u64::from(ask.gpu_share), 1_000 * u64::from(whole.gpus)),
        ];
        let present = parts.iter().filter(|(_, whole)| *whole > 0);
        let shares: Vec<u64> = present.map(|(free, whole)| free * 1_000_000 / whole).collect();
        shares.iter().sum::<u64>() / shares.len().max(1) as u64
    }
}

/// How many tasks fit.
fn room(one: &InstanceMessage, ask: &Submitted, rules: &RulesMessage) -> u32 {
    if rules.offers.as_ref().is_some_and(|offers| !offers.contains(&one.offer)) {
        return 0;
    }
    let gpus = match ask.gpus {
        0 => u32::MAX,
        1 => one.gpus.iter().map(|free| u32::from(free / ask.gpu_share.max(1))).sum(),
        gpus => {
            let devices = one.gpus.iter().filter(|&&free| free >= ask.gpu_share).count() as u32;
            devices / u32::from(gpus)
        }
    };
    let cpu = one.cpu.checked_div(ask.cpu).unwrap_or(u32::MAX);
    cpu.min(one.memory.checked_div(ask.memory).unwrap_or(u32::MAX)).min(gpus)
}

/// Takes the fullest devices with room, as windtunnel does.
fn take(one: &mut InstanceMessage, ask: &Submitted, tasks: u32) {
    one.cpu -= ask.cpu * tasks;
    one.memory -= ask.memory * tasks;
    let mut devices: Vec<usize> =
        (0..one.gpus.len()).filter(|&at| one.gpus[at] >= ask.gpu_share).collect();
    devices.sort_by_key(|&at| (one.gpus[at], at));
    for at in devices.into_iter().take(tasks as usize * usize::from(ask.gpus)) {
        one.gpus[at] -= ask.gpu_share;
    }
}
