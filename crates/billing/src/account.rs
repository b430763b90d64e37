//! Accounts of a provider: an organisation, and the accounts, subscriptions, resource groups or
//! projects below it.

use crate::units::{Id, IdVec};

/// A node of the tree of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Name, as usage names it.
    pub name: String,
    /// The one above it; `None` of an organisation, or of an account by itself.
    pub parent: Option<Id<Account>>,
    depth: u32,
    /// The one at the top of its tree; `None` where that is itself.
    root: Option<Id<Account>>,
    /// One further above it, so that any is reached in few steps (Myers's skip pointers).
    far: Option<Id<Account>>,
}

/// Trees of accounts.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    rows: IdVec<Account>,
}

impl Accounts {
    /// Adds an account below `parent`.
    pub fn add(&mut self, name: impl Into<String>, parent: Option<Id<Account>>) -> Id<Account> {
        let (mut depth, mut root, mut far) = (0, None, None);
        if let Some(above) = parent {
            let Account { depth: over, root: top, far: next, .. } = self.rows[above];
            (depth, root, far) = (over + 1, top.or(parent), parent);
            let depth_of = |id: Option<Id<Account>>| id.map_or(0, |id| self.rows[id].depth);
            let beyond = next.and_then(|next| self.rows[next].far);
            if next.is_some() && over - depth_of(next) == depth_of(next) - depth_of(beyond) {
                far = beyond.or(root);
            }
        }
        self.rows.push(Account { name: name.into(), parent, depth, root, far })
    }

    /// The account of that name.
    pub fn find(&self, name: &str) -> Option<Id<Account>> {
        self.rows.find(|account| account.name == name)
    }

    /// The account.
    pub fn get(&self, account: Id<Account>) -> &Account {
        &self.rows[account]
    }

    /// All of them, parents first.
    pub fn iter(&self) -> impl Iterator<Item = (Id<Account>, &Account)> {
        self.rows.iter()
    }

    /// Number of accounts above it.
    pub fn depth(&self, account: Id<Account>) -> u32 {
        self.rows[account].depth
    }

    /// The account at the top of its tree: the one that is billed.
    pub fn root(&self, account: Id<Account>) -> Id<Account> {
        self.rows[account].root.unwrap_or(account)
    }

    /// Whether `account` is `scope` or lies below it, in steps of the logarithm of its depth.
    #[inline]
    pub fn within(&self, account: Id<Account>, scope: Id<Account>) -> bool {
        account == scope || self.rows[account].root == Some(scope) || self.is_below(account, scope)
    }

    fn is_below(&self, mut account: Id<Account>, scope: Id<Account>) -> bool {
        let depth = self.rows[scope].depth;
        while self.rows[account].depth > depth {
            let Account { parent, far, .. } = self.rows[account];
            let far = far.filter(|far| self.rows[*far].depth >= depth);
            let Some(above) = far.or(parent) else { return false };
            account = above;
        }
        account == scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_hold_what_lies_below_them() {
        let mut accounts = Accounts::default();
        let organisation = accounts.add("organisation", None);
        let team = accounts.add("team", Some(organisation));
        let group = accounts.add("group", Some(team));
        let other = accounts.add("other", None);
        assert!(accounts.within(group, organisation) && accounts.within(group, group));
        assert!(!accounts.within(team, group) && !accounts.within(other, organisation));
        assert_eq!((accounts.root(group), accounts.root(other)), (organisation, other));
        assert_eq!(accounts.depth(group), 2);
        assert_eq!(accounts.find("team"), Some(team));
    }

    #[test]
    fn deep_trees_are_climbed_in_few_steps() {
        let mut accounts = Accounts::default();
        let mut chain = vec![accounts.add("0", None)];
        for depth in 1..10_000 {
            chain.push(accounts.add(depth.to_string(), chain.last().copied()));
        }
        let side = accounts.add("side", Some(chain[4_999]));
        for scope in [0, 1, 2, 3, 4_998, 4_999, 5_000, 7_777, 9_999] {
            assert!(accounts.within(chain[9_999], chain[scope]), "{scope}");
            assert_eq!(accounts.within(side, chain[scope]), scope < 5_000, "{scope}");
        }
        assert_eq!(accounts.root(side), chain[0]);
        let mut steps = 0;
        let mut at = chain[9_999];
        while let Some(above) = accounts.get(at).far {
            (at, steps) = (above, steps + 1);
        }
        assert!(at == chain[0] && steps < 40, "{steps}");
    }
}
