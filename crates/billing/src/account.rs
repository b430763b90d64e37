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
}

/// Trees of accounts.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    rows: IdVec<Account>,
}

impl Accounts {
    /// Adds an account below `parent`.
    pub fn add(&mut self, name: impl Into<String>, parent: Option<Id<Account>>) -> Id<Account> {
        let depth = parent.map_or(0, |parent| self.rows[parent].depth + 1);
        self.rows.push(Account { name: name.into(), parent, depth })
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
    pub fn root(&self, mut account: Id<Account>) -> Id<Account> {
        while let Some(parent) = self.rows[account].parent {
            account = parent;
        }
        account
    }

    /// Whether `account` is `scope` or lies below it.
    pub fn within(&self, mut account: Id<Account>, scope: Id<Account>) -> bool {
        loop {
            if account == scope {
                return true;
            }
            match self.rows[account].parent {
                Some(parent) => account = parent,
                None => return false,
            }
        }
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
}
