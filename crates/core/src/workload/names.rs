//! Names in files become ids of a book, without a new string per row.

use rustc_hash::FxHashMap;

use crate::model::{Home, Interner, Rules, Tenant};
use crate::units::Id;

use super::number::BadValue;

/// Ids by the bytes that stood for them. Belongs to one book.
#[derive(Debug, Default)]
pub(super) struct Names {
    tenants: FxHashMap<Vec<u8>, Id<Tenant>>,
    homes: FxHashMap<Vec<u8>, Id<Home>>,
    rules: FxHashMap<Vec<u8>, Id<Rules>>,
}

/// Longest name, in bytes.
pub const MAX_NAME: usize = 4_096;

/// A name: UTF-8 without NUL, of bounded length.
pub(super) fn text(bytes: &[u8]) -> Result<&str, BadValue> {
    if bytes.len() > MAX_NAME {
        return Err("is longer than 4,096 bytes");
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    if text.contains('\0') { Err("has a NUL byte") } else { Ok(text) }
}

impl Names {
    /// The tenant called `name`; the default tenant when empty.
    pub(super) fn tenant(
        &mut self,
        book: &mut Interner,
        name: &[u8],
    ) -> Result<Id<Tenant>, BadValue> {
        if name.is_empty() {
            return Ok(Id::new(0));
        }
        if let Some(&id) = self.tenants.get(name) {
            return Ok(id);
        }
        let id = book.tenant(text(name)?);
        self.tenants.insert(name.to_vec(), id);
        Ok(id)
    }

    /// The home called `name`; `None` when empty.
    pub(super) fn home(
        &mut self,
        book: &mut Interner,
        name: &[u8],
    ) -> Result<Option<Id<Home>>, BadValue> {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(&id) = self.homes.get(name) {
            return Ok(Some(id));
        }
        let id = book.home(text(name)?);
        self.homes.insert(name.to_vec(), id);
        Ok(Some(id))
    }

    /// The rules that `key` stands for, which `read` makes when it is new.
    pub(super) fn rules<E>(
        &mut self,
        book: &mut Interner,
        key: &[u8],
        read: impl FnOnce() -> Result<Rules, E>,
    ) -> Result<Id<Rules>, E> {
        if let Some(&id) = self.rules.get(key) {
            return Ok(id);
        }
        let id = book.rules(&read()?);
        self.rules.insert(key.to_vec(), id);
        Ok(id)
    }
}
